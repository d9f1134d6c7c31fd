package torture

import (
	"hash/maphash"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// afterCut calls each with every state that a power cut at this instant could leave:
// the names of each directory up to any of the pending moves, and of the pending data
// all, none, one write only, all but one, one of them torn between two sectors, or only
// room at the end of the file. A sector that was there holds what it held or what it
// was to hold. Each is told whether all data are durable, so that only names are not.
func (d *disk) afterCut(each func(x tree, data bool)) {
	for n, data := range d.pendingData() {
		d.eachPrefix(d.directories(), map[*inode]int{}, func(moves map[*inode]int) {
			x := tree{}
			d.root.survive("", data, moves, x)
			each(x, n == 0)
		})
	}
}

// survive adds to x what is left below a directory.
func (i *inode) survive(path string, data choice, moves map[*inode]int, x tree) {
	names := i.kept
	if moves[i] > 0 {
		names = maps.Clone(i.kept)
		for _, m := range i.moves[:moves[i]] {
			m.apply(names)
		}
	}
	for name, below := range names {
		inside := filepath.Join(path, name)
		if below.mode.IsDir() {
			x[inside] = node{mode: below.mode}
			below.survive(inside, data, moves, x)
			continue
		}
		n, chosen := data[below]
		if !chosen {
			n = below.durable()
		}
		n.mode, n.inode = below.mode, below
		x[inside] = n
	}
}

// durable is a file's data without what is pending.
func (i *inode) durable() node {
	if i.sum == 0 {
		i.sum = maphash.Bytes(seed, i.data)
	}
	return node{data: i.data, sum: i.sum}
}

// holding is a file's data with some of what is pending.
func (i *inode) holding(writes []write) node {
	data := i.with(writes)
	return node{data: data, sum: maphash.Bytes(seed, data)}
}

// running adds to x what running programs see below a directory.
func (i *inode) running(path string, x tree) {
	for name, below := range i.names {
		inside := filepath.Join(path, name)
		x[inside] = node{mode: below.mode, data: below.with(below.writes)}
		below.running(inside, x)
	}
}

// eachPrefix goes through all combinations of how many pending moves of each
// directory are durable.
func (d *disk) eachPrefix(dirs []*inode, chosen map[*inode]int, each func(map[*inode]int)) {
	if len(dirs) == 0 {
		each(chosen)
		return
	}
	for n := range len(dirs[0].moves) + 1 {
		chosen[dirs[0]] = n
		d.eachPrefix(dirs[1:], chosen, each)
	}
}

func (d *disk) directories() []*inode {
	return d.find(func(i *inode) bool { return len(i.moves) > 0 })
}

// find returns what can still get a name: what has one, had one, or is to have one.
func (d *disk) find(wanted func(*inode) bool) []*inode {
	var found []*inode
	seen := map[*inode]bool{}
	var visit func(*inode)
	visit = func(i *inode) {
		if i == nil || seen[i] {
			return
		}
		seen[i] = true
		if wanted(i) {
			found = append(found, i)
		}
		for _, names := range []map[string]*inode{i.kept, i.names} {
			for _, name := range slices.Sorted(maps.Keys(names)) {
				visit(names[name])
			}
		}
		for _, m := range i.moves {
			visit(m.inode)
		}
	}
	visit(d.root)
	return found
}

// choice is what some files hold after a cut; the others hold what is durable.
type choice map[*inode]node

// pendingData lists the choices of what of the pending data is durable.
func (d *disk) pendingData() []choice {
	all, room := choice{}, choice{}
	dirty := d.find(func(i *inode) bool { return len(i.writes) > 0 && i.mode&fs.ModeDir == 0 })
	for _, i := range dirty {
		all[i], room[i] = i.holding(i.writes), i.holding(i.growth())
	}
	choices := []choice{all}
	if len(dirty) > 0 {
		choices = append(choices, choice{}, room)
	}
	but := func(i *inode, writes []write) {
		other := maps.Clone(all)
		other[i] = i.holding(writes)
		choices = append(choices, other)
	}
	for _, i := range dirty {
		for n, w := range i.writes {
			but(i, slices.Delete(slices.Clone(i.writes), n, n+1))
			choices = append(choices, choice{i: i.holding([]write{w})})
			if len(w.data) > sector {
				torn := slices.Clone(i.writes)
				torn[n].data = w.data[:(len(w.data)/2+sector-1)/sector*sector]
				but(i, torn)
			}
		}
	}
	return choices
}

// growth is the room at the end of the file that the pending writes need.
func (i *inode) growth() []write {
	var room []write
	for _, w := range i.writes {
		if start := max(w.at, len(i.data)); start < w.at+len(w.data) {
			room = append(room, write{at: start, data: make([]byte, w.at+len(w.data)-start)})
		}
	}
	return room
}
