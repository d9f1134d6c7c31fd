package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"github.com/sp-registry/sp/internal/harness"
)

// TestMemoryIsFlat (P8, P11): ten times as many tenants take no more memory to import and
// to export. What is taken also depends on when Go's collector came, by a fifth: hence the
// most of some runs for the few, and the least of two for the many.
func TestMemoryIsFlat(t *testing.T) {
	few := sized(t, 20_000, 100_000)
	const times, ratio = 10, 1.3
	gate := newGate(t)
	small, large := gate.peaks(few), gate.peaks(few*times)
	for range 2 {
		for line, peak := range gate.peaks(few) {
			small[line] = max(small[line], peak)
		}
	}
	for line, peak := range gate.peaks(few * times) {
		peak = min(peak, large[line])
		t.Logf("%s: %.1f MiB of %d tenants, %.1f MiB of %d", line, small[line], few, peak, few*times)
		require.LessOrEqual(t, peak, ratio*small[line], line)
	}
}

// TestMemoryOfLargeTenants: how much is in memory at once goes by bytes, not by rows. At a
// terminal, the rows by which columns are measured are in memory together.
func TestMemoryOfLargeTenants(t *testing.T) {
	sized(t, 1, 1)
	const tenants, size, most = 400, 400_000, 64
	gate := newGate(t)
	gate.Dir = t.TempDir()
	in, err := os.Create(filepath.Join(gate.Dir, "in.json"))
	require.NoError(t, err)
	for i := range tenants {
		_, err := fmt.Fprintf(in, `%s{"id": "t%d", "name": "tenant %d", "settings": "%s"}`, []string{`{"tenants": [`, ","}[min(i, 1)], i, i, strings.Repeat("x", size))
		require.NoError(t, err)
	}
	_, err = in.WriteString(`], "synced_at": "2026-02-01T10:00:00Z"}`)
	require.NoError(t, errors.Join(err, in.Close()))
	for _, line := range []string{"import in.json", "import --exact in.json", "export -", "tenant list", "tenant list --json"} {
		peak := gate.peak(line)
		t.Logf("%s: %.1f MiB", line, peak)
		require.LessOrEqual(t, peak, float64(most), line)
	}
	peak := gate.peakOf("tenant list", func(cmd *exec.Cmd) string {
		screen, code, err := harness.OnTerminal(cmd, strings.NewReader(""))
		require.NoError(t, err)
		require.Zero(t, code)
		require.Contains(t, screen, "tenant 399")
		return screen[strings.LastIndexByte(strings.TrimSpace(screen), '\n')+1:]
	})
	t.Logf("at a terminal: %.1f MiB", peak)
	require.LessOrEqual(t, peak, float64(most))
}

// peaks returns the most memory that each of some commands had, in MiB, at that many tenants.
func (p place) peaks(tenants int) map[string]float64 {
	p.T.Helper()
	p.Dir = p.T.TempDir()
	require.NoError(p.T, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(manyTenants(tenants)), 0o600))
	peaks := map[string]float64{}
	for _, line := range []string{"import in.json", "import --exact in.json", "export", "export -"} { // exact finds all of it there
		peaks[line] = p.peak(line)
	}
	return peaks
}

// peak returns the most memory that a command had, in MiB. The system counts what the
// process was before it became that program, too, so that it must be started by one which
// is small: this one is not, but its copy is.
func (p place) peak(line string) float64 {
	p.T.Helper()
	return p.peakOf(line, func(cmd *exec.Cmd) string {
		o := p.Ran(cmd)
		require.Zero(p.T, o.Exit, "%s: %.300s", line, o.Stderr)
		return o.Stdout
	})
}

// peakOf is peak of a command that is run in some way, which returns what the runner says.
func (p place) peakOf(line string, run func(*exec.Cmd) string) float64 {
	p.T.Helper()
	cmd := harness.InRole(p.T.Context(), "runner", append([]string{p.SP}, strings.Fields(line)...)...)
	cmd.Dir, cmd.Env = p.Dir, append(cmd.Env, p.Env...)
	said := run(cmd)
	var peak, own int64
	_, err := fmt.Sscanf(said, "%d KiB, and the runner had %d KiB", &peak, &own)
	require.NoError(p.T, err, said)
	require.Greater(p.T, peak, own, "the runner is the larger one: what did it measure?")
	return float64(peak) / 1024
}

// runMeasured runs a program and prints the most memory that it had.
func runMeasured(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	if term.IsTerminal(int(os.Stdout.Fd())) {
		cmd.Stdout = os.Stdout
	}
	if err := cmd.Run(); err != nil {
		return err
	}
	var own string
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			own = strings.Fields(rest)[0]
		}
	}
	fmt.Printf("%d KiB, and the runner had %s KiB\n", cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss, own)
	return nil
}
