package project

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/internal/place"
)

// takenPlaces are where files lie that a registry takes in, or writes over: those that follow it, and
// what a command that was killed kept of another program's tenants.json.
var takenPlaces = []string{
	"tenants.json", "secrets.json", "profiles/*/secrets.json", "sessions/index.json",
	".tenants.json.*.kept.tmp", ".tenants.json.old.*.tmp",
}

// EarlierFiles lists the files of the directory that a registry would take in, by their
// paths in it. Before one is made, they may be anybody's.
func (d Dir) EarlierFiles() (found []string, err error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	for _, place := range takenPlaces {
		paths, err := fs.Glob(root.FS(), place)
		if err != nil {
			return nil, err
		}
		found = append(found, paths...)
	}
	return found, nil
}

// SetAside gives files of the directory, by their paths in it, another name with this
// ending, and returns what puts them back.
func (d Dir) SetAside(paths []string, ending string) (back func() error, err error) {
	var moved []string
	back = func() error {
		var errs []error
		for _, path := range moved {
			errs = append(errs, moveNew(d.Full(path)+ending, d.Full(path)))
		}
		return errors.Join(errs...)
	}
	for _, path := range paths {
		if err := moveNew(d.Full(path), d.Full(path)+ending); err != nil {
			return nil, errors.Join(err, back())
		}
		moved = append(moved, path)
	}
	return back, nil
}

// moveNew renames a file, unless something has the new name by now.
func moveNew(from, to string) error {
	return errors.Join(place.MoveNew(from, to), place.SyncDir(filepath.Dir(to)))
}
