package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// CheckAbove refuses a place for a `.systemprompt` directory, an absolute path free
// of symbolic links above its end, where somebody else could take the directory away
// or put another one there, so that commands would talk to other databases than its
// owner thinks. As sshd's StrictModes does for keys: what is above it, up to home or
// the root, belongs to us or to root, and nobody else can write in it, unless it is
// sticky. What is missing will be made private, and passes. An empty home is none.
//
// Write access of a group is no harm if the group is root's, or is the private group
// of this user, as the umask 002 of many systems takes it for granted.
func CheckAbove(path, home string) error {
	if err := checkAbsolute(path); err != nil {
		return err
	}
	if actual, err := filepath.EvalSymlinks(home); err == nil {
		home = actual
	}
	var writable []string
	sudo := ""
	for up := filepath.Dir(filepath.Clean(path)); ; up = filepath.Dir(up) {
		info, err := os.Lstat(up)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !place.IsOwn(info) && place.Owner(info) != 0:
			return unsafe(up, fmt.Sprintf("it belongs to user %d, who can replace what is in it", place.Owner(info)),
				"run as that user, or keep the registry elsewhere: --dir DIRECTORY")
		case isWritableByOthers(info):
			writable = append([]string{up}, writable...)
			if !place.IsOwn(info) {
				sudo = "sudo "
			}
		}
		if up == filepath.Dir(up) || up == home {
			break
		}
	}
	return refuseWritable(writable, sudo)
}

func refuseWritable(dirs []string, sudo string) error {
	if len(dirs) == 0 {
		return nil
	}
	command := sudo + "chmod go-w"
	for _, dir := range dirs {
		command += " " + Quoted(dir)
	}
	return unsafe(dirs[0], "others can write in it, and so replace what is in it", command+", or keep the registry elsewhere: --dir DIRECTORY")
}

func isWritableByOthers(info fs.FileInfo) bool {
	mode := info.Mode()
	return mode&fs.ModeSticky == 0 && (mode.Perm()&0o002 != 0 || mode.Perm()&0o020 != 0 && !isPrivateGroup(info))
}

// isPrivateGroup tells whether nobody but us and root is in the group of a file, by
// the convention that a user's own group has the user's number. Who is in it is not
// looked up: whoever was put there by hand was meant to be.
func isPrivateGroup(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Gid == 0 || int(stat.Gid) == os.Getegid() && os.Getegid() == os.Geteuid())
}

// Quoted writes a word, such as a path, so that a shell takes it literally.
func Quoted(word string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
