package torture

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAMergeIsAsAnOracleSays has the registry's own test of the rule of a merge try that many
// worlds: of programs that read and write tenants.json beside sp.
func TestAMergeIsAsAnOracleSays(t *testing.T) {
	worlds := sized(t, 2000, 50_000)
	t.Parallel()
	const perCheck = 20
	cmd := exec.Command("go", "test", "github.com/sp-registry/sp/internal/registry", "-count=1", "-timeout=2h",
		"-run", "OracleSays$", "-rapid.checks", strconv.Itoa(worlds/perCheck), "-rapid.nofailfile")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
