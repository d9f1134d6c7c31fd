package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// foreign is tenants.json as another program left it. That may write again at any time, so
// what is read must be what was found: it has that hash, to the end.
type foreign struct {
	exporter.Source
	file *os.File
	info fs.FileInfo
	hash string
	now  func() time.Time
}

// openForeign opens what another program wrote, which had this hash.
func (w *Workspace) openForeign(path, hash string) (*foreign, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f := &foreign{Source: exporter.Source{Name: path, File: file}, file: file, info: info, hash: hash, now: w.Registry.Now}
	if w.Reading != nil {
		f.Watch = func(r io.Reader) io.Reader { return w.Reading(info.Size(), r) }
	}
	return f, nil
}

func (f *foreign) close() {
	if f != nil {
		_ = f.file.Close() // it was only read
	}
}

// read is what registry.Merge wants. A file that can't be read is perhaps half written.
func (f *foreign) read(take func(registry.Tenant) error) (registry.Document, error) {
	document, err := f.Read(take)
	return document, f.orHalf(err)
}

// orHalf tells what is half written from what is wrong.
func (f *foreign) orHalf(err error) error {
	there, gone := os.Lstat(f.Name)
	changing := gone != nil || !isSame(f.info, there)
	if err == nil && !changing {
		hash, failed := f.Sum()
		if changing, err = hash != f.hash, failed; err != nil {
			return err
		}
	}
	if changing || errors.Is(err, exporter.ErrRefused) && isYoung(f.info, f.now) {
		return &halfError{path: f.Name}
	}
	if errors.As(err, new(*jsontext.FormatError)) {
		err = &UnreadableError{err}
	}
	return err
}

// UnreadableError is returned for a tenants.json that can't be read and therefore not be merged.
type UnreadableError struct{ Err error }

func (e *UnreadableError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e *UnreadableError) Unwrap() error { return e.Err }

// The original tool empties the file and writes it anew, so that for an instant half of
// it is there. What can't be read is looked at again while it may still be written: as
// long as it changes from one look to the next, or is younger than settling.
const (
	settling = time.Second
	pause    = 20 * time.Millisecond
	maxLooks = 60
)

// ErrBusy is returned for a file that another program keeps writing.
var ErrBusy = errors.New("busy")

// halfError is returned inside for a file that another program is just writing.
type halfError struct{ path string }

func (e *halfError) Error() string { return e.path + ": half written" }

// wait waits until the file is whole, or has stayed as it is for long enough. It returns
// how often it has looked by then.
func (e *halfError) wait(ctx context.Context, now func() time.Time, looks int) (int, error) {
	for {
		looks++
		before, err := os.Lstat(e.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return looks, err
		}
		if looks > maxLooks {
			return looks, fmt.Errorf("%s: another program keeps writing it: %w", e.path, ErrBusy)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return looks, context.Cause(ctx)
		}
		after, gone := os.Lstat(e.path)
		if err != nil || gone != nil {
			return looks, nil // for the change to see
		}
		if isSame(before, after) && (!isYoung(after, now) || isWhole(e.path)) {
			return looks, nil
		}
	}
}

// isWhole tells whether there is a file of tenants at path.
func isWhole(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was only read
	_, err = exporter.Decode(file, func(registry.Tenant, jsontext.Place) error { return nil })
	return err == nil
}

func isSame(before, after fs.FileInfo) bool {
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

func isYoung(info fs.FileInfo, now func() time.Time) bool {
	return now().Sub(info.ModTime()).Abs() < settling
}
