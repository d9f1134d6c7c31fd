package postgres

import (
	"errors"
	"os"
	"path/filepath"
)

// RootBase is above the data of root's servers: whoever they run as gets there.
const RootBase = "/var/lib/sp"

// MakeBase makes a directory for the data of servers, with what is missing above it, for this user alone. For
// root, others get through it: those as whom the programs run.
func MakeBase(dir string) error {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, os.ErrNotExist) {
			break
		}
		missing = append(missing, at)
	}
	err := os.MkdirAll(dir, 0o700)
	if os.Geteuid() != 0 || err != nil {
		return err
	}
	for _, made := range missing {
		err = errors.Join(err, os.Chmod(made, 0o711))
	}
	return err
}
