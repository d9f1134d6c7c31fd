package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrivateFromBirthUnderAnyUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "022", "077"} {
		h := house{dir: t.TempDir()}
		h.mustRun(t, "umask", umask)
		h.mustBeCurrent(t)
		for _, name := range names(t, h.dir) {
			require.Equal(t, os.FileMode(0o600), mustStat(t, filepath.Join(h.dir, name)).Mode(), "umask %s: %s", umask, name)
		}
	}
}

func TestManyProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	processes, each := 4, 25
	if testing.Short() {
		each = 5
	}
	ended := make(chan error)
	for p := range processes {
		go func() {
			out, err := h.process("create", fmt.Sprint(p), fmt.Sprint(each)).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			ended <- err
		}()
	}
	for range processes {
		require.NoError(t, <-ended)
	}
	want := []string{"a"}
	for p := range processes {
		for i := range each {
			want = append(want, fmt.Sprintf("%d-%d", p, i))
		}
	}
	require.ElementsMatch(t, want, h.ids(t))
	h.mustBeCurrent(t)
}
