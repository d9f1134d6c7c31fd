package live

import (
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// writing are the system calls that change what others see.
const writing = "write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,mkdirat,unlink,unlinkat,ftruncate,fallocate,connect,sendto,fchmod"

// ending ends a command by a signal, at any call that changes what others see.
func (d deed) ending(signal string) harm {
	return harm{
		names: writing,
		wants: func(harness.Call) bool { return true },
		does:  func(int, harness.Call) string { return "signal=" + signal },
		met: func(o harness.Outcome, calls []harness.Call) (*harness.Call, harness.Outcome) {
			made := o.Exit == 8 && strings.Contains(o.Stderr, "the change was made") // it came between the two
			require.True(d.T, made || slices.Contains([]int{0, -1, 130}, o.Exit), "%d: %s", o.Exit, o.Stderr)
			if o.Exit == 0 {
				return nil, o
			}
			return &calls[len(calls)-1], o
		},
	}
}

func (d deed) killing() harm { return d.ending("KILL") }

// refusals are what the system may answer to each call on files.
var refusals = func() map[string][]string {
	all := harness.Refusals()
	all["read"] = []string{"EIO", "EINTR"}
	return all
}()

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

func answersTo(c harness.Call) []string {
	if c.On == aSocket {
		return ofSockets[c.Name]
	}
	return refusals[c.Name]
}

// refusing has one call of sp's own fail.
func (d deed) refusing() harm {
	ours := func(c harness.Call) bool {
		return slices.Contains([]string{aPath, aFile, aSocket}, c.On) && len(answersTo(c)) > 0
	}
	return harm{
		names: strings.Join(slices.Sorted(maps.Keys(refusals)), ",") + ",socket,connect,close",
		wants: func(c harness.Call) bool { return ours(c) && (!c.Row || !slices.Contains(looking, c.Name)) },
		does:  func(i int, c harness.Call) string { return "error=" + answersTo(c)[i%len(answersTo(c))] },
		met: func(o harness.Outcome, calls []harness.Call) (at *harness.Call, said harness.Outcome) {
			for _, c := range calls {
				if c.Injected && !ours(c) { // it was another call than the one that was meant
					return nil, harness.Outcome{Exit: -1}
				}
				if c.Injected && at == nil {
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
func (s *scene) isHonest(o harness.Outcome) {
	s.T.Helper()
	require.Contains(s.T, []int{0, 4, 6, 7, 8, 9}, o.Exit, "%s%s", o.Stdout, o.Stderr)
	for _, never := range []string{"goroutine ", "runtime", "panic"} {
		require.NotContains(s.T, o.Stderr, never)
	}
	for _, secret := range s.passwords() {
		require.NotContains(s.T, o.Stdout+o.Stderr, secret)
	}
	if o.Exit == 8 && !isUnsure(o) {
		require.Contains(s.T, o.Stderr, "the change was made")
	}
}

// isUnsure tells whether a command could not find out what became of a change, and said so.
func isUnsure(o harness.Outcome) bool {
	return strings.Contains(o.Stderr, "whether the change was made is not known")
}

// claims tells what a command said of its change: that it was made, or that it was not. One
// that was ended, or that does not know, says neither.
func claims(o harness.Outcome) (made, refused bool) {
	switch {
	case o.Exit < 0, o.Exit > 9, isUnsure(o):
		return false, false
	}
	return o.Exit == 0 || o.Exit == 8, o.Exit != 0 && o.Exit != 8
}
