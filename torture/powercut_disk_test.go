package torture

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// disk is a file system that tells what is durable from what is only in the
// system's memory. Syncing a file makes its data durable, syncing a directory the
// names in it, and nothing does either by the way.
type disk struct{ root *inode }

// inode is a file or a directory. What is pending came after what is durable.
type inode struct {
	mode fs.FileMode

	data   []byte  // durable
	sum    uint64  // of data, where it is known
	writes []write // pending

	names map[string]*inode // as running programs see them
	kept  map[string]*inode // durable
	moves []move            // pending
}

// write puts data at an offset, or cuts the file there.
type write struct {
	at   int
	data []byte
	cut  bool
}

// move takes a name away, gives one, or both at once; other, unless nil, gets the name
// that is taken away.
type move struct {
	from, to     string
	inode, other *inode
}

func newDisk(x tree) *disk {
	d := &disk{root: directory(0o700 | fs.ModeDir)}
	for _, path := range x.paths() {
		n := x[path]
		made := &inode{mode: n.mode, data: n.data}
		if n.mode.IsDir() {
			made = directory(n.mode)
		}
		above := d.at(filepath.Dir(path))
		above.names[filepath.Base(path)], above.kept[filepath.Base(path)] = made, made
	}
	return d
}

func directory(mode fs.FileMode) *inode {
	return &inode{mode: mode, names: map[string]*inode{}, kept: map[string]*inode{}}
}

// at returns what has the path now, or nil.
func (d *disk) at(path string) *inode {
	here := d.root
	for _, name := range strings.Split(filepath.Clean(path), "/") {
		if name != "." && here != nil {
			here = here.names[name]
		}
	}
	return here
}

// name gives an inode a path, in the place of what has it.
func (d *disk) name(path string, i *inode) {
	above := d.at(filepath.Dir(path))
	above.names[filepath.Base(path)] = i
	above.moves = append(above.moves, move{to: filepath.Base(path), inode: i})
}

func (d *disk) unlink(path string) {
	above := d.at(filepath.Dir(path))
	delete(above.names, filepath.Base(path))
	above.moves = append(above.moves, move{from: filepath.Base(path)})
}

// rename is one move, for it is one in the journal of every file system in use; from
// one directory to another it is taken for two, of which the disk may keep either.
func (d *disk) rename(from, to string) {
	if filepath.Dir(from) != filepath.Dir(to) {
		d.name(to, d.at(from))
		d.unlink(from)
		return
	}
	above, i := d.at(filepath.Dir(from)), d.at(from)
	delete(above.names, filepath.Base(from))
	above.names[filepath.Base(to)] = i
	above.moves = append(above.moves, move{from: filepath.Base(from), to: filepath.Base(to), inode: i})
}

// swap is one move as well.
func (d *disk) swap(from, to string) error {
	i, other := d.at(from), d.at(to)
	if i == nil || other == nil {
		return fmt.Errorf("%s and %s change places, and one is not there", from, to)
	}
	if filepath.Dir(from) != filepath.Dir(to) {
		return fmt.Errorf("%s and %s change places, in two directories", from, to)
	}
	d.rename(from, to)
	above := d.at(filepath.Dir(from))
	above.names[filepath.Base(from)] = other
	above.moves[len(above.moves)-1].other = other
	return nil
}

func (i *inode) sync() {
	if len(i.writes) > 0 {
		i.data, i.sum, i.writes = i.with(i.writes), 0, nil
	}
	for _, m := range i.moves {
		m.apply(i.kept)
	}
	i.moves = nil
}

func (m move) apply(names map[string]*inode) {
	if m.from != "" {
		delete(names, m.from)
	}
	if m.to != "" {
		names[m.to] = m.inode
	}
	if m.other != nil {
		names[m.from] = m.other
	}
}

// size is that of the file as running programs see it.
func (i *inode) size() int { return len(i.with(i.writes)) }

// with returns the data with some of what is pending.
func (i *inode) with(writes []write) []byte {
	if len(writes) == 0 {
		return i.data
	}
	data := append([]byte(nil), i.data...)
	for _, w := range writes {
		data = w.apply(data)
	}
	return data
}

func (w write) apply(data []byte) []byte {
	end := w.at + len(w.data)
	if grown := end - len(data); grown > 0 {
		data = append(data, make([]byte, grown)...)
	}
	if w.cut {
		return data[:w.at]
	}
	copy(data[w.at:], w.data)
	return data
}
