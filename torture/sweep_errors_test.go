package torture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// refusals are what the system may answer to each call: a full disk or quota, a broken
// one, one that is read-only, too many files, no rights, no locks, and interruptions.
var refusals = map[string][]string{
	"open":       {"EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS"},
	"openat":     {"EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS", "EINTR"},
	"mkdirat":    {"ENOSPC", "EACCES", "EDQUOT"},
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
	"fstat":      {"EIO"},
	"newfstatat": {"EIO", "EACCES"},
	"getdents64": {"EIO"},
	"close":      {"EIO", "EINTR"},
}

// TestARefusedCallIsToldAndLeavesTheOldOrTheNewState sweeps errors over the system calls
// of commands: what is said of the state is true (bar B6, fault 38).
func TestARefusedCallIsToldAndLeavesTheOldOrTheNewState(t *testing.T) {
	rounds := sized(t, 1, 6) // the small size tries one refusal at each point, and not the same at all
	needStrace(t)
	for _, s := range shapesOf(*size) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			stride := s.stride(2)
			if s.piecemeal && *size == "small" {
				stride *= 12 // it looks at all there is, again and again
			}
			w := &sweep{scene: newScene(t, s.first(), spPath), names: strings.Join(slices.Sorted(maps.Keys(refusals)), ",")}
			w.wants = func(c call) bool { return c.path != "" }
			w.more = []string{"--seccomp-bpf"} // stops at these calls only
			honest := tally{}
			for round := range rounds {
				w.happens = func(i int, c call) string {
					return "error=" + refusals[c.name][(i/stride+round)%len(refusals[c.name])]
				}
				w.all(stride, func(at call, o outcome) {
					kind, err := w.judgeRefused(o)
					require.NoError(t, err, "%s %d, %s, was refused: exit %d, %s", at.text, at.rank, at.path, o.exit, o.stderr)
					honest[kind]++
				})
				w.report(t, stride, honest.String())
			}
		})
	}
}

// tally counts by kind.
type tally map[string]int

func (y tally) String() string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(y)) {
		all = append(all, fmt.Sprintf("%d %s", y[kind], kind))
	}
	return strings.Join(all, ", ")
}

// judgeRefused judges what is left where a call was refused, by what the command said.
func (sc *scene) judgeRefused(o outcome) (kind string, err error) {
	last, said := len(sc.stages)-1, o.stdout+o.stderr // with --json the former has the error
	kind, d := "refused, old state", demand{to: len(sc.shape.through)}
	switch {
	case strings.Contains(said, canary):
		return "", fmt.Errorf("a secret was told")
	case o.exit == 0:
		kind, d = "done", sc.acknowledged(1)
	case o.exit == 8 && strings.Contains(said, "whether the change was made is not known"):
		kind, d = "not known, and told so", demand{to: last} // where looking again was refused, too
	case o.exit == 8:
		kind, d = "incomplete, and told so", demand{from: last, to: last}
		if !strings.Contains(said, "the change was made") {
			return "", fmt.Errorf("it did not say that the change was made")
		}
	case o.exit == 2 && strings.Contains(o.stderr, "runtime"):
		kind = "ended by Go's runtime"
	case o.exit < 0 || o.exit == 1 || o.exit == 2 || o.exit > 9:
		return "", fmt.Errorf("it is no bug of ours, and no misuse")
	}
	if sc.shape.piecemeal {
		if err := sc.keepsItsWord(o); err != nil {
			return "", err
		}
		if o.exit == 6 {
			kind, d = "mended in part, and told so", demand{to: last}
		}
	}
	f, err := sc.judge()
	if err != nil {
		return "", err
	}
	return kind, f.meets(d)
}

// TestAnInitThatCannotLookAtWhatItMadeSaysThatItWasMade refuses every lock on a registry
// that was made just now.
func TestAnInitThatCannotLookAtWhatItMadeSaysThatItWasMade(t *testing.T) {
	sized(t, 1, 1)
	needStrace(t)
	t.Parallel()
	sc := newScene(t, shapeNamed("first init"), spPath)
	require.NoError(t, sc.start.layOut(sc.dir))
	o, _ := sc.strace("fcntl", "init", "-P", sc.store("sp.db"), "-e", "inject=fcntl:error=EIO:when=2+")
	require.Equal(t, 8, o.exit, o.stderr)
	require.Contains(t, o.stderr, "the change was made")
	o, _ = sc.strace("fcntl", "init", "-P", sc.store("sp.db"), "-e", "inject=fcntl:error=EIO:when=2+")
	require.Equal(t, 6, o.exit, "the second time nothing was made")
	sc.must("init")
}
