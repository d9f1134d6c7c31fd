package torture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// refusals are what the system may answer to each call that a command makes of its own.
var refusals = func() map[string][]string {
	all := harness.Refusals()
	all["fstat"], all["close"] = []string{"EIO"}, []string{"EIO", "EINTR"}
	return all
}()

// TestARefusedCallIsToldAndLeavesTheOldOrTheNewState sweeps errors over the system calls
// of commands: what is said of the state is true (bar B6, fault 38).
func TestARefusedCallIsToldAndLeavesTheOldOrTheNewState(t *testing.T) {
	rounds := sized(t, 1, 6) // the small size tries one refusal at each point, and not the same at all
	harness.NeedStrace(t)
	for _, s := range shapesOf(*size) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			stride := s.stride(3)
			if s.piecemeal && *size == "small" {
				stride *= 12 // it looks at all there is, again and again
			}
			w := &sweep{scene: newScene(t, s.first(), spPath), names: strings.Join(slices.Sorted(maps.Keys(refusals)), ",")}
			w.wants = func(c harness.Call) bool { return c.On != "" }
			w.more = []string{"--seccomp-bpf"} // stops at these calls only
			honest := tally{}
			for round := range rounds {
				w.happens = func(i int, c harness.Call) string {
					return "error=" + refusals[c.Name][(i/stride+round)%len(refusals[c.Name])]
				}
				w.all(stride, func(at harness.Call, o harness.Outcome) {
					kind, err := w.judgeRefused(o)
					require.NoError(t, err, "%s %d, %s, was refused: exit %d, %s", at.Args, at.Rank, at.On, o.Exit, o.Stderr)
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
func (sc *scene) judgeRefused(o harness.Outcome) (kind string, err error) {
	last, said := len(sc.stages)-1, o.Stdout+o.Stderr // with --json the former has the error
	kind, d := "refused, old state", demand{to: len(sc.shape.through)}
	switch {
	case strings.Contains(said, canary):
		return "", fmt.Errorf("a secret was told")
	case o.Exit == 0:
		kind, d = "done", sc.acknowledged(1)
	case o.Exit == 8 && strings.Contains(said, "whether the change was made is not known"):
		kind, d = "not known, and told so", demand{to: last} // where looking again was refused, too
	case o.Exit == 8:
		kind, d = "incomplete, and told so", demand{from: last, to: last}
		if !strings.Contains(said, "the change was made") {
			return "", fmt.Errorf("it did not say that the change was made")
		}
	case o.Exit == 2 && strings.Contains(o.Stderr, "runtime"):
		kind = "ended by Go's runtime"
	case o.Exit < 0 || o.Exit == 1 || o.Exit == 2 || o.Exit > 9:
		return "", fmt.Errorf("it is no bug of ours, and no misuse")
	}
	if sc.shape.piecemeal {
		if err := sc.keepsItsWord(o); err != nil {
			return "", err
		}
		if o.Exit == 6 {
			kind, d = "mended in part, and told so", demand{to: last}
		}
	}
	f, err := sc.judge()
	if err != nil {
		return "", err
	}
	return kind, f.meets(d)
}

// TestAnInitThatMayNotLookAnyMoreSaysWhetherItMadeARegistry refuses every look at the registry
// from some look on, as where the rights were taken away.
func TestAnInitThatMayNotLookAnyMoreSaysWhetherItMadeARegistry(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	t.Parallel()
	sc := newScene(t, shapeNamed("first init"), spPath)
	kinds := tally{}
	for from := 1; from <= 8; from++ { // strace counts by thread: which look it is, differs
		require.NoError(t, sc.start.layOut(sc.Dir))
		o, _ := sc.strace("newfstatat", "init", "-P", sc.Store("sp.db"), "-e", fmt.Sprintf("inject=newfstatat:error=EACCES:when=%d+", from))
		kind, err := sc.judgeRefused(o)
		require.NoError(t, err, "from look %d on: exit %d, %s", from, o.Exit, o.Stderr)
		kinds[kind]++
	}
	t.Log(kinds)
	require.Positive(t, kinds["refused, old state"]+kinds["mended in part, and told so"])
	require.Positive(t, kinds["done"])
}

// TestAnInitNeedsNoLookAtWhatItMade refuses every lock on a registry that was made just now.
func TestAnInitNeedsNoLookAtWhatItMade(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	t.Parallel()
	sc := newScene(t, shapeNamed("first init"), spPath)
	require.NoError(t, sc.start.layOut(sc.Dir))
	o, _ := sc.strace("fcntl", "init", "-P", sc.Store("sp.db"), "-e", "inject=fcntl:error=EIO:when=2+")
	require.Zero(t, o.Exit, o.Stderr)
	o, _ = sc.strace("fcntl", "init", "-P", sc.Store("sp.db"), "-e", "inject=fcntl:error=EIO:when=2+")
	require.Equal(t, 6, o.Exit, "the second time nothing was made")
	sc.Must("init")
}
