package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// newName is where a registry is made before it gets its own name, so that a
// registry that is there is a whole one.
const newName = "sp.db.new"

// Create makes the file at path, an absolute path, with the newest schema and
// what seed puts in; a registry that is there already is opened as it is. That
// holds for many processes at once: one makes it, all open it. It tells whether
// it made it, also beside an error.
func Create(ctx context.Context, path string, o Options, seed func(context.Context, *sql.Tx) error) (d *DB, made bool, err error) {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		if made, err = createUnlessThere(ctx, path, o, seed); err != nil {
			return nil, made, err
		}
	}
	d, err = Open(ctx, path, o)
	return d, made, err
}

func createUnlessThere(ctx context.Context, path string, o Options, seed func(context.Context, *sql.Tx) error) (made bool, err error) {
	lock, err := o.acquire(ctx, filepath.Dir(path), unix.LOCK_EX, in(o.Wait))
	if err != nil {
		return false, err
	}
	defer lock.Unlock() // before Open, which may queue on it
	if _, missing := os.Lstat(path); !errors.Is(missing, os.ErrNotExist) {
		return false, nil
	}
	return create(ctx, path, o, seed)
}

// create makes a registry at path, with what seed puts in, under the lock.
func create(ctx context.Context, path string, o Options, seed func(context.Context, *sql.Tx) error) (made bool, err error) {
	staged, err := stage(ctx, path, o, seed)
	if err == nil {
		made, err = staged.place(o.Trust)
	}
	return made, err
}

// stagedNew is a new registry before it has its name.
type stagedNew struct{ file, path, id string }

// stage makes a new registry beside the place at path, which nothing follows yet.
func stage(ctx context.Context, path string, o Options, seed func(context.Context, *sql.Tx) error) (s stagedNew, err error) {
	s = stagedNew{file: filepath.Join(filepath.Dir(path), newName), path: path}
	if err := removeWithJournal(s.file); err != nil { // left by a process that was killed here
		return s, err
	}
	if err := checkNoJournal(path); err != nil {
		return s, err
	}
	if err := makeFile(s.file); err != nil {
		return s, err
	}
	if s.id, err = newID(o.Rand); err == nil {
		err = fill(ctx, s.file, s.id, seed)
	}
	if err != nil {
		err = errors.Join(err, removeWithJournal(s.file))
	}
	return s, err
}

// place gives a new registry its name, and tells whether it has it, also beside an error. Where it
// belongs is recorded before.
func (s stagedNew) place(t Trust) (done bool, err error) {
	if err = syncFile(s.file); err == nil {
		err = t.vouch(s.id, s.path, s.file)
	}
	if err == nil {
		if _, missing := os.Lstat(s.path); !errors.Is(missing, os.ErrNotExist) { // nothing is to be replaced
			err = fmt.Errorf("%s: %w", s.path, ErrReplaced)
		}
	}
	if err == nil {
		done, err = putInPlace(s.path, s.file, placed{id: s.id}, nil, place.MoveNew)
	}
	if err != nil && !done {
		err = errors.Join(err, removeWithJournal(s.file))
	}
	return done, err
}

// putInPlace gives a registry that was made beside it the name at path, with a journal of its
// own, and tells whether it has it. What .place has said so far holds until then, too.
func putInPlace(path, made string, becomes placed, all []placed, rename func(from, to string) error) (swapped bool, err error) {
	if err := removeIfThere(path + journalSide); err != nil {
		return false, err
	}
	if err := makeFile(path + journalSide); err != nil {
		return false, err
	}
	here, err := placeOf(path, made)
	if err != nil {
		return false, err
	}
	here.id, here.origins = becomes.id, becomes.origins
	if err := writePlace(path, append(slices.Clip(all), here)...); err != nil {
		return false, err
	}
	if err := rename(made, path); err != nil {
		return false, err
	}
	if err := place.SyncDir(filepath.Dir(path)); err != nil || len(all) == 0 {
		return true, err
	}
	return true, writePlace(path, here)
}

// fill makes a registry of an empty file. Nothing of it needs to be durable before it
// is whole.
func fill(ctx context.Context, path, id string, seed func(context.Context, *sql.Tx) error) (err error) {
	conn, err := sql.Open("sqlite", newDSN(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	if err := migrateOn(ctx, conn); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := seed(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE registry_meta SET registry_id = ?1", id); err != nil {
		return err
	}
	return tx.Commit()
}
