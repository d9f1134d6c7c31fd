package place

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Permit is what gives a user the use of an absolute path that the system refuses: a command, or
// whose it is. It is empty where nothing on the way is in the way any more. quoted writes a path so
// that a shell takes it literally.
func Permit(path string, quoted func(string) string) string {
	barred, info := barred(path)
	switch {
	case info == nil:
		return ""
	case !IsOwn(info):
		return fmt.Sprintf("%s belongs to user %d: run as that user, or ask for it", barred, Owner(info))
	case info.IsDir():
		return "chmod u+rwx " + quoted(barred)
	}
	return "chmod u+rw " + quoted(barred)
}

// barred returns the first on the way to a path that this user can't use: a directory that can't be
// entered, or what stands at its end; where nothing stands there, the directory that it would be made in.
func barred(path string) (string, os.FileInfo) {
	at := "/"
	for _, name := range strings.Split(filepath.Clean(path), "/")[1:] {
		if err := unix.Access(at, unix.X_OK); err != nil {
			break
		}
		next := filepath.Join(at, name)
		if _, err := os.Stat(next); errors.Is(err, os.ErrNotExist) {
			break
		}
		at = next
	}
	if unix.Access(at, unix.R_OK|unix.W_OK) == nil {
		at = filepath.Dir(at) // in which it may not be replaced
	}
	if unix.Access(at, unix.R_OK|unix.W_OK) == nil {
		return "", nil
	}
	info, err := os.Stat(at)
	if err != nil {
		return "", nil
	}
	return at, info
}
