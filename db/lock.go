package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// lockName is the file in the registry's directory that every change, migration
// and export holds. It is never removed: a removed lock file is two locks.
const lockName = ".lock"

// patience is how long one waits before those who asked for it are told.
const patience = time.Second

// Lock is a held kernel lock. The kernel drops it when the process ends, however
// it ends, so that there are no stale locks.
type Lock struct {
	file   *os.File
	signed bool
	since  time.Time // when it was signed, as the file system dates that
}

// Unlock releases the lock.
func (l *Lock) Unlock() {
	if l != nil {
		if l.signed {
			_ = l.file.Truncate(0) // or those who wait for a sharer would be told of us
		}
		// Unlocked by hand, not only by closing: a child that is just being started
		// has the file open for an instant, too. Neither can lose anything.
		_ = flock(l.file, unix.LOCK_UN)
		_ = l.file.Close()
	}
}

// acquire takes the lock of dir, shared or exclusive (unix.LOCK_SH, unix.LOCK_EX),
// by the deadline. An exclusive holder writes who it is into the file.
func (o Options) acquire(ctx context.Context, dir string, how int, deadline time.Time) (*Lock, error) {
	path := filepath.Join(dir, lockName)
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if errors.Is(err, unix.ELOOP) {
			return nil, unsafeError(path, "it is a symbolic link", "rm "+quoted(path))
		}
		if err != nil {
			return nil, fmt.Errorf("lock: %w", denied(path, err))
		}
		if err := o.wait(ctx, file, how, deadline); err != nil {
			return nil, err
		}
		if !place.IsAt(file, path) {
			_ = file.Close()
			continue // replaced while we waited: this lock keeps nobody out
		}
		lock := &Lock{file: file, signed: how == unix.LOCK_EX}
		if lock.signed {
			lock.since = sign(file, o.Holder)
		}
		return lock, nil
	}
}

// Share waits until nobody changes the registry at path, and keeps those who would
// out until Unlock, so that its files can be copied. Where no lock stands beside it
// nobody uses it, and the lock is nil.
func Share(ctx context.Context, path string, o Options) (*Lock, error) {
	name := filepath.Join(filepath.Dir(path), lockName)
	file, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) // to read it would be another file on overlayfs
	if errors.Is(err, unix.EROFS) || errors.Is(err, os.ErrPermission) {
		file, err = os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := o.wait(ctx, file, unix.LOCK_SH, in(o.Wait)); err != nil {
		return nil, err
	}
	return &Lock{file: file}, nil
}

// wait locks file by the deadline; on failure it is closed, at once or as soon as
// the kernel gives it to us. A flock that blocks can't be cancelled, so it blocks
// in a goroutine of its own.
func (o Options) wait(ctx context.Context, file *os.File, how int, deadline time.Time) error {
	err := flock(file, how|unix.LOCK_NB)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		_ = file.Close()
		return fmt.Errorf("lock: %w", err)
	}
	got := make(chan error, 1)
	go func() { got <- flock(file, how) }()
	if o.Waiting != nil {
		defer time.AfterFunc(patience, func() { o.Waiting(holderIn(file)) }).Stop()
	}
	over := time.NewTimer(time.Until(deadline))
	defer over.Stop()
	select {
	case err := <-got:
		if err != nil {
			_ = file.Close()
			return fmt.Errorf("lock: %w", err)
		}
		return nil
	case <-over.C:
		err = &BusyError{Holder: holderIn(file)}
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	go func() { <-got; _ = file.Close() }()
	return err
}

func flock(file *os.File, how int) error {
	return place.IgnoringEINTR(func() error { return unix.Flock(int(file.Fd()), how) })
}

// sign writes who holds the lock, for those who wait, and returns how that was dated.
// It can fail without harm: then they are told less, and it is an earlier date.
func sign(file *os.File, holder string) time.Time {
	if file.Truncate(0) == nil {
		_, _ = file.WriteAt([]byte(holder+"\n"), 0)
	}
	info, err := file.Stat()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func holderIn(file *os.File) string {
	text, err := io.ReadAll(io.LimitReader(io.NewSectionReader(file, 0, 512), 512))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
