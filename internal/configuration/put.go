package configuration

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
)

// fetched returns what a pull makes of differences. A profile.yaml that they don't have stays as long as
// the registry has the profile: it would be made anew.
func (t Tree) fetched(all []Difference) (fetched []Difference, kept []Left) {
	for _, d := range all {
		name, profile := archive.ProfileOf(d.Path)
		if _, known := t.Profiles[name]; profile && known && d.Theirs == "" {
			kept = append(kept, Left{d.Path, "it is not at the control plane, and the registry here has the profile"})
			continue
		}
		fetched = append(fetched, d)
	}
	return fetched, kept
}

// checkPlaces refuses a file that would be written through a link, or where something else than a
// file is.
func (t Tree) checkPlaces(all []Difference) error {
	for _, d := range all {
		if d.Theirs == "" {
			continue
		}
		if err := t.checkPlace(d.Path); err != nil {
			return err
		}
	}
	return nil
}

func (t Tree) checkPlace(file string) error {
	for at := path.Dir(file); at != "."; at = path.Dir(at) {
		info, err := os.Lstat(t.full(at + "/"))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		case err != nil:
			return err
		case !info.IsDir():
			return inTheWay(file, at, info)
		}
	}
	info, err := os.Lstat(t.full(file))
	if err == nil && !info.Mode().IsRegular() {
		return inTheWay(file, file, info)
	}
	return nil
}

func inTheWay(file, at string, info fs.FileInfo) error {
	return fmt.Errorf("%s can't be written: here, %s is %s (move it away): %w", file, at, kindOf(info.Mode()), registry.ErrConflict)
}

// put puts the files in place, those that go first, and tells whether it began to. What another program
// wrote meanwhile is kept.
func (t Tree) put(all []Difference, theirs []archive.File) (begun bool, err error) {
	texts := map[string][]byte{}
	for _, f := range theirs {
		texts[f.Path] = f.Text
	}
	var gone, come []place.Change
	for _, d := range all {
		c := place.Change{Path: t.full(d.Path), Expected: d.Ours, Shared: true}
		if d.Theirs == "" {
			gone = append(gone, c)
			continue
		}
		c.Text = append([]byte{}, texts[d.Path]...) // not nil, which removes
		come = append(come, c)
	}
	staged, err := place.Stage(nil, t.Dir.Full(directory), nil, append(gone, come...))
	if err != nil {
		return false, err
	}
	return true, errors.Join(t.makeDirectories(come), staged.Place())
}

// makeDirectories makes those of services/ that are missing, for others to read as the rest of the
// project, and durable before anybody remembers that there is something in them.
func (t Tree) makeDirectories(come []place.Change) error {
	root, err := os.OpenRoot(t.root())
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing was written to it
	above := map[string]bool{}
	for _, c := range come {
		inside, err := filepath.Rel(t.root(), filepath.Dir(c.Path))
		if err != nil {
			return err
		}
		for at := filepath.ToSlash(inside); strings.HasPrefix(at+"/", services+"/"); at = path.Dir(at) {
			above[at] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(above)) { // from above
		err := root.Mkdir(filepath.FromSlash(dir), 0o755)
		if err == nil {
			err = place.SyncDir(filepath.Dir(t.full(dir)))
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// recover removes what a command left that was killed while it put files in place, and keeps what it
// finds there of another program.
func (t Tree) recover(c comparison) error {
	names := place.Names{}
	var told error
	for _, file := range c.paths() {
		left, kept, err := place.Recover(names, t.full(file), nil, c.base[file], c.ours[file], c.theirs[file])
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if told = errors.Join(told, kept); err == nil {
			err = place.Sweep(left)
		}
		if err != nil {
			return err
		}
	}
	return told
}
