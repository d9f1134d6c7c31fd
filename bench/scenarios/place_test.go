package scenarios

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/bench/gen"
	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/peers"
)

// programs builds once what the tests run, for TestMain to remove.
var (
	programsDir string
	programs    = sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "sp-bench-test-")
		if err != nil {
			return "", err
		}
		out, err := exec.Command("go", "build", "-o", dir, "../../cmd/sp", "../gauge", "../peers/empty").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		programsDir = dir
		return dir, err
	})
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(programsDir) // nothing, if none was needed
	os.Exit(code)
}

// mustBench has the real sp and the real gauge, and no peers. Listing their sources
// tells the cache of test results that they count.
func mustBench(t *testing.T) *Bench {
	t.Helper()
	for _, dir := range []string{"../../cmd", "../../db", "../../internal", "../gauge"} {
		require.NoError(t, filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { return err }))
	}
	built, err := programs()
	require.NoError(t, err)
	program := func(name string) peers.Peer { return peers.Peer{Name: name, Path: filepath.Join(built, name)} }
	b := &Bench{Cache: t.TempDir(), Work: t.TempDir(), Scale: 0.001, Note: t.Logf}
	b.Peers = peers.Set{SP: program("sp"), Twin: program("sp"), Empty: program("empty")}
	b.Rig = pair.Rig{
		Gauge: pair.Gauge{Path: program("gauge").Path, Env: []string{"HOME=" + b.Work, "PATH=" + os.Getenv("PATH"), "SP_OFFLINE=1"}},
		Rand:  rand.New(rand.NewPCG(1, 0)),
	}
	return b
}

// TestGoalsAreMeasuredWithTheRealProgram at their smallest size: the commands that they
// run are those that sp has.
func TestGoalsAreMeasuredWithTheRealProgram(t *testing.T) {
	t.Parallel()
	b := mustBench(t)
	place, err := b.place(10)
	require.NoError(t, err)
	require.FileExists(t, place.store("sp.db"))
	for _, id := range []string{"P6", "P16", "D1", "D2", "D4", "D6"} {
		for _, goal := range Goals {
			if goal.ID == id {
				for _, figure := range b.Measure(goal) {
					require.NotEqual(t, pair.Failed, figure.Verdict(), figure.Missing)
				}
			}
		}
	}
	figures, err := b.moving(10)
	require.NoError(t, err)
	require.Len(t, figures, 3)
	_, err = b.exporting(10)
	require.NoError(t, err)
	_, err = b.importing(10)
	require.NoError(t, err)
	url := filepath.Join(b.Work, "url")
	require.NoError(t, os.WriteFile(url, []byte("postgres://u:p@localhost/d\n"), 0o600))
	s, err := b.changing("change", 10, url)
	require.NoError(t, err)
	require.Len(t, s.Times("create --no-export"), 3)
	e, err := b.Itself(1)
	require.NoError(t, err)
	require.Positive(t, e.Median)
}

func TestWhatIsNotWhatWasImportedIsNotMeasured(t *testing.T) {
	t.Parallel()
	b := mustBench(t)
	place, err := b.place(10)
	require.NoError(t, err)
	_, err = b.Rig.Run(b.sp(place, "rename", "tenant", "edit", place.Tenant, "--name", "other"))
	require.NoError(t, err)
	require.ErrorContains(t, b.isWhole(place), "differ at byte")
	err = b.answerAlike(b.resolve(place, "resolve"), b.sp(place, "help", "--help"))
	require.ErrorContains(t, err, "help answers something else than resolve")
	require.Error(t, b.answerAlike(b.empty("empty")), "nothing is no answer")

	require.NoError(t, b.answersLines(b.sp(place, "list", "tenant", "list"), 10))
	require.ErrorContains(t, b.answersLines(b.empty("empty"), 1), "empty answers 0 lines, not 1")

	change := b.sp(place, "change", "version")
	change.After = func() error { return nil }
	require.NoError(t, os.WriteFile(place.store("tenants.json"), []byte("{}"), 0o600))
	require.NoError(t, b.follows(change, place, false))
	require.ErrorContains(t, b.follows(change, place, true), "that the change is in the file is false")
}

// TestADirectoryThatIsNotWholeIsNotMeasured: what D1 to D4 hold against the files can fail.
func TestADirectoryThatIsNotWholeIsNotMeasured(t *testing.T) {
	t.Parallel()
	b := mustBench(t)
	place, err := b.moved("whole", 4)
	require.NoError(t, err)
	index := place.store("sessions/index.json")
	require.NoError(t, holds(index, `"session_token": "token-`, 4))
	require.ErrorContains(t, holds(index, `"session_token": "token-`, 3), "4 times, not 3")
	require.ErrorContains(t, holds(index, `"active_profile_name": "`+gen.Profile(1)+`"`, 1), "0 times, not 1")
	require.ErrorIs(t, holds(place.store("none"), "", 1), os.ErrNotExist)

	source := filepath.Join(b.Work, "another")
	require.NoError(t, gen.WriteDirectory(filepath.Join(source, ".systemprompt"), 4))
	require.NoError(t, b.isMoved(place, source))
	last := gen.Profile(3)
	for _, c := range []struct {
		args []string
		why  string
	}{
		{[]string{"session", "logout", "--profile", gen.Profile(2)}, "sessions answers 3 lines, not 4"},
		{[]string{"secrets", "unset", "anthropic", "--profile", last}, "secret: exit 3"},
		{[]string{"secrets", "unset", "jwt_secret", "--profile", last}, last + "/secrets.json differ at byte"},
		{[]string{"profile", "delete", gen.Profile(0), "-y"}, "profiles answers 3 lines, not 4"},
		{[]string{"tenant", "edit", gen.ID(0), "--name", "other"}, "differ at byte"},
	} {
		_, err := b.Rig.Run(b.sp(place, "change", c.args...))
		require.NoError(t, err)
		require.ErrorContains(t, b.isMoved(place, source), c.why)
	}
}
