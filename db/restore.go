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

// BackupError says why a backup can't be restored.
type BackupError struct {
	// Name is what the backup is called, Err what is wrong with it.
	Name string
	Err  error
}

func (e *BackupError) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *BackupError) Unwrap() error { return e.Err }

// Restoration is a backup that is about to take the place of the registry at a path.
// Like a Write it is a transaction, in the backup's copy, and holds the lock until
// Close.
type Restoration struct {
	*sql.Tx
	// Now is the instant of the restore.
	Now time.Time
	// Replaced reads what is replaced; nil where there is nothing, or nothing that can
	// be read.
	Replaced *sql.Tx
	// ReplacedCopyOf is the directory of the registry whose copy that is, if nothing was changed in
	// it since.
	ReplacedCopyOf string
	// Kept is the automatic copy of what is replaced; empty where there is nothing.
	Kept string
	// Stranger tells that nothing showed that the backup is this user's, but what was
	// claimed; Copied, that it becomes a registry beside the one that it is of.
	Stranger, Copied bool

	path, staged string
	becomes      placed     // the registry that it is from then on
	all          []placed   // what .place says
	found        acceptance // of what is replaced
	beside       *[]string  // the ids that the journal beside the backup holds; nil: nothing is played back
	copyOf       string     // the directory of the registry that the backup is of, beside which this one comes
	trust        Trust
	ctx          context.Context
	conn, old    *sql.DB
	lock         *Lock
	begun        bool // something of the registry is gone already
	swapped      bool
}

// Source is what is to be restored.
type Source struct {
	// Name is what errors call it.
	Name string
	// Copy writes the file itself, side being empty, or what SQLite left beside it
	// ("-journal", "-wal"), and tells whether there is such a thing.
	Copy func(side string, to io.Writer) (bool, error)
	// Own tells that it is the file itself in whose place it is put.
	Own bool
	// Claim is what its user says of it, should nothing show that it is his.
	Claim Claim
}

// Claim is what a user says of a registry of which nothing shows that it is his.
type Claim int

// What can be claimed.
const (
	Unclaimed Claim = iota // nothing; then it is ErrUntrusted
	Moved                  // it is the one that he worked with elsewhere, or with an older sp
	Copied                 // it is a copy, and the other one is still in use
)

// Restore prepares to put a backup in the place of the registry at path. The backup is
// copied beside it, checked whole, and migrated where it is older; what is there is
// kept as an automatic copy, whole or, if it is damaged, byte for byte. Until Commit
// nothing has changed. It refuses to replace what is not a registry, is unsafe, or was
// made by a newer program.
func Restore(ctx context.Context, path string, o Options, source Source) (_ *Restoration, err error) {
	deadline := in(o.Wait)
	r, replaced, err := stageBackup(ctx, path, o, source, deadline)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := r.claim(ctx, source, o.Rand); err != nil {
		return nil, err
	}
	if err := r.keep(ctx, replaced, deadline); err != nil {
		return nil, err
	}
	_, _ = removeCopies(path, func(c Copy) bool { return c.Expired(r.Now) }) // not before: the backup may be one of them
	return r, nil
}

// Look has fn read a backup that could be restored to path, in the copy that a restore would
// put there, and changes nothing. It tells whether nothing shows that it is this user's, and of which
// directory's registry it is a copy.
func Look(ctx context.Context, path string, o Options, source Source, fn func(tx *sql.Tx, stranger bool, copyOf string) error) (err error) {
	r, _, err := stageBackup(ctx, path, o, source, in(o.Wait))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	id, err := registryID(ctx, r.Tx)
	if err != nil {
		return err
	}
	was, stranger := r.known(id)
	return fn(r.Tx, stranger, r.trust.copyOf(was, r.path))
}

// stageBackup takes the lock, finds out what the backup would replace, and copies it beside that.
func stageBackup(ctx context.Context, path string, o Options, source Source, deadline time.Time) (_ *Restoration, replaced present, err error) {
	lock, err := o.acquire(ctx, filepath.Dir(path), unix.LOCK_EX, deadline)
	if err != nil {
		return nil, nothing, err
	}
	r := &Restoration{Now: o.Now(), path: path, staged: filepath.Join(filepath.Dir(path), newName), ctx: ctx, lock: lock, trust: o.Trust}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if replaced, r.found, err = classify(ctx, path, o.Trust); err != nil {
		return nil, replaced, err
	}
	if r.all, err = readPlace(path); err != nil {
		return nil, replaced, err
	}
	return r, replaced, r.stage(ctx, source, deadline)
}

// claim decides which registry the backup becomes. It stays the one that it is if that is the
// one that it replaces, or if there is a receipt for it and it is nowhere else.
func (r *Restoration) claim(ctx context.Context, source Source, random io.Reader) (err error) {
	was := placed{}
	if was.id, err = registryID(ctx, r.Tx); err != nil {
		return err
	}
	was, r.Stranger = r.known(was.id)
	r.copyOf = r.trust.copyOf(was, r.path)
	r.becomes, r.Copied = was, r.copyOf != "" || r.Stranger && source.Claim == Copied
	switch {
	case r.Stranger && source.Claim == Unclaimed:
		return untrusted(source.Name, "nothing on this machine shows that this registry is yours")
	case !r.Stranger && !r.Copied:
		return nil
	}
	r.becomes = placed{origins: was.origins}
	if r.copyOf != "" {
		r.becomes.origins = append(slices.Clip(was.origins), origin{was.id, r.copyOf})
	}
	if r.becomes.id, err = newID(random); err == nil {
		_, err = r.ExecContext(ctx, "UPDATE registry_meta SET registry_id = ?1", r.becomes.id)
	}
	return err
}

// Original returns the directory of the registry of which the backup is a copy; nothing where that is
// gone, or it is none.
func (r *Restoration) Original() string { return r.trust.original(r.becomes.origins, r.path) }

// known returns what is known of the registry of an id: where it is, and whether nothing shows
// that it is this user's, as where something was written into it that does not hold the id.
func (r *Restoration) known(id string) (_ placed, stranger bool) {
	was, stranger := r.registryOf(id)
	return was, stranger || r.beside != nil && !slices.Contains(*r.beside, id)
}

func (r *Restoration) registryOf(id string) (_ placed, stranger bool) {
	is := func(p placed) bool { return p.id == id && id != "" }
	if i := slices.IndexFunc(r.found.lines, is); i >= 0 {
		return r.found.lines[i], false
	}
	if dir := r.trust.receiptOf(id); dir != "" {
		return placed{id: id, dir: dir}, false
	}
	if i := slices.IndexFunc(r.all, is); i >= 0 { // which says at least where it was
		return r.all[i], !r.trust.Named
	}
	return placed{id: id}, true
}

// stage copies the backup beside the registry, checks it, and begins a transaction in it.
func (r *Restoration) stage(ctx context.Context, source Source, deadline time.Time) error {
	if err := removeWithJournal(r.staged); err != nil { // left by a process that was killed here
		return err
	}
	for _, side := range []string{"-journal", "-wal", ""} {
		if err := r.copySide(side, source); err != nil {
			return err
		}
	}
	if err := r.lookBeside(); err != nil {
		return err
	}
	err := checkBackup(ctx, r.staged)
	if isDamage(err) || errors.Is(err, ErrNewer) {
		err = &BackupError{Name: source.Name, Err: Explain(err)}
	}
	if err != nil {
		return err
	}
	if r.conn, err = sql.Open("sqlite", stagedDSN(r.staged, time.Until(deadline), true)); err != nil {
		return err
	}
	r.conn.SetMaxOpenConns(1)
	r.Tx, err = r.conn.BeginTx(context.WithoutCancel(ctx), nil)
	return err
}

// lookBeside finds out of which registries the journal beside the backup can be, before it is played
// back. What is in a log may be anybody's.
func (r *Restoration) lookBeside() error {
	if info, err := os.Lstat(r.staged + "-wal"); err == nil && info.Size() > 0 {
		r.beside = &[]string{}
	}
	info, err := os.Lstat(r.staged)
	if err != nil {
		return err
	}
	return readJournal(r.staged+journalSide, func(j *journal) error {
		var ids []string
		empty, err := j.isOf(func(id string) bool {
			ids = append(ids, id)
			return false
		}, info.Size())
		if !empty {
			r.beside = &ids
		}
		return err
	})
}

func (r *Restoration) copySide(side string, source Source) error {
	name := r.staged + side
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	there, err := source.Copy(side, file)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil && !there {
		err = os.Remove(name)
	}
	return err
}

// Commit puts the backup in the place of the registry, and tells whether it is there
// now: an error after that is of what is not certain. What lies beside the registry
// goes before the new one comes, or SQLite would roll it into that; nothing of it is
// needed, for it was rolled back, or kept with the copy of what is damaged.
func (r *Restoration) Commit() (bool, error) {
	if r.ctx.Err() != nil {
		return false, context.Cause(r.ctx)
	}
	if err := errors.Join(r.Tx.Commit(), r.conn.Close()); err != nil {
		return false, err
	}
	for _, side := range sides {
		if _, err := os.Lstat(r.staged + side); err == nil {
			return false, fmt.Errorf("%s: %w: it was left open", r.staged+side, ErrIO)
		}
	}
	if err := r.trust.vouch(r.becomes.id, r.path, r.staged); err != nil {
		return false, err
	}
	if err := r.swap(); err != nil {
		return r.swapped, r.told(err)
	}
	if r.copyOf != "" && r.trust.Moved != nil {
		r.trust.Moved(r.copyOf)
	}
	return true, nil
}

// swap removes what lies beside the registry, and then gives the new one its name.
// From the first of that on the copy is all that there is of what was there.
func (r *Restoration) swap() (err error) {
	r.begun = true
	for _, side := range sides {
		if err := removeIfThere(r.path + side); err != nil {
			return err
		}
	}
	if err := place.SyncDir(filepath.Dir(r.path)); err != nil {
		return err
	}
	r.swapped, err = putInPlace(r.path, r.staged, r.becomes, r.all, os.Rename)
	return err
}

func (r *Restoration) told(err error) error {
	if r.Kept == "" {
		return err
	}
	return fmt.Errorf("%w (what was there is kept: %s)", err, r.Kept)
}

// Close takes back what was not committed and releases the lock.
func (r *Restoration) Close() error {
	var errs []error
	for _, tx := range []*sql.Tx{r.Tx, r.Replaced} {
		if tx != nil {
			_ = tx.Rollback() // after a commit it does nothing; of the other nothing was written
		}
	}
	for _, conn := range []*sql.DB{r.conn, r.old} {
		if conn != nil {
			errs = append(errs, conn.Close())
		}
	}
	if !r.swapped {
		errs = append(errs, removeWithJournal(r.staged))
		if r.Kept != "" && !r.begun {
			errs = append(errs, removeWithJournal(r.Kept))
		}
	}
	r.lock.Unlock()
	return errors.Join(errs...)
}
