package torture

import (
	"fmt"
	"hash/maphash"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// node is a file or a directory of a tree; sum is of its data, where that is known, and
// what has the same inode, unless nil, is one file of several names.
type node struct {
	mode  fs.FileMode
	data  []byte
	sum   uint64
	inode *inode
}

// tree is all that is in a directory, by the paths from there, held in memory so
// that it can be laid out again and again.
type tree map[string]node

func readTree(dir string) (tree, error) {
	read := tree{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		n := node{mode: info.Mode()}
		if info.Mode().IsRegular() {
			n.data, err = os.ReadFile(path)
		}
		inside, _ := filepath.Rel(dir, path) // path is below dir
		read[inside] = n
		return err
	})
	return read, err
}

// paths lists what is in the tree, what is above before what is below.
func (x tree) paths() []string { return slices.Sorted(maps.Keys(x)) }

// layOut makes dir hold the tree and nothing else.
func (x tree) layOut(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	names := map[*inode]string{}
	for _, path := range x.paths() {
		full, n := filepath.Join(dir, path), x[path]
		other, named := names[n.inode]
		if n.inode != nil {
			names[n.inode] = full
		}
		switch {
		case named:
			err = os.Link(other, full)
		case n.mode.IsDir():
			err = os.Mkdir(full, n.mode.Perm())
		default:
			err = os.WriteFile(full, n.data, n.mode.Perm())
		}
		if err == nil {
			err = os.Chmod(full, n.mode.Perm()) // whatever the umask
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listing is the names and modes, one a line, without the automatic copies: those are
// kept for their days whether the command that made one was done or not.
func (x tree) listing() string {
	var b strings.Builder
	for _, path := range x.paths() {
		if !strings.Contains(path, "sp.db.bak-") {
			fmt.Fprintf(&b, "%v %s\n", x[path].mode, path)
		}
	}
	return b.String()
}

// exposed names what in the registry's directory or among the secrets others can
// reach. A .gitignore, finished or not, holds no secret and is meant to be shared.
func (x tree) exposed() []string {
	var found []string
	for _, path := range x.paths() {
		if mode := x[path].mode; mode.Perm()&0o077 != 0 && !x.isShared(path) {
			found = append(found, fmt.Sprintf("%v %s", mode, path))
		}
	}
	return found
}

// isShared tells what others may read: what is meant for git, and where it waits for its
// place it holds no secret.
func (x tree) isShared(path string) bool {
	base := filepath.Base(path)
	waits := strings.HasPrefix(base, ".file.") && !strings.Contains(string(x[path].data), canary)
	return isPublicName(base) || waits
}

var seed = maphash.MakeSeed()

// digest tells trees apart.
func (x tree) digest() uint64 {
	var sum maphash.Hash
	sum.SetSeed(seed)
	for _, path := range x.paths() {
		n := x[path]
		if n.sum == 0 {
			n.sum = maphash.Bytes(seed, n.data)
		}
		fmt.Fprintf(&sum, "%s\x00%v\x00%d\x00", path, n.mode, n.sum)
	}
	return sum.Sum64()
}
