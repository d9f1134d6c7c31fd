package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/place"
)

// Why an automatic copy was made.
const (
	BeforeMigration = "migration"
	BeforeRestore   = "restore"
)

// CopyLife is how long an automatic copy is kept. It may hold secrets that the
// registry holds no longer.
const CopyLife = 7 * 24 * time.Hour

// Copy is an automatic copy of a registry. It stands beside it as
// NAME.bak-WHY-INSTANT, such as sp.db.bak-migration-20261121T093000.000000Z; a
// copy of a damaged registry may have its journal beside it, NAME.bak-…-journal.
type Copy struct {
	// Path is where it is.
	Path string
	// Why is what was about to happen: BeforeMigration or BeforeRestore.
	Why string
	// Made is when it was made, by the clock of that day.
	Made time.Time
}

const (
	copyInfix   = ".bak-"
	copyInstant = "20060102T150405.000000Z"
	copyNew     = ".bak.new" // what a copy is called until it is whole
)

// Expired tells whether the time of the copy is over at now. One from far in the
// future was dated by a wrong clock; it would otherwise stay for years.
func (c Copy) Expired(now time.Time) bool {
	return now.Sub(c.Made).Abs() > CopyLife
}

// Copies lists the automatic copies of the registry at path, by their names.
func Copies(path string) ([]Copy, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var copies []Copy
	for _, entry := range entries {
		c, ok := parseCopy(path, withoutSide(entry.Name()))
		if twice := len(copies) > 0 && copies[len(copies)-1] == c; ok && !twice && entry.Type().IsRegular() {
			copies = append(copies, c) // also one that was killed between its journal and itself
		}
	}
	return copies, nil
}

// withoutSide is the name of the file beside which SQLite, or a copy, puts that one.
func withoutSide(name string) string {
	for _, side := range sides {
		if file, ok := strings.CutSuffix(name, side); ok {
			return file
		}
	}
	return name
}

// parseCopy reads the name of a copy. A name that is not exactly what copyPath
// writes is somebody else's file.
func parseCopy(path, name string) (Copy, bool) {
	rest, ok := strings.CutPrefix(name, filepath.Base(path)+copyInfix)
	why, instant, found := strings.Cut(rest, "-")
	if !ok || !found || why != BeforeMigration && why != BeforeRestore {
		return Copy{}, false
	}
	made, err := time.Parse(copyInstant, instant)
	c := Copy{Path: copyPath(path, why, made), Why: why, Made: made}
	return c, err == nil && filepath.Base(c.Path) == name
}

func copyPath(path, why string, made time.Time) string {
	return path + copyInfix + why + "-" + made.UTC().Format(copyInstant)
}

// RemoveCopies removes all automatic copies of the registry at path, and returns
// those that are gone. It needs no lock: a copy gets its name when it is whole.
func RemoveCopies(path string) ([]Copy, error) {
	return removeCopies(path, func(Copy) bool { return true })
}

func removeCopies(path string, which func(Copy) bool) (removed []Copy, err error) {
	copies, err := Copies(path)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, c := range copies {
		if !which(c) {
			continue
		}
		if err := removeWithJournal(c.Path); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, c)
	}
	if len(removed) > 0 {
		errs = append(errs, place.SyncDir(filepath.Dir(path)))
	}
	return removed, errors.Join(errs...)
}

// removeWithJournal removes a file of SQLite and what stands beside it, itself last:
// while anything is left of it, it is found.
func removeWithJournal(path string) error {
	for _, name := range []string{path + "-journal", path + "-wal", path + "-shm", path} {
		_, err := os.Lstat(name) // mostly there is none, and to remove that would take two calls
		if err == nil {
			err = os.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// sweep removes, under the lock, the copies whose time is over and what killed
// processes left half made. No change fails because of it: what stays is found by
// Copies, and tried again by the next one.
func sweep(path string, now time.Time) {
	_, _ = removeCopies(path, func(c Copy) bool { return c.Expired(now) })
	for _, left := range []string{path + copyNew, filepath.Join(filepath.Dir(path), newName)} {
		_ = removeWithJournal(left)
	}
}

// keepCopy makes an automatic copy of the registry at path, under the lock. It
// has its name when it is whole and durable.
func keepCopy(ctx context.Context, path, why string, now time.Time, wait time.Duration) (string, error) {
	made := path + copyNew
	if err := removeWithJournal(made); err != nil { // left by a process that was killed here
		return "", err
	}
	if err := makeFile(made); err != nil {
		return "", err
	}
	err := vacuumInto(ctx, path, made, wait)
	if err == nil {
		err = syncFile(made)
	}
	name := freeCopyPath(path, why, now)
	if err == nil {
		err = os.Rename(made, name)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("automatic copy before a %s: %w", why, err), removeWithJournal(made))
	}
	return name, place.SyncDir(filepath.Dir(path))
}

// freeCopyPath steps on while the instant is taken.
func freeCopyPath(path, why string, now time.Time) string {
	for {
		name := copyPath(path, why, now)
		if _, err := os.Lstat(name); err != nil {
			return name
		}
		now = now.Add(time.Microsecond)
	}
}

// vacuumInto writes what the registry at path holds to the empty file at to, which
// keeps its mode. It is a read of one instant, and leaves out what was deleted.
func vacuumInto(ctx context.Context, path, to string, wait time.Duration) (err error) {
	conn, err := sql.Open("sqlite", copyDSN(path, wait))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	_, err = conn.ExecContext(ctx, "VACUUM INTO ?", to)
	if err != nil && strings.Contains(err.Error(), "output file already exists") { // SQLite says so, too, where it can't see its size
		err = fmt.Errorf("%s: %w: it is not empty, or can't be looked at", to, ErrIO)
	}
	return err
}
