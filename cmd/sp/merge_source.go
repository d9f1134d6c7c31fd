package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// The original tool empties the file and writes it anew, so that for an instant half of
// it is there. What can't be read is looked at again while it may still be written: as
// long as it changes from one look to the next, or is younger than settling.
const (
	settling = time.Second
	pause    = 20 * time.Millisecond
	looks    = 60
)

// openWritten returns a copy of what another program wrote, whole and readable; nil if
// that is nothing at all.
func (a *app) openWritten(ctx context.Context, path string) (*source, error) {
	for look := 1; ; look++ {
		s, before, err := copied(path)
		if err != nil {
			return nil, err
		}
		s.watch = a.watchReading
		bad := s.check()
		after, err := os.Lstat(path)
		changing := err != nil || !isSame(before, after)
		switch {
		case !changing && bad == nil:
			return s, nil
		case look < looks && (changing || a.isYoung(before)):
		case changing:
			s.close()
			return nil, fmt.Errorf("%s: another program keeps writing it: %w", path, db.ErrBusy)
		case before.Size() == 0:
			s.close()
			return nil, nil // which anybody may replace
		default:
			s.close()
			return nil, bad
		}
		s.close()
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// copied reads a file that may change at any time, once.
func copied(path string) (*source, fs.FileInfo, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	s, err := spooled(path, file)
	if err == nil {
		s.written = info.ModTime()
	}
	return s, info, err
}

func isSame(before, after fs.FileInfo) bool {
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

func (a *app) isYoung(info fs.FileInfo) bool { return a.now().Sub(info.ModTime()).Abs() < settling }

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// check reads the file, and refuses one that is not a file of tenants.
func (s *source) check() error {
	_, err := s.read(func(registry.Tenant) error { return nil })
	var format *jsontext.FormatError
	if errors.As(err, &format) {
		return withHint(err, "mend it, or sp import --set-aside keeps it under another name and writes the registry's")
	}
	return err
}

// setAside has the file kept under another name when ours takes its place, if it can't be
// taken over.
func (a *app) setAside(ctx context.Context, b *merging) error {
	path := b.publisher.Path
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w", path, exporter.ErrUnsafe)
	}
	if b.publisher.Read, err = exporter.HashFile(path); err != nil {
		return err
	}
	s, err := a.openWritten(ctx, path)
	if err == nil && s != nil {
		err = s.checkTwice()
		s.close()
	}
	switch {
	case err == nil:
		return withHint(fmt.Errorf("%s: nothing is wrong with it, so it is not set aside: %w", path, registry.ErrConflict), "sp import merges it")
	case !errors.Is(err, errFile):
		return err
	}
	b.publisher.Aside = exporter.AsideName(path, a.now().UTC().Format("20060102T150405.000000Z"))
	return nil
}

// checkTwice refuses a file that has a tenant twice.
func (s *source) checkTwice() error {
	seen := map[registry.TenantID]bool{}
	_, err := s.read(func(t registry.Tenant) error {
		if seen[t.ID] {
			return &registry.DuplicateError{ID: t.ID}
		}
		seen[t.ID] = true
		return nil
	})
	return err
}
