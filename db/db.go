// Package db opens the registry's SQLite file safely and brings it to the current
// schema. It knows nothing of what the tables mean.
package db

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/sp-registry/sp/internal/place"
)

// Options say how a file is opened.
type Options struct {
	// Now tells the time, by which automatic copies are dated and expire.
	Now func() time.Time
	// Wait bounds, for each read or change, all waiting for the lock and for
	// SQLite together; zero fails at once.
	Wait time.Duration
	// Holder says who this process is to those who wait for it; no secrets.
	Holder string
	// Waiting, if not nil, is told once when the lock takes longer than a second, and
	// who holds it, if that is known.
	Waiting func(holder string)
	// Rand is where the ids of registries come from; nil is the system's.
	Rand io.Reader
	// Trust is what vouches for a registry beside its place.
	Trust Trust
	// Relied lists the tables that are checked with their indexes before a small file
	// is read; before it is changed, it is checked whole.
	Relied []string
}

// DB is one registry file. It is opened when something is first read or written.
type DB struct {
	path    string
	options Options
	// seed is what is put into the registry if the first change makes it; nil for one that is there.
	seed func(context.Context, *sql.Tx) error

	mu     sync.Mutex
	reader *sql.DB
	file   fs.FileInfo // what the reader has open, as it was seen last
	found  acceptance  // of it
	logs   bool        // it is in WAL mode
}

// Open prepares to use the file at path, an absolute path. It refuses what is
// missing, unsafe, not trusted or not a registry, and leaves it untouched.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	d := &DB{path: path, options: o}
	look := func() error {
		_, err := d.current(ctx)
		return err
	}
	err := look()
	if errors.Is(err, ErrUntrusted) {
		err = d.whileNobodyChanges(ctx, look)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// OpenOrNew prepares to use the file at path, an absolute path. If there is none, the first change
// makes it with what seed puts in: it is there when that change is committed, and not before.
func OpenOrNew(ctx context.Context, path string, o Options, seed func(context.Context, *sql.Tx) error) (*DB, error) {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return &DB{path: path, options: o, seed: seed}, nil
	}
	return Open(ctx, path, o)
}

// whileNobodyChanges has fn look anew when nobody changes the registry: what was refused
// as untrusted may have been half done.
func (d *DB) whileNobodyChanges(ctx context.Context, fn func() error) error {
	lock, err := Share(ctx, d.path, d.options)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	d.forget()
	return fn()
}

// Close releases the file.
func (d *DB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reader == nil { // nothing was read
		return nil
	}
	return d.reader.Close()
}

// current returns the connections to the file that is at the path now. When another
// was put there, as by a restore, what had the old one open is done with: a journal at
// the path is now the new one's, and SQLite would roll it back into the old one.
func (d *DB) current(ctx context.Context) (opened, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file != nil {
		if info, err := os.Lstat(d.path); err == nil && os.SameFile(info, d.file) {
			d.file = info
			return opened{d.reader, info, d.found, d.logs}, nil
		}
	}
	info, logs, err := checkFile(d.path)
	if err != nil {
		return opened{}, err
	}
	found, err := accept(ctx, d.path, d.options.Trust)
	if err == nil {
		err = checkSafety(d.path, info, found)
	}
	if err != nil {
		return opened{}, err
	}
	reader, err := sql.Open("sqlite", readDSN(d.path))
	if err != nil {
		return opened{}, err
	}
	if d.reader != nil {
		_ = d.reader.Close() // it only read
	}
	d.reader, d.file, d.found, d.logs = reader, info, found, logs
	return opened{reader, info, found, logs}, nil
}

// opened is the file at the path as it was seen last, and the connections to it.
type opened struct {
	reader *sql.DB
	file   fs.FileInfo
	found  acceptance
	logs   bool
}

// forget has the next read look at the file anew, if what says whose it is was written since:
// .place is never changed, but replaced.
func (d *DB) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now, err := place.IdentityOf(placePath(d.path)); err != nil || !now.Is(d.found.said) {
		d.file = nil
	}
}

// size is how many bytes the file had when it was seen last.
func (d *DB) size() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.file.Size()
}

// isOpen tells whether a file is the one that is read.
func (d *DB) isOpen(file *os.File) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := file.Stat()
	return err == nil && os.SameFile(info, d.file)
}

// letGo closes the connection that waits for the next read: while any is open, a
// file in WAL mode can't be turned back to the rollback journal.
func (d *DB) letGo() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reader.SetMaxIdleConns(0)
	d.reader.SetMaxIdleConns(1)
}
