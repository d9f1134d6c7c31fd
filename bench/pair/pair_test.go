package pair

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mustGauge builds the helper. Reading its source tells the cache of test results that
// it counts.
func mustGauge(t *testing.T) Rig {
	t.Helper()
	_, err := os.ReadFile("../gauge/main.go")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "gauge")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../gauge").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return Rig{Gauge: Gauge{Path: path, Env: []string{"LC_ALL=C"}}, Rand: dice()}
}

func shell(label, script string) Command {
	return Command{Label: label, Program: "/bin/sh", Args: []string{"-c", script}}
}

func TestAReadingIsWhatTheGaugeSays(t *testing.T) {
	t.Parallel()
	r, err := ParseReading("1500000 3 1720 157 2 1000 2000 \n")
	require.NoError(t, err)
	require.Equal(t, Reading{
		Took: 1500 * time.Microsecond, Exit: 3, PeakKB: 1720, MinorFaults: 157, MajorFaults: 2,
		User: time.Millisecond, System: 2 * time.Millisecond,
	}, r)
	for _, line := range []string{"", "1 2 3", "1 2 3 4 5 6 7 8", "1 2 3 4 5 6 x", "1 2 -3 4 5 6 7", "1 2 3 4 5 6 99999999999999999999"} {
		_, err := ParseReading(line)
		require.Error(t, err, line)
	}
}

func TestEveryRoundRunsEachCommandOnceInAnyOrder(t *testing.T) {
	t.Parallel()
	rig := mustGauge(t)
	log := filepath.Join(t.TempDir(), "log")
	write := func(label string) Command {
		return shell(label, fmt.Sprintf("printf %s >> %s", label, log))
	}
	series, err := rig.Compare(20, write("a"), write("b"))
	require.NoError(t, err)
	require.Len(t, series.Times("a"), 20)
	require.Len(t, series.Times("b"), 20, "the warm-ups do not count")
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Len(t, text, 2*(20+3))
	first := map[byte]int{}
	for i := 0; i < len(text); i += 2 {
		require.NotEqual(t, text[i], text[i+1], "a round has each once")
		first[text[i]]++
	}
	require.Len(t, first, 2, "each is first sometimes")
}

func TestWhatFailsIsNotMeasured(t *testing.T) {
	t.Parallel()
	rig := mustGauge(t)
	_, err := rig.Compare(1, shell("bad", "echo what went wrong >&2; exit 3"))
	require.ErrorContains(t, err, "bad: exit 3: what went wrong")
	_, err = rig.Compare(1, shell("killed", "kill -9 $$"))
	require.ErrorContains(t, err, "exit 137")
	_, err = rig.Compare(1, Command{Label: "missing", Program: "/no/such/program"})
	require.ErrorContains(t, err, "/no/such/program")
	_, err = rig.Compare(1, shell("a", ":"), shell("a", ":"))
	require.ErrorContains(t, err, "two commands are called a")
	trouble := errors.New("not ready")
	_, err = rig.Compare(1, Command{Label: "a", Program: "/bin/true", Before: func() error { return trouble }})
	require.ErrorIs(t, err, trouble)
	_, err = rig.Compare(1, Command{Label: "a", Program: "/bin/true", After: func() error { return trouble }})
	require.ErrorIs(t, err, trouble)
}

func TestACommandSeesItsFilesAndNothingOfTheEnvironment(t *testing.T) {
	t.Parallel()
	rig, dir := mustGauge(t), t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	require.NoError(t, os.WriteFile(in, []byte("given\n"), 0o600))
	c := Command{Label: "a", Program: "/usr/bin/env", Dir: dir, Stdin: in, Stdout: out}
	_, err := rig.Run(c)
	require.NoError(t, err)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, "LC_ALL=C\n", string(text))
	c = shell("b", "cat; pwd; test -e /proc/$$/fd/3 && echo open || echo closed")
	c.Dir, c.Stdin, c.Stdout = dir, in, out
	_, err = rig.Run(c)
	require.NoError(t, err)
	text, err = os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, []string{"given", dir, "closed"}, strings.Fields(string(text)), "the gauge's own descriptor is not inherited")
}

// TestPeaksAreNotThoseOfTheRunner grows this process to 200 MB first.
func TestPeaksAreNotThoseOfTheRunner(t *testing.T) {
	t.Parallel()
	large := make([]byte, 200<<20)
	for i := range large {
		large[i] = byte(i)
	}
	reading, err := mustGauge(t).Run(shell("small", ":"))
	require.NoError(t, err)
	require.Less(t, reading.PeakKB, int64(50<<10), "%d", large[len(large)-1])
	require.Positive(t, reading.MinorFaults)
	require.Greater(t, reading.Took, 100*time.Microsecond)
}
