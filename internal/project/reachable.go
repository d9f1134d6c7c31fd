package project

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// secretPlaces are where secret files lie. What is deeper, such as the data of a
// database server, is not ours to look at.
var secretPlaces = []string{"*", "sessions/*", "docker/*", "profiles/*/*", "profiles/*/docker/*"}

// Loose is a secret file that is not only its owner's.
type Loose struct {
	// Path is relative to the directory.
	Path string
	Mode fs.FileMode
	// Owner is whose it is, and Names how many it has; Strange tells that it is not
	// this user's.
	Owner, Names int
	Strange      bool
}

// Readable tells whether group or others may do something with the file.
func (l Loose) Readable() bool { return l.Mode&0o077 != 0 }

// LooseSecrets lists the secret files that others can reach, that are another
// user's or that have a second name, but for sp.db, of which db knows more. An
// unfinished .gitignore holds no secret, and may be the finished one by another name.
func (d Dir) LooseSecrets() ([]Loose, error) {
	var loose []Loose
	err := d.eachFile(secretPlaces, func(path string, info fs.FileInfo) {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || path == "sp.db" || !isSecret(path) || isNumbered(path, ".gitignore.") {
			return
		}
		l := Loose{Path: path, Mode: info.Mode().Perm(), Owner: place.Owner(info), Names: int(stat.Nlink), Strange: !place.IsOwn(info)}
		if l.Strange || l.Readable() || l.Names > 1 {
			loose = append(loose, l)
		}
	})
	return loose, err
}

// eachFile calls fn for every regular file at the places, in order. It looks
// without opening, and follows no link out of the directory.
func (d Dir) eachFile(places []string, fn func(path string, info fs.FileInfo)) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, place := range places {
		found, err := fs.Glob(root.FS(), place)
		if err != nil {
			return err
		}
		slices.Sort(found)
		for _, path := range found {
			info, err := root.Lstat(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since
			}
			if err != nil {
				return err
			}
			if info.Mode().IsRegular() {
				fn(path, info)
			}
		}
	}
	return nil
}

// TightenFile takes from group and others what they may do with a file of the
// directory, by its path within it, of which no part may be a link. It works on the open
// file, so that nothing can be put in the place of what was checked.
func (d Dir) TightenFile(path string) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	file, info, err := open(root, path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return file.Chmod(info.Mode().Perm() &^ 0o077)
}

// ProfileFiles lists the paths of the profile.yaml files within the directory.
func (d Dir) ProfileFiles() ([]string, error) {
	var found []string
	err := d.eachFile([]string{"profiles/*/profile.yaml"}, func(path string, _ fs.FileInfo) { found = append(found, path) })
	return found, err
}
