package place

import (
	"fmt"
	"strconv"
	"strings"
)

// Identity tells a file or directory from every other one that ever has the same path:
// by its inode and by when it was born. The inode alone does not, because a file system
// gives the number of a file that is gone to the next one. The zero Identity is unknown:
// the file system keeps no time of birth.
type Identity struct {
	// Inode is the file's number, Born its time of birth in nanoseconds since 1970.
	Inode uint64
	Born  int64
}

// Known tells whether there is an identity; an unknown one is the same as nothing.
func (i Identity) Known() bool { return i.Born != 0 }

// Is tells whether both are known and of the same file.
func (i Identity) Is(other Identity) bool { return i.Known() && i == other }

// String is the form in which an identity is recorded: "INODE:BORN", empty if unknown.
func (i Identity) String() string {
	if !i.Known() {
		return ""
	}
	return strconv.FormatUint(i.Inode, 10) + ":" + strconv.FormatInt(i.Born, 10)
}

// ParseIdentity reads what String writes.
func ParseIdentity(text string) (Identity, error) {
	if text == "" {
		return Identity{}, nil
	}
	inode, born, _ := strings.Cut(text, ":")
	i := Identity{}
	var err error
	if i.Inode, err = strconv.ParseUint(inode, 10, 64); err == nil {
		i.Born, err = strconv.ParseInt(born, 10, 64)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("identity %q: not INODE:BORN", text)
	}
	return i, nil
}
