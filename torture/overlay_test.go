//go:build linux

package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// TestARegistryInALayerOfAnImageIsUsedByMany (trust): a registry that was made in an image lies
// in the lower layer of an overlay. The first open copies it up, so that its place is another
// one, while others read and change it; it is the user's all the same, and nobody is told
// otherwise by accident.
func TestARegistryInALayerOfAnImageIsUsedByMany(t *testing.T) {
	rounds := sized(t, 3, 100)
	p := newSmallDisk(t, 64<<20)
	for round := range rounds {
		layers := filepath.Join(p.Dir, fmt.Sprint(round))
		for _, dir := range []string{"lower", "upper", "work", "merged"} {
			require.NoError(t, os.MkdirAll(filepath.Join(layers, dir), 0o700))
		}
		lower, merged := p.at(filepath.Join(layers, "lower")), p.at(filepath.Join(layers, "merged"))
		lower.Must("init")
		lower.Must("tenant", "create", "--id", "a", "--name", "a", "--database-url", "postgres://u:s3cret@h/a")
		lower.Must("export")
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower.Dir, layers, layers)
		if err := unix.Mount("overlay", merged.Dir, "overlay", 0, options); err != nil {
			harness.Missing(t, fmt.Sprintf("can't mount an overlay: %v", err))
		}
		t.Cleanup(func() { require.NoError(t, unix.Unmount(merged.Dir, unix.MNT_DETACH)) })

		var wait sync.WaitGroup
		results := make([]harness.Outcome, 8)
		for i := range results {
			wait.Go(func() {
				args := []string{"tenant", "edit", "a", "--region", fmt.Sprint(i)}
				if i%4 == 3 {
					args = []string{"resolve", "--tenant", "a"}
				}
				results[i] = merged.Run(args...)
			})
		}
		wait.Wait()
		said := 0
		for i, o := range results {
			require.Zero(t, o.Exit, "%d: %s", i, o.Stderr)
			said += strings.Count(o.Stderr, "this project is a copy of ")
		}
		require.Equal(t, 1, said, "once")
		require.Equal(t, 1+6, strings.Count(merged.Must("log"), "\n"), "no change is lost")
		require.Equal(t, "postgres://u:s3cret@h/a\n", lower.Must("resolve", "--tenant", "a"))
	}
}

// at is the same place, with another directory to run sp in.
func (p place) at(dir string) place {
	p.Dir = dir
	return p
}
