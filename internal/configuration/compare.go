package configuration

import (
	"maps"
	"slices"

	"github.com/sp-registry/sp/internal/archive"
)

// Side is whose a change is.
type Side int

// The sides.
const (
	Neither Side = iota
	Ours         // the project's
	Theirs       // the control plane's
	Both
)

// Base is what both sides held of each file when they last agreed on it: its SHA-256, by its path. An
// empty Base knows nothing: then each file that both sides have and that differs is changed by both.
type Base map[string]string

// Difference is a file that the two sides hold differently.
type Difference struct {
	Path string
	// Ours and Theirs are the SHA-256 of what each side holds, empty for no file.
	Ours, Theirs string
	// Changed is who changed it since they agreed, or whose file counts.
	Changed Side
	// Overrules tells that the other side changed it, and that this is lost.
	Overrules bool
}

// hashes returns the SHA-256 of each file by its path, but of those that are left out.
func hashes(files []archive.File, out leftOut) map[string]string {
	found := map[string]string{}
	for _, f := range files {
		if !out.has(f.Path) {
			found[f.Path] = archive.Hash(f.Text)
		}
	}
	return found
}

// compare lists the differences by their paths.
func compare(base Base, ours, theirs map[string]string) (all []Difference) {
	for _, path := range paths(ours, theirs) {
		d := Difference{Path: path, Ours: ours[path], Theirs: theirs[path]}
		switch {
		case d.Ours == d.Theirs:
			continue
		case d.Theirs == base[path]:
			d.Changed = Ours
		case d.Ours == base[path]:
			d.Changed = Theirs
		default:
			d.Changed = Both
		}
		all = append(all, d)
	}
	return all
}

// paths lists what either side has.
func paths(ours, theirs map[string]string) []string {
	both := maps.Clone(ours)
	maps.Copy(both, theirs)
	return slices.Sorted(maps.Keys(both))
}

// settle has a side decide. If it is the state of that side that moves, it counts for every file. Else what
// both sides changed stays as it is, and goes on being changed by both; if no side decides, that is a
// conflict.
func settle(all []Difference, side, moving Side) (settled []Difference, both []string) {
	for _, d := range all {
		if side == moving && d.Changed != side {
			d.Changed, d.Overrules = side, true
		}
		if d.Changed == Both {
			both = append(both, d.Path)
			continue
		}
		settled = append(settled, d)
	}
	return settled, both
}

// agreed returns the base when the sides hold these: what they hold alike, and of what differs what was
// known before.
func (b Base) agreed(ours, theirs map[string]string, out leftOut) Base {
	next := Base{}
	for path, hash := range b {
		if out.has(path) || ours[path] != theirs[path] {
			next[path] = hash
		}
	}
	for path, hash := range ours {
		if theirs[path] == hash {
			next[path] = hash
		}
	}
	maps.DeleteFunc(next, func(_, hash string) bool { return hash == "" })
	return next
}
