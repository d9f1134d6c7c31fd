package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// present is what a backup takes the place of.
type present int

const (
	nothing present = iota
	whole           // as far as can be seen from outside
	remains         // of a registry, which do not even look like one
)

// classify says what is at path, and refuses what others may have made: only garbage
// can be taken for a registry that is damaged.
//
// What is not trusted counts as remains: it is copied, and SQLite is kept away from it. It
// returns what was found of the rest.
func classify(ctx context.Context, path string, t Trust) (present, acceptance, error) {
	found := acceptance{}
	info, _, err := checkFile(path)
	if err == nil {
		found, err = accept(ctx, path, t)
	}
	if err == nil {
		err = checkSafety(path, info, found)
	}
	if errors.Is(err, ErrForeign) { // garbage at the recorded place is what is left of what sp made there
		found, _ = accept(ctx, path, t) // what vouches for nothing is remains all the same
	}
	is, err := classified(path, err)
	return is, found, err
}

func classified(path string, err error) (present, error) {
	switch {
	case err == nil:
		return whole, nil
	case errors.Is(err, ErrUntrusted):
		return remains, nil
	case errors.Is(err, ErrMissing):
		return nothing, checkNoJournal(path)
	case errors.Is(err, ErrForeign):
		if isDatabase, looked := hasMagic(path); looked != nil || isDatabase {
			return nothing, errors.Join(err, looked)
		}
		return remains, nil
	default:
		return nothing, err
	}
}

// keep makes the automatic copy of what is replaced, and holds that against other
// writers, even those that take no lock, until it is replaced. What can't be read any
// more is copied as it is, with what lies beside it; SQLite is kept away from what does
// not look like a database, for it would roll a journal into it all the same.
func (r *Restoration) keep(ctx context.Context, replaced present, deadline time.Time) (err error) {
	if replaced == whole {
		held := r.hold(ctx, deadline)
		if err = held; err == nil || errors.Is(err, errOlder) {
			r.Kept, err = keepCopy(ctx, r.path, BeforeRestore, r.Now, time.Until(deadline))
		}
		if err == nil && held != nil {
			err = r.migrateReplaced(ctx, deadline)
		}
	}
	if replaced == remains || isDamage(err) || errors.Is(err, ErrUntrusted) {
		r.Kept, err = copyDamaged(r.path, r.Now)
	}
	return err
}

// migrateReplaced migrates what is replaced, as its next change would, once there is a copy of
// it, and holds it again: a query can't ask an older schema for what is new.
func (r *Restoration) migrateReplaced(ctx context.Context, deadline time.Time) error {
	err := errors.Join(r.Replaced.Rollback(), r.old.Close())
	r.Replaced, r.old = nil, nil
	if err == nil {
		err = migrate(ctx, r.path, time.Until(deadline))
	}
	if err != nil {
		return err
	}
	return r.hold(ctx, deadline)
}

// hold begins a transaction in what is replaced, of which nothing is written. It is errOlder
// if that has an older schema.
func (r *Restoration) hold(ctx context.Context, deadline time.Time) (err error) {
	if r.old, err = sql.Open("sqlite", writeDSN(r.path, time.Until(deadline), false)); err != nil {
		return err
	}
	r.old.SetMaxOpenConns(1)
	if r.Replaced, err = r.old.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		return err
	}
	checked := named(r.path, check(ctx, r.Replaced))
	if checked != nil && !errors.Is(checked, errOlder) {
		return checked
	}
	was, err := r.found.identify(ctx, r.path, r.Replaced, checked)
	if err != nil {
		return err
	}
	from := was.origins
	if r.ReplacedCopyOf = r.trust.copyOf(was, r.path); r.ReplacedCopyOf != "" {
		from = append(slices.Clip(from), origin{was.id, r.ReplacedCopyOf})
	}
	for _, o := range from { // its servers are known from then on, too
		if !slices.Contains(r.becomes.origins, o) {
			r.becomes.origins = append(slices.Clip(r.becomes.origins), o)
		}
	}
	return checked
}

// isDamage tells whether an error is of the file and not of the moment.
func isDamage(err error) bool {
	err = Explain(err)
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign)
}

// copyDamaged copies the file at path and what lies beside it, byte for byte; itself
// last, for by its name the copy is found.
func copyDamaged(path string, now time.Time) (string, error) {
	name := freeCopyPath(path, BeforeRestore, now)
	for _, side := range []string{"-journal", "-wal", ""} {
		if info, err := os.Lstat(path + side); side != "" && (errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0) {
			continue
		}
		err := copyFile(path+side, path+copyNew)
		if err == nil {
			err = os.Rename(path+copyNew, name+side)
		}
		if err != nil {
			return "", errors.Join(err, removeIfThere(path+copyNew), removeWithJournal(name))
		}
	}
	return name, place.SyncDir(filepath.Dir(path))
}

// copyFile copies a file, durably, to a new one that only its owner can reach.
func copyFile(from, to string) error {
	source, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it is only read
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, source)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// checkBackup checks that the file at path, which nobody else uses, is a whole
// registry that this program knows, and migrates it where it is older. Opening it lets
// SQLite roll back what lies beside it.
func checkBackup(ctx context.Context, path string) (err error) {
	if _, err := checkMark(path); err != nil {
		return err
	}
	conn, err := sql.Open("sqlite", stagedDSN(path, 0, false))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	if err := checkAll(ctx, conn); err != nil {
		return err
	}
	err = checkForm(ctx, conn)
	if errors.Is(err, errOlder) {
		if err = migrateOn(ctx, conn); err == nil {
			err = check(ctx, conn)
		}
	}
	if err == nil {
		err = checkStored(ctx, conn)
	}
	return err
}

// checkStored refuses a table with a column that is computed, which sp makes none of: what is shown
// of a stranger's registry before it is trusted could become something else with a later change.
func checkStored(ctx context.Context, conn rower) error {
	const ordinary = 0
	var computed int
	err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c WHERE s.type = 'table' AND c.hidden <> ?1", ordinary).Scan(&computed)
	if err == nil && computed > 0 {
		err = fmt.Errorf("%w: a column is computed", ErrDamaged)
	}
	return unreadable(err)
}
