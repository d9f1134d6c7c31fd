package torture

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestKilledAtAnyCallLeavesTheOldOrTheNewState sweeps SIGKILL over the writing system
// calls of commands (bar B5, faults 22, 25 and 28).
func TestKilledAtAnyCallLeavesTheOldOrTheNewState(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	for _, s := range killedShapes(*size) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			stride, behind := s.killed()
			w := &sweep{
				scene: newScene(t, s.first(), spPath), names: writes, wants: writesThere, happens: always("signal=KILL"), behind: behind,
			}
			hot, old := 0, 0
			w.all(stride, func(at harness.Call, o harness.Outcome) {
				require.Equal(t, -1, o.Exit, "not killed at %s", at.Args)
				f, err := w.judgeKilled(o)
				require.NoError(t, err, "killed at %s %d, %s", at.Name, at.Rank, at.On)
				hot += count(f.hot)
				old += count(f.registry[0] == 0)
			})
			w.report(t, stride, fmt.Sprintf("%d left a journal, %d the old state, %d the new", hot, old, len(w.happenedAt)-old))
			for _, between := range s.betweenLooks() {
				require.True(t, w.happenedAt[between], "not killed between the exchange and the look: %v", between)
			}
			require.Positive(t, old, "no point before the COMMIT")
			require.Greater(t, len(w.happenedAt), old, "no point behind the COMMIT")
		})
	}
}

// writesThere tells whether a call of the project writes, or makes a file that can be
// aimed at. One with a name of chance can't; killed at the look at its place, just
// before it is made, a command leaves the same.
func writesThere(c harness.Call) bool {
	if !opens(c) {
		return c.On != ""
	}
	makes := strings.Contains(c.Args, "O_CREAT") && !strings.Contains(c.On, randomly)
	return c.On != "" && makes || strings.HasSuffix(c.On, "/tenants.json")
}

// judgeKilled judges what a killed command left: what it answered, it had done.
func (sc *scene) judgeKilled(o harness.Outcome) (finding, error) {
	f, err := sc.judge()
	if err != nil {
		return f, err
	}
	d := sc.acknowledged(0)
	if o.Stdout != "" {
		d = sc.acknowledged(len(sc.shape.steps))
	}
	return f, f.meets(d)
}

// first is the shape with its first step only.
func (s shape) first() shape {
	s.steps = s.steps[:1]
	return s
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestAKilledCopyShowsGitNothing kills a copy into a work tree before it has its name.
func TestAKilledCopyShowsGitNothing(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	git := harness.Need(t, "git")
	t.Parallel()
	sc := newScene(t, shapeNamed("first copy"), spPath)
	sc.Env = append(sc.Env, "PATH="+filepath.Dir(git), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	require.NoError(t, sc.start.layOut(sc.Dir))
	ask := func(args ...string) string {
		cmd := exec.Command(git, append([]string{"-C", filepath.Join(sc.Dir, "out")}, args...)...)
		cmd.Env = sc.Env
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	ask("init", "-q", sc.Dir)
	o, _ := sc.strace("renameat2", sc.shape.steps[0], "-e", "inject=renameat2:signal=KILL")
	require.Equal(t, -1, o.Exit)
	left, err := filepath.Glob(filepath.Join(sc.Dir, "out", ".copy.json.*.tmp"))
	require.NoError(t, err)
	require.Len(t, left, 1, "the test should see what it is about")
	require.Equal(t, "?? out/.gitignore\n", ask("status", "--porcelain", "-uall", "."))
	sc.Must("export", "--path", "out/copy.json")
	require.NoFileExists(t, left[0])
}
