package db

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/place"
	"golang.org/x/sys/unix"
)

// ErrUntrusted is returned for a registry, or a file beside it, of which nothing shows
// that it is this user's. Nothing in it was read.
var ErrUntrusted = errors.New("not trusted")

// ErrUnrecorded is returned where nothing could ever show that a registry is this user's: its file
// system keeps no time of birth, and there is nowhere to keep a receipt. It is ErrUntrusted, too.
var ErrUnrecorded = fmt.Errorf("%w: its file system keeps no time of birth, and there is no place for a receipt", ErrUntrusted)

// Trust is what, beside its place, vouches for a registry. One that came with a clone, a
// pull, an archive or a copy has the right owner and the right mode, too.
type Trust struct {
	// Receipts tells the directory of this user's receipts, an absolute path; empty, or
	// nil, where there can be none. A receipt is called after the SHA-256 of a registry's
	// id, and holds the path of its directory.
	Receipts func() string
	// Named tells that the environment names this registry as trusted.
	Named bool
	// Tracked tells which files in the registry's directory git tracks, by their names;
	// nil: none. It is asked only where the place is not the recorded one.
	Tracked func(ctx context.Context, names ...string) ([]string, error)
	// Moved, if not nil, is told of a change that finds its registry at another place than
	// the recorded one. From is the directory whose copy it is; empty: it was moved.
	Moved func(from string)
}

// acceptance is what is known of a registry that was accepted before it was opened.
type acceptance struct {
	all   []placed // what .place says
	lines []placed // of these, what vouches for it
	any   bool     // whatever its id is: the environment names it, and there is no .place

	said    place.Identity // of .place itself
	journal fs.FileInfo    // nil if there is none
}

// accept looks, before SQLite opens the file at path, whether that and its journal are
// this user's. The place that .place records tells the file that sp made from every copy
// of it. Where that differs, as after a move to another disk, a receipt does, unless git
// could have put the file there.
func accept(ctx context.Context, path string, t Trust) (a acceptance, err error) {
	if a.said, err = place.IdentityOf(placePath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return a, denied(placePath(path), err)
	}
	if a.all, err = readPlace(path); err != nil {
		return a, err
	}
	file, err := place.IdentityOf(path)
	if err != nil {
		return a, err
	}
	isHere := func(p placed) bool { return p.file.Is(file) }
	switch here := slices.ContainsFunc(a.all, isHere); {
	case here && len(a.all) == 1:
		a.lines = a.all
	case t.Named:
		a.lines, a.any = a.all, len(a.all) == 0
	default:
		a.lines, err = t.vouched(ctx, path, a.all, isHere)
	}
	if err != nil {
		return a, err
	}
	if a.journal, err = os.Lstat(path + journalSide); err != nil {
		a.journal = nil // or it can't be looked at, as SQLite will find
		return a, nil
	}
	return a, t.acceptJournal(ctx, path, a.journal, a.lines, isHere)
}

// vouched returns the lines of .place whose file is here, or for whose id there is a receipt.
func (t Trust) vouched(ctx context.Context, path string, all []placed, isHere func(placed) bool) ([]placed, error) {
	var here, known []placed
	for _, p := range all {
		switch {
		case isHere(p):
			here = append(here, p)
		case t.hasReceipt(p.id):
			known = append(known, p)
		}
	}
	if len(known) > 0 {
		if err := t.checkUntracked(ctx, path, "sp.db", "sp.db-journal", "sp.db-wal", "sp.db-shm"); err == nil {
			here = append(here, known...)
		} else if len(here) == 0 {
			return nil, err
		}
	}
	switch {
	case len(here) > 0:
		return here, nil
	case len(all) == 0:
		return nil, untrusted(path, "nothing shows that it is yours: it came with a clone, an archive or a copy, or an older sp made it")
	}
	return nil, untrusted(path, "it was put here by something else than sp, and nothing on this machine shows that it is yours")
}

// checkUntracked refuses files that git tracks: whoever can push can have changed them.
func (t Trust) checkUntracked(ctx context.Context, path string, names ...string) error {
	if t.Tracked == nil {
		return nil
	}
	tracked, err := t.Tracked(ctx, names...)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return untrusted(path, fmt.Sprintf("it is not where sp made it, and git does not say whether it tracks it (%v)", err))
	case len(tracked) > 0:
		return untrusted(filepath.Join(filepath.Dir(path), tracked[0]), "git tracks it, so whoever can push can have changed it")
	}
	return nil
}

// acceptJournal looks at what SQLite would roll back into the file: what sp writes is always in
// the journal that is recorded. While nothing is in it, it may be anybody's.
func (t Trust) acceptJournal(ctx context.Context, path string, info fs.FileInfo, lines []placed, isHere func(placed) bool) error {
	name := path + journalSide
	if info.Size() == 0 || checkPlain(name, info) != nil {
		return nil // of which checkSafety tells
	}
	found, err := place.IdentityOf(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil // rolled back meanwhile
	}
	if err != nil {
		return denied(name, err)
	}
	err = readJournal(name, func(j *journal) error { return checkJournal(name, path, j, lines) })
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(lines, func(p placed) bool { return p.journal.Is(found) }):
		return nil
	case slices.ContainsFunc(lines, isHere) && !t.Named: // so the journal would be the recorded one, if sp had made it
		return untrusted(name, "it is not the journal that sp made, and SQLite would write it into the registry")
	}
	return t.checkUntracked(ctx, path, filepath.Base(name))
}

// checkJournal refuses a journal that is none of the registry at path, also where it was written
// over the one that sp made. Of a registry without an id that can't be told.
func checkJournal(name, path string, j *journal, lines []placed) error {
	another, err := j.namesAnother()
	if err != nil || another {
		return cmp.Or(err, untrusted(name, "it names another journal, as none of sp's does"))
	}
	ids := map[string]bool{}
	for _, p := range lines {
		if p.id == "" {
			return nil
		}
		ids[p.id] = true
	}
	info, err := os.Lstat(path)
	if err != nil || len(ids) == 0 {
		return err
	}
	is, err := j.isOf(func(id string) bool { return ids[id] }, info.Size())
	if err == nil && !is {
		err = untrusted(name, fmt.Sprintf("it does not belong to this registry, and SQLite would write it into that (if it is of sqlite3, which was stopped in the middle of a change: sqlite3 %s .tables takes that back)", quoted(path)))
	}
	return err
}

// IsOwnJournal tells whether the journal beside the registry at path is of a change of it that was
// interrupted, by the id that .place has: without it, half of that change would stay.
func IsOwnJournal(path string) (own bool, err error) {
	lines, err := readPlace(path)
	lines = slices.DeleteFunc(lines, func(p placed) bool { return p.id == "" })
	if err != nil || len(lines) == 0 {
		return false, err
	}
	name := path + journalSide
	if info, err := os.Lstat(name); err != nil || checkPlain(name, info) != nil {
		return false, nil
	}
	err = readJournal(name, func(j *journal) error {
		own = true
		return checkJournal(name, path, j, lines)
	})
	if errors.Is(err, ErrUntrusted) {
		return false, nil
	}
	return own && err == nil, err
}

// checkID refuses a file that is another registry than the one that was accepted. It
// returns the line of .place that is its own.
func (a acceptance) checkID(path, id string) (placed, error) {
	for _, p := range a.lines {
		if p.id == id {
			return p, nil
		}
	}
	if a.any {
		return placed{id: id, dir: filepath.Dir(path)}, nil
	}
	return placed{}, untrusted(path, "it is another registry than the one that sp made here")
}

// identify finds out which registry the file is, in the transaction that reads it, where
// checking it ended with checked: of a file that is damaged, busy or newer nobody asks. One of an
// older schema may have no id.
func (a acceptance) identify(ctx context.Context, path string, tx rower, checked error) (placed, error) {
	older := errors.Is(checked, errOlder)
	if checked != nil && !older {
		return placed{}, nil
	}
	id, err := registryID(ctx, tx)
	missing := errors.Is(err, ErrDamaged)
	if err != nil && !older && !missing {
		return placed{}, unreadable(err)
	}
	p, refused := a.checkID(path, id)
	if refused != nil && missing {
		refused = named(path, err)
	}
	return p, refused
}

func registryID(ctx context.Context, tx rower) (id string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT registry_id FROM registry_meta").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: it has no row of its own", ErrDamaged)
	}
	return id, err
}

// copyOf returns the directory of the registry whose copy the one at path is: the one that is
// recorded or, if that moved, the one that its receipt names, where a registry of the same id is still
// there, in another file.
func (t Trust) copyOf(p placed, path string) string {
	if p.dir == filepath.Dir(path) {
		return ""
	}
	return t.isElsewhere(p, path)
}

func (t Trust) isElsewhere(p placed, path string) string {
	if p.id == "" {
		return ""
	}
	if p.dir != "" && p.isAt(p.dir, path) {
		return p.dir
	}
	if went := t.receiptOf(p.id); went != "" && p.isAt(went, path) {
		return went
	}
	return ""
}

// isAt tells whether the registry of p's id is in dir, in another file than the one at path,
// which may not be there yet.
func (p placed) isAt(dir, path string) bool {
	there := filepath.Join(dir, filepath.Base(path))
	other, err := os.Lstat(there)
	if err != nil {
		return false
	}
	if info, err := os.Lstat(path); err == nil && os.SameFile(info, other) {
		return false
	}
	lines, err := readPlace(there)
	return err == nil && slices.ContainsFunc(lines, func(line placed) bool { return line.id == p.id })
}

// original returns the directory of the first of these registries that is still there, in another
// file than the one at path: where it was, be it that it is called otherwise by now, or
// where its receipt says that it went.
func (t Trust) original(origins []origin, path string) string {
	for _, o := range origins {
		other, err := os.Lstat(filepath.Join(o.dir, filepath.Base(path)))
		if err == nil {
			if info, err := os.Lstat(path); err != nil || !os.SameFile(info, other) {
				return o.dir
			}
		}
		if went := t.isElsewhere(placed{id: o.id}, path); went != "" {
			return went
		}
	}
	return ""
}

// newID is a secret, random name for a registry.
func newID(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	id := make([]byte, 32)
	_, err := io.ReadFull(random, id)
	return hex.EncodeToString(id), err
}

func isRegistryID(id string) bool {
	return len(id) == 64 && strings.Trim(id, "0123456789abcdef") == ""
}

// receipt returns the path of the receipt for the id; nothing where there can be none.
func (t Trust) receipt(id string) string {
	if t.Receipts == nil || id == "" {
		return ""
	}
	dir := t.Receipts()
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(dir, hex.EncodeToString(sum[:]))
}

// hasReceipt tells whether this user has a receipt for the id.
func (t Trust) hasReceipt(id string) bool {
	path := t.receipt(id)
	if path == "" {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && isPlain(info)
}

// receiptOf returns the directory that the receipt for the id names; nothing without one.
func (t Trust) receiptOf(id string) string {
	if !t.hasReceipt(id) {
		return ""
	}
	file, err := os.OpenFile(t.receipt(id), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := readStart(file, maxPlace)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(text, "\n")
}

// giveReceipt leaves a receipt that the registry of the id lies in dir. Where there can be
// none, the place alone vouches for it; nothing is made in a home that is not there.
func (t Trust) giveReceipt(id, dir string) {
	path := t.receipt(id)
	if path == "" || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".*.tmp")
	if err != nil {
		return
	}
	_, err = file.WriteString(dir + "\n")
	if errors.Join(err, file.Close()) != nil || os.Rename(file.Name(), path) != nil {
		_ = os.Remove(file.Name())
	}
}

// vouch leaves a receipt that the registry of the id, which is at made so far, is the one at path, and
// refuses where neither that nor its place will show it: it could not be used again.
func (t Trust) vouch(id, path, made string) error {
	t.giveReceipt(id, filepath.Dir(path))
	here, err := place.IdentityOf(made)
	if err == nil && !here.Known() && !t.Named && !t.hasReceipt(id) {
		err = fmt.Errorf("%s: %w", path, ErrUnrecorded)
	}
	return err
}

func untrusted(path, why string) error {
	return fmt.Errorf("%s: %w: %s", path, ErrUntrusted, why)
}

// settled is where a change finds its registry, once that is recorded.
type settled struct {
	id      string // another one that the registry gets with the change, if not empty
	copyOf  string
	origins []origin
}

// settle records, under the lock and before anything is written to the file at path,
// where that and its journal lie, and makes the journal where it is missing: who rolls back a
// change that was interrupted removes it, because SQLite does that before it can be told otherwise.
// Known is what was recorded. A change gives a registry that has none an id, and another one to a
// copy; until it is committed both are recorded.
func settle(path string, known placed, all []placed, t Trust, change bool, random io.Reader) (s settled, err error) {
	if err := makeJournal(path); err != nil {
		return s, err
	}
	here, err := placeOf(path, path)
	if err != nil {
		return s, err
	}
	here.id, here.origins = known.id, known.origins
	if s.copyOf = t.copyOf(known, path); s.copyOf != "" {
		here.origins = append(slices.Clip(known.origins), origin{known.id, s.copyOf})
	}
	s.origins = here.origins
	if change && (known.id == "" || s.copyOf != "") {
		if s.id, err = newID(random); err != nil {
			return s, err
		}
		here.id = s.id
	}
	want := []placed{here}
	if known.id != here.id {
		want = []placed{known, here}
		if known.id == "" {
			want[0].file, want[0].journal = here.file, here.journal
		}
	}
	if slices.EqualFunc(all, want, placed.equal) {
		return s, nil
	}
	if err := writePlace(path, want...); err != nil {
		return s, err
	}
	if moved := known.file != here.file; t.Moved != nil && (moved || s.copyOf != "") && len(all) > 0 {
		t.Moved(s.copyOf)
	}
	if !t.Named && s.copyOf == "" {
		t.giveReceipt(known.id, here.dir)
	}
	return s, nil
}

// makeJournal makes the journal, empty and private, where it is missing.
func makeJournal(path string) error {
	if _, err := os.Lstat(path + journalSide); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return makeFile(path + journalSide)
}

func (p placed) equal(q placed) bool { return p.String() == q.String() }
