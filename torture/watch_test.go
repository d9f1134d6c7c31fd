package torture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// watch looks at all files of some directories while commands run: as their owner,
// what modes they have, and as another user, whether they can be read. A file whose
// mode lets others in for an instant only is one that they may read for ever.
type watch struct {
	place
	dirs  []string
	stop  chan struct{}
	group sync.WaitGroup
	looks atomic.Int64
	tries atomic.Int64

	mu    sync.Mutex
	paths map[string]bool // of all files that there ever were
	there map[string]bool // of those that may still be
	found map[string]bool
}

// pause is between two looks: the machine is for what is looked at.
const pause = 100 * time.Microsecond

// isPublic tells of the files that hold no secret and are meant for all; a profile.yaml
// where it waits for its place is one by what it holds.
func isPublic(path string) bool {
	name := filepath.Base(path)
	if isPublicName(name) {
		return true
	}
	text, err := os.ReadFile(path)
	return strings.HasPrefix(name, ".file.") && (err != nil || strings.HasPrefix(string(text), "# systemprompt.io Profile"))
}

// isPublicName tells of the names of such files, also when they have come out of their places.
func isPublicName(name string) bool {
	return strings.HasPrefix(name, ".gitignore") || strings.HasPrefix(strings.TrimPrefix(name, "."), "profile.yaml")
}

// startWatch needs root, to look as another user.
func startWatch(p place, dirs ...string) *watch {
	w := &watch{place: p, dirs: dirs, stop: make(chan struct{}), paths: map[string]bool{}, there: map[string]bool{}, found: map[string]bool{}}
	w.group.Go(w.owner)
	ready := make(chan error)
	w.group.Go(func() { w.stranger(ready) })
	require.NoError(p.T, <-ready)
	return w
}

// end returns what was found.
func (w *watch) end() []string {
	close(w.stop)
	w.group.Wait()
	return sorted(w.found)
}

func (w *watch) find(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found[fmt.Sprintf(format, args...)] = true
}

// owner is told by the kernel of every file that appears or changes its mode, and
// looks at it; because it may be gone by then, it also looks without being told.
func (w *watch) owner() {
	inotify, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		w.find("inotify: %v", err)
		return
	}
	defer func() { _ = unix.Close(inotify) }()
	watched := map[int]string{}
	for {
		select {
		case <-w.stop:
			return
		case <-time.After(pause):
		}
		for _, dir := range w.dirs { // those that are not there yet, too
			if id, err := unix.InotifyAddWatch(inotify, dir, unix.IN_CREATE|unix.IN_ATTRIB|unix.IN_MOVED_TO); err == nil {
				watched[id] = dir
			}
		}
		for _, path := range events(inotify, watched) {
			w.lookAt(path)
		}
		for _, dir := range w.dirs {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				w.lookAt(filepath.Join(dir, e.Name()))
			}
		}
	}
}

func events(inotify int, watched map[int]string) (paths []string) {
	var buffer [64 << 10]byte
	n, _ := unix.Read(inotify, buffer[:])
	for at := 0; at+unix.SizeofInotifyEvent <= n; {
		event := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[at]))
		name := buffer[at+unix.SizeofInotifyEvent : at+unix.SizeofInotifyEvent+int(event.Len)]
		paths = append(paths, filepath.Join(watched[int(event.Wd)], unix.ByteSliceToString(name)))
		at += unix.SizeofInotifyEvent + int(event.Len)
	}
	return paths
}

func (w *watch) lookAt(path string) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	w.looks.Add(1)
	w.mu.Lock()
	w.paths[path], w.there[path] = true, true
	w.mu.Unlock()
	if info.Mode().Perm()&0o077 != 0 && !isPublic(path) {
		w.find("%s has mode %v", filepath.Base(path), info.Mode())
	}
}

// stranger tries, as another user, to read whatever there ever was, and whatever it
// can see by itself. Only its own thread is that user, and it ends with it.
func (w *watch) stranger(ready chan error) {
	runtime.LockOSThread()
	ready <- becomeNobody()
	for {
		select {
		case <-w.stop:
			return
		case <-time.After(pause):
		}
		w.mu.Lock()
		paths := sorted(w.there)
		clear(w.there)
		w.mu.Unlock()
		for _, dir := range w.dirs {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
		for _, path := range paths {
			w.tries.Add(1)
			file, err := os.Open(path)
			if err == nil && !isPublic(path) {
				w.find("another user reads %s", filepath.Base(path))
			}
			_ = file.Close()
			if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
				w.find("%v", err)
			}
		}
	}
}

// becomeNobody changes the user of this thread; the system calls of package syscall
// would change it in all of them.
func becomeNobody() error {
	for _, call := range [][4]uintptr{
		{unix.SYS_SETGROUPS, 0, 0, 0},
		{unix.SYS_SETRESGID, harness.Nobody, harness.Nobody, harness.Nobody},
		{unix.SYS_SETRESUID, harness.Nobody, harness.Nobody, harness.Nobody},
	} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return errno
		}
	}
	return nil
}
