package history

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/workspace"
	"golang.org/x/sys/unix"
)

// createUnfinished makes the temporary file of a backup to path, locked as long as it
// is open: that is how sweepBackups knows it from what a killed command left. It is noted
// in the registry's directory.
func createUnfinished(dir project.Dir, path string) (*os.File, *place.Outside, error) {
	for {
		file, outside, err := place.CreateOutside(dir.Path(), path, workspace.BackupSuffix)
		if err != nil {
			return nil, nil, err
		}
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && checkSame(file) == nil {
			return file, outside, nil
		}
		_ = file.Close() // swept before it was locked: the sweep has removed it, or will
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, nil, errors.Join(err, os.Remove(file.Name()), outside.End())
		}
		_ = outside.End() // what stays of it is swept
	}
}

// sweepBackups removes what killed commands left in the directory of path, whatever
// registry it is of: each may be all of its secrets.
func sweepBackups(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && isUnfinished(entry.Name()) {
			sweepBackup(filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
}

// isUnfinished tells of a name whether createUnfinished gave it.
func isUnfinished(name string) bool {
	rest, ok := strings.CutSuffix(name, workspace.BackupSuffix)
	_, err := strconv.ParseUint(strings.TrimPrefix(filepath.Ext(rest), "."), 10, 64)
	return ok && err == nil && strings.HasPrefix(name, ".")
}

func sweepBackup(name string) {
	file, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err == nil && place.IsOwn(info) && unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = removeUnfinished(name) // what stays is tried again by the next backup
	}
}

// removeUnfinished removes the file and, first, the journal that SQLite may have left
// beside it: while anything is left of it, it is found.
func removeUnfinished(name string) error {
	err := os.Remove(name + "-journal")
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) { // it has its own name by now
		return nil
	}
	return err
}
