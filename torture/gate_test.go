package torture

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// The gates hold what a command costs where time is worthless, because others use the
// machine, too: in counts that only the program decides. docs/inside/guarantees.md lists them;
// bench/ measures the time. Each bound is today's figure with a little air. One that
// fails after a change which is worth its cost is raised in that change.

// asShipped is the program as `make build` makes it, flags and all. Each build links it anew, in seconds.
var asShipped = sync.OnceValues(func() (path string, err error) {
	path = spPath + "-shipped"
	said, err := exec.Command("make", "-s", "-C", "..", "build-sp", "SP="+path).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return path, err
})

// newGate is a place with the program as it is shipped.
func newGate(t *testing.T) place {
	t.Helper()
	harness.Need(t, "make")
	p := newPlace(t)
	var err error
	p.SP, err = asShipped()
	require.NoError(t, err)
	p.Env = append(p.Env, "GOMAXPROCS=2") // what Go's runtime does for itself depends on it
	return p
}
