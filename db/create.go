package db

import (
	"context"
	"database/sql"
	"errors"
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

// create makes a registry at path, with what seed puts in, under the lock. Where it belongs is
// recorded before it has its name.
func create(ctx context.Context, path string, o Options, seed func(context.Context, *sql.Tx) error) (made bool, err error) {
	dir := filepath.Dir(path)
	staged := filepath.Join(dir, newName)
	if err := removeWithJournal(staged); err != nil { // left by a process that was killed here
		return false, err
	}
	if err := checkNoJournal(path); err != nil {
		return false, err
	}
	if err := makeFile(staged); err != nil {
		return false, err
	}
	id, err := newID(o.Rand)
	if err == nil {
		err = fill(ctx, staged, id, seed)
	}
	if err == nil {
		err = syncFile(staged)
	}
	if err == nil {
		err = o.Trust.vouch(id, path, staged)
	}
	if err == nil {
		made, err = putInPlace(path, staged, placed{id: id}, nil)
	}
	if err != nil {
		err = errors.Join(err, removeWithJournal(staged))
	}
	return made, err
}

// putInPlace gives a registry that was made beside it the name at path, with a journal of its
// own, and tells whether it has it. What .place has said so far holds until then, too.
func putInPlace(path, made string, becomes placed, all []placed) (swapped bool, err error) {
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
	if err := os.Rename(made, path); err != nil {
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
