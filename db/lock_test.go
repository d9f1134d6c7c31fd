package db

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

func init() {
	// hold DIR: takes the lock and keeps it.
	roles["hold"] = func(args []string) error {
		o := Options{Holder: "pid 4711 (sp hold)"}
		if _, err := o.acquire(context.Background(), args[0], unix.LOCK_EX, in(patient.Wait)); err != nil {
			return err
		}
		return ready()
	}
}

func tryLock(t *testing.T, dir string, how int, wait time.Duration) error {
	t.Helper()
	lock, err := Options{Holder: "another"}.acquire(t.Context(), dir, how, in(wait))
	lock.Unlock()
	return err
}

func TestTheLockExcludes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		held, wanted int
		excluded     bool
	}{
		{unix.LOCK_EX, unix.LOCK_EX, true},
		{unix.LOCK_EX, unix.LOCK_SH, true},
		{unix.LOCK_SH, unix.LOCK_EX, true},
		{unix.LOCK_SH, unix.LOCK_SH, false},
	} {
		dir := t.TempDir()
		lock := mustLock(t, dir, c.held, "holder")
		for _, wait := range []time.Duration{-time.Second, 0, 20 * time.Millisecond} {
			require.Equal(t, c.excluded, errors.Is(tryLock(t, dir, c.wanted, wait), ErrBusy))
		}
		lock.Unlock()
		require.NoError(t, tryLock(t, dir, c.wanted, 10*time.Second))
	}
}

func TestTheLockIsPrivateAndStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustLock(t, dir, unix.LOCK_EX, "holder").Unlock()
	info, err := os.Stat(filepath.Join(dir, lockName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestWhoWaitsInVainLearnsWhoHoldsTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustLock(t, dir, unix.LOCK_EX, "a former holder whose text was longer than the present one's").Unlock()
	lock := mustLock(t, dir, unix.LOCK_EX, "pid 7 (sp import)")
	defer lock.Unlock()
	var busy *BusyError
	require.ErrorAs(t, tryLock(t, dir, unix.LOCK_EX, 0), &busy)
	require.Equal(t, "pid 7 (sp import)", busy.Holder)
	require.EqualError(t, busy, "busy: held by pid 7 (sp import)")
	require.EqualError(t, &BusyError{}, "busy: another program holds the registry")
}

func TestWaitingEndsInTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock := mustLock(t, dir, unix.LOCK_EX, "holder")
	defer lock.Unlock()
	for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
		start := time.Now()
		require.ErrorIs(t, tryLock(t, dir, unix.LOCK_EX, wait), ErrBusy)
		require.GreaterOrEqual(t, time.Since(start), wait)
		require.Less(t, time.Since(start), wait+5*time.Second)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock := mustLock(t, dir, unix.LOCK_EX, "holder")
	why := errors.New("the user pressed ^C")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := Options{}.acquire(ctx, dir, unix.LOCK_EX, in(time.Minute))
		result <- err
	}()
	mustSeeWaiter(t, dir)
	cancel(why)
	require.ErrorIs(t, <-result, why)
	lock.Unlock()
	mustBeFree(t, dir)
}

func TestWhoGaveUpDoesNotGetTheLockLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock := mustLock(t, dir, unix.LOCK_EX, "holder")
	for range 5 {
		require.ErrorIs(t, tryLock(t, dir, unix.LOCK_EX, time.Millisecond), ErrBusy)
	}
	lock.Unlock()
	for range 5 {
		mustBeFree(t, dir)
	}
}

func TestALockFileThatWasReplacedKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, lockName)
	lock := mustLock(t, dir, unix.LOCK_EX, "holder")
	got := make(chan *Lock, 1)
	go func() {
		waiter, err := Options{Holder: "waiter"}.acquire(t.Context(), dir, unix.LOCK_EX, in(20*time.Second))
		if err != nil {
			waiter = nil
		}
		got <- waiter
	}()
	mustSeeWaiter(t, dir)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	lock.Unlock()
	waiter := <-got
	require.NotNil(t, waiter)
	require.True(t, place.IsAt(waiter.file, path), "it holds the file that others find")
	require.ErrorIs(t, tryLock(t, dir, unix.LOCK_EX, 0), ErrBusy)
	waiter.Unlock()
	mustBeFree(t, dir)
}

func TestALockFileThatIsALinkIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(t.TempDir(), "precious")
	require.NoError(t, os.WriteFile(target, []byte("precious"), 0o600))
	require.NoError(t, os.Symlink(target, filepath.Join(dir, lockName)))
	err := tryLock(t, dir, unix.LOCK_EX, 0)
	require.ErrorIs(t, err, ErrUnsafe)
	require.ErrorContains(t, err, "(rm "+filepath.Join(dir, lockName)+")")
	content, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "precious", string(content))
}

func TestTheLockOfAKilledProcessIsFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holder := mustStart(t, "hold", dir)
	holder.mustBeReady(t)
	require.ErrorIs(t, tryLock(t, dir, unix.LOCK_EX, 0), ErrBusy)
	holder.mustKill(t)
	mustBeFree(t, dir)
}

func TestAStoppedHolderDoesNotHangWhoWaits(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	holder := mustStart(t, "hold", filepath.Dir(path))
	holder.mustBeReady(t)
	require.NoError(t, holder.Process.Signal(syscall.SIGSTOP))
	start := time.Now()
	_, err := mustOpen(t, path, Options{Now: clock, Wait: 100 * time.Millisecond}).Write(t.Context())
	require.Less(t, time.Since(start), 5*time.Second)
	require.EqualError(t, err, "busy: held by pid 4711 (sp hold)")
	holder.mustKill(t)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, 1, mustRevision(t, path))
}
