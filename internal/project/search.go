package project

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Search returns what Find does, and also a directory that others can write in:
// for those who look at what is wrong with it.
func Search(start string) (Dir, error) { return find(start, Locate) }

// Locate returns what At does, and also a directory that others can write in.
func Locate(path string) (Dir, error) {
	actual, _, err := locate(path)
	if err != nil {
		return Dir{}, err
	}
	return Dir{path: actual}, nil
}

// Mode returns the permissions of the directory.
func (d Dir) Mode() (fs.FileMode, error) {
	info, err := os.Lstat(d.path)
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

// Tighten takes from group and others what they may do in the directory.
func (d Dir) Tighten() error {
	_, err := d.tighten()
	return err
}

// InWorkTree tells whether the directory looks like a part of a git work tree.
func (d Dir) InWorkTree() bool { return inWorkTree(d.path) }

// Parent is a directory above whose owner or mode lets somebody put another
// directory in the place of ours.
type Parent struct {
	Path string
	// Owner is whose it is, Mode what others may do.
	Owner int
	Mode  fs.FileMode
	// Strange tells that Owner is neither this user nor root, Loose that others can
	// write in it, and so rename what is in it.
	Strange, Loose bool
}

// Parents returns those of the directories above that are not safe.
func (d Dir) Parents() ([]Parent, error) {
	var unsafe []Parent
	for up := filepath.Dir(d.path); ; up = filepath.Dir(up) {
		info, err := os.Lstat(up)
		if err != nil {
			return unsafe, err
		}
		p := Parent{Path: up, Owner: owner(info), Mode: info.Mode().Perm()}
		p.Strange = p.Owner != os.Geteuid() && p.Owner != 0
		p.Loose = isLoose(info)
		if p.Strange || p.Loose {
			unsafe = append(unsafe, p)
		}
		if up == filepath.Dir(up) {
			return unsafe, nil
		}
	}
}

// isLoose tells whether others can rename what is in a directory. Of a group that
// has the number of its user it is taken that it has no other member, as most
// systems make them.
func isLoose(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode()
	switch {
	case mode&fs.ModeSticky != 0:
		return false
	case mode&0o002 != 0:
		return true
	}
	return mode&0o020 != 0 && !(ok && stat.Gid == stat.Uid)
}
