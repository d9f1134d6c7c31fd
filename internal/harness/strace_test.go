package harness

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// told is of two threads, of which the first begins a call that ends behind another's.
const told = `7  openat(AT_FDCWD, "/p/a", O_RDWR|O_CREAT, 0600) = 3
7  fsync(3 <unfinished ...>
8  openat(AT_FDCWD, "/p/b", O_RDONLY) = 4
7  <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)
8  --- SIGURG {si_signo=SIGURG} ---
8  fsync(4) = 0
7  openat(AT_FDCWD, "/p/b", O_RDONLY) = -1 ENOENT (No such file or directory)
7  exit_group(0) = ?
7  +++ exited with 0 +++
`

// TestCallsAreCountedInTheirThreadsAndInAll, as strace counts them for when=.
func TestCallsAreCountedInTheirThreadsAndInAll(t *testing.T) {
	t.Parallel()
	var halves []string
	calls := Calls(told, func(name, args string, begins bool) string {
		if !begins {
			halves = append(halves, name+args)
		}
		return args[:min(len(args), 1)]
	})
	type numbers struct{ nth, all, nthOn, rank int }
	var names []string
	var counted []numbers
	for _, c := range calls {
		names = append(names, c.Name)
		counted = append(counted, numbers{c.Nth, c.All, c.NthOn, c.Rank})
		require.Equal(t, c.Name == "fsync" && c.On == "3", c.Injected, "%+v", c)
	}
	require.Equal(t, []string{"openat", "fsync", "openat", "fsync", "openat", "exit_group"}, names)
	require.Equal(t, []numbers{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 2, 1, 2}, {1, 2, 1, 1}, {2, 3, 2, 3}, {1, 1, 1, 1}}, counted)
	require.Equal(t, []string{"fsync) = -1 EIO (Input/output error) (INJECTED)"}, halves)
}

// TestWhatIsBornOpenIsFound under the mask of the process that makes it.
func TestWhatIsBornOpenIsFound(t *testing.T) {
	t.Parallel()
	const log = `1  execve("/bin/sh", ["sh"], 0x7 /* 9 vars */) = 0
1  umask(000) = 022
1  execve("/p/sp", ["sp"], 0x7 /* 9 vars */) = 0
1  openat(AT_FDCWD, "/p/early", O_WRONLY|O_CREAT, 0644) = 3
1  umask(077) = 000
1  openat(AT_FDCWD, "/p/masked", O_WRONLY|O_CREAT, 0644) = 3
2  mkdirat(AT_FDCWD, "/p/thread", 0755) = 0
3  umask(022 <unfinished ...>
3  openat(AT_FDCWD, "/p/child", O_WRONLY|O_CREAT, 0600) = 3
3  mkdir("/p/own", 0755 <unfinished ...>
`
	open, made := BornOpen(log, "/p/sp")
	require.Equal(t, 5, made)
	require.Equal(t, []string{`openat(AT_FDCWD, "/p/early", O_WRONLY|O_CREAT, 0644) = 3`, `mkdir("/p/own", 0755 <unfinished ...>`}, open)
}
