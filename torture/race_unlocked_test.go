package torture

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestSQLiteKeepsWritersApartWhenTheLockFileGoes (fault 31): somebody removes the lock
// file all the time, so that two writers hold two locks. SQLite's own lock loses
// nothing then; only the file that follows may have to be caught up with (exit 8),
// or be found changed (exit 4), and two may wait for each other (exit 7).
func TestSQLiteKeepsWritersApartWhenTheLockFileGoes(t *testing.T) {
	steps := sized(t, 12, 300)
	r := newRace(newPlace(t))
	stop := make(chan struct{})
	var removed int
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if os.Remove(r.Store(".lock")) == nil {
					removed++
				}
				time.Sleep(time.Millisecond)
			}
		}
	})
	lost := r.withoutLock(8, steps)
	close(stop)
	group.Wait()
	t.Logf("the lock file went %d times", removed)
	require.Empty(t, head(lost))
	require.Greater(t, removed, steps)
}

// withoutLock has writers create tenants, and says which acknowledged ones are lost.
func (r *race) withoutLock(writers, steps int) (lost []string) {
	var group sync.WaitGroup
	acknowledged := make([][]string, writers)
	for w := range writers {
		group.Go(func() {
			for i := range steps {
				id := fmt.Sprintf("w%d-%d", w, i)
				o, err := harness.Run(r.Command("tenant", "create", "--id", id, "--name", id, "--database-url", "postgres://h/x"))
				switch {
				case err == nil && (o.Exit == 0 || o.Exit == 8):
					acknowledged[w] = append(acknowledged[w], id)
				case err != nil || o.Exit != 4 && o.Exit != 7:
					r.problem("create: exit %d: %s %v", o.Exit, o.Stderr, err)
				}
			}
		})
	}
	group.Wait()
	r.do(0, "export", "--force")
	r.do(0, "export", "--check")
	_, o := r.do(0, "export", "-")
	for _, id := range slices.Concat(acknowledged...) {
		if !strings.Contains(o.Stdout, `"id": "`+id+`"`) {
			r.problem("%s was acknowledged, and is lost", id)
		}
	}
	return r.problems
}
