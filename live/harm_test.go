package live

import (
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// writing are the system calls that change what others see.
const writing = "write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,mkdirat,unlink,unlinkat,ftruncate,fallocate,connect,sendto,fchmod"

// ending ends a command by a signal, at any call that changes what others see.
func (d deed) ending(signal string) harm {
	return harm{
		names: writing,
		wants: func(call) bool { return true },
		does:  func(int, call) string { return "signal=" + signal },
		met: func(o outcome, calls []call) (*call, outcome) {
			require.Contains(d.t, []int{0, -1, 130}, o.exit, o.stderr)
			if o.exit == 0 {
				return nil, o
			}
			return &calls[len(calls)-1], o
		},
	}
}

func (d deed) killing() harm { return d.ending("KILL") }

// refusals are what the system may answer to each call on files: no rights, no room, a broken
// or a read-only disk, no locks, too many files, and interruptions.
var refusals = map[string][]string{
	"open":       {"EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS"},
	"openat":     {"EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS", "EINTR"},
	"mkdirat":    {"ENOSPC", "EACCES", "EDQUOT"},
	"read":       {"EIO", "EINTR"},
	"write":      {"ENOSPC", "EIO", "EDQUOT", "EINTR"},
	"pwrite64":   {"ENOSPC", "EIO", "EDQUOT", "EINTR"},
	"pread64":    {"EIO", "ESTALE", "EINTR"},
	"ftruncate":  {"EIO", "EINTR"},
	"fsync":      {"EIO", "ENOSPC", "EDQUOT"},
	"renameat":   {"EIO", "EACCES", "ENOSPC", "EBUSY"},
	"renameat2":  {"EIO", "EACCES", "ENOSPC", "EBUSY", "EINVAL"},
	"linkat":     {"EPERM", "EIO", "ENOSPC"},
	"unlink":     {"EIO", "EACCES", "EBUSY"},
	"unlinkat":   {"EIO", "EACCES"},
	"fchmod":     {"EPERM", "EIO"},
	"flock":      {"ENOLCK", "EINTR"},
	"fcntl":      {"ENOLCK", "EINTR", "EIO"},
	"newfstatat": {"EIO", "EACCES"},
	"getdents64": {"EIO"},
}

// ofSockets are what it may answer to calls on the way to a server: nobody listens, no way
// there, no answer, and a connection that breaks.
var ofSockets = map[string][]string{
	"socket":  {"EMFILE", "ENOBUFS", "EACCES"},
	"connect": {"ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EACCES"},
	"read":    {"ECONNRESET", "ETIMEDOUT", "EINTR"},
	"write":   {"EPIPE", "ECONNRESET"},
}

// looking are calls that change nothing: of several in a row, one is tried.
var looking = []string{"read", "pread64", "newfstatat", "fcntl", "getdents64"}

func answersTo(c call) []string {
	if c.on == aSocket {
		return ofSockets[c.name]
	}
	return refusals[c.name]
}

// refusing has one call of sp's own fail.
func (d deed) refusing() harm {
	ours := func(c call) bool {
		return slices.Contains([]string{aPath, aFile, aSocket}, c.on) && len(answersTo(c)) > 0
	}
	return harm{
		names: strings.Join(slices.Sorted(maps.Keys(refusals)), ",") + ",socket,connect,close",
		wants: func(c call) bool { return ours(c) && (!c.row || !slices.Contains(looking, c.name)) },
		does:  func(i int, c call) string { return "error=" + answersTo(c)[i%len(answersTo(c))] },
		met: func(o outcome, calls []call) (at *call, said outcome) {
			for _, c := range calls {
				if c.injected && !ours(c) { // it was another call than the one that was meant
					return nil, outcome{exit: -1}
				}
				if c.injected && at == nil {
					at = &c
				}
			}
			if at != nil {
				d.isHonest(o)
			}
			return at, o
		},
	}
}

// isHonest wants of what a command says about a refused call: it is no bug and no misuse, no
// secret is told, and where the change was made it says so.
func (s *scene) isHonest(o outcome) {
	s.t.Helper()
	require.Contains(s.t, []int{0, 4, 6, 7, 8, 9}, o.exit, "%s%s", o.stdout, o.stderr)
	for _, never := range []string{"goroutine ", "runtime", "panic"} {
		require.NotContains(s.t, o.stderr, never)
	}
	for _, secret := range s.passwords() {
		require.NotContains(s.t, o.stdout+o.stderr, secret)
	}
	if o.exit == 8 && !o.isUnsure() {
		require.Contains(s.t, o.stderr, "the change was made")
	}
}

// isUnsure tells whether a command could not find out what became of a change, and said so.
func (o outcome) isUnsure() bool {
	return strings.Contains(o.stderr, "whether the change was made is not known")
}

// claims tells what a command said of its change: that it was made, or that it was not. One
// that was ended, or that does not know, says neither.
func (o outcome) claims() (made, refused bool) {
	switch {
	case o.exit < 0, o.exit > 9, o.isUnsure():
		return false, false
	}
	return o.exit == 0 || o.exit == 8, o.exit != 0 && o.exit != 8
}
