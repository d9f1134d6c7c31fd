package torture

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// The gates hold what a command costs where time is worthless, because others use the
// machine, too: in counts that only the program decides. docs/inside/guarantees.md lists them;
// bench/ measures the time. Each bound is today's figure with a little air. One that
// fails after a change which is worth its cost is raised in that change.

// newGate is a place with the program as `make build` makes it, flags and all.
func newGate(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	p.SP = filepath.Join(t.TempDir(), "sp")
	build := exec.Command(harness.Need(t, "make"), "-s", "-C", "..", "build-sp", "SP="+p.SP)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	p.Env = append(p.Env, "GOMAXPROCS=2") // what Go's runtime does for itself depends on it
	return p
}
