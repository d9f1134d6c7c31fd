package project

import (
	"io/fs"
	"os"
	"time"

	identity "github.com/sp-registry/sp/internal/place"
)

// Search returns what Find does, and also a directory that others can write in:
// for those who look at what is wrong with it.
func Search(start string) (Dir, error) { return find(start, Locate) }

// Locate returns what At does, and also a directory that others can write in.
func Locate(path string) (Dir, error) {
	d, _, err := locate(path)
	if err != nil {
		return Dir{}, err
	}
	return d, nil
}

// Mode returns the permissions of the directory.
func (d Dir) Mode() (fs.FileMode, error) {
	info, err := os.Lstat(d.path)
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

// Since returns when the directory was made; nothing where the file system does not tell.
func (d Dir) Since() (time.Time, error) {
	of, err := identity.IdentityOf(d.path)
	if err != nil || !of.Known() {
		return time.Time{}, err
	}
	return time.Unix(0, of.Born), nil
}

// Tighten takes from group and others what they may do in the directory.
func (d Dir) Tighten() error {
	_, err := d.tighten()
	return err
}

// InWorkTree tells whether the directory looks like a part of a git work tree.
func (d Dir) InWorkTree() bool { return inWorkTree(d.path) }
