package torture

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// point is one system call of a command, at which something happens to it.
type point struct {
	name, path string
	rank       int
}

func pointOf(c harness.Call) point { return point{c.Name, c.On, c.Rank} }

// always lets the same happen at every point.
func always(what string) func(int, harness.Call) string {
	return func(int, harness.Call) string { return what }
}

// sweep goes through the points of a scene's one command.
type sweep struct {
	*scene
	names string // of the system calls, as strace takes them
	wants func(harness.Call) bool
	more  []string // for strace
	// happens is what strace is told to do at the call, the i-th point.
	happens func(i int, c harness.Call) string
	// behind is the stride of the points behind the COMMIT; with 0 it is as before it.
	behind     int
	happenedAt map[point]bool
	points     []harness.Call // all that there are
}

// attempts returns how often a point is tried. strace counts calls for each thread, and
// Go moves a command from one thread to another now and then, so that a run may
// meet another point than the one that was meant; the log shows which it met, and
// where not all are asked for that one does as well.
func attempts() int {
	if *size == "long" {
		return 20
	}
	return 8
}

// all runs the command once for every stride-th point, and hands on what came of it,
// with the project as it was left.
func (w *sweep) all(stride int, each func(at harness.Call, o harness.Outcome)) {
	w.happenedAt, w.points = map[point]bool{}, w.undisturbed()
	chosen := w.chosen(stride)
	for try := range attempts() {
		for _, i := range chosen {
			c := tried(w.points[i], try)
			enough := len(w.happenedAt) >= len(chosen) && !slices.Contains(w.shape.betweenLooks(), pointOf(c))
			if w.happenedAt[pointOf(c)] || enough {
				continue
			}
			require.NoError(w.T, w.start.layOut(w.Dir))
			o, calls := w.strace(w.names, w.shape.steps[0], append(w.at(i, c), w.more...)...)
			if met := w.met(calls, c); met != nil && !w.happenedAt[pointOf(*met)] {
				w.happenedAt[pointOf(*met)] = true
				each(*met, o)
			}
		}
	}
}

// tried is where a point is looked for the n-th time: as it was met before, as in a run
// in one thread, which is what many are, and then wherever its thread may begin to count.
func tried(c harness.Call, n int) harness.Call {
	switch {
	case n == 1:
		c.Nth, c.NthOn = c.All, c.Rank
	case n > 1:
		c.Nth, c.NthOn = 1+n%c.All, 1+n%c.Rank
	}
	return c
}

// chosen are the points that are asked for, those behind the COMMIT first.
func (w *sweep) chosen(stride int) (chosen []int) {
	commit := len(w.points)
	if w.behind > 0 {
		commit = w.commit()
	}
	for i := commit; i < len(w.points); i += w.behind {
		chosen = append(chosen, i)
	}
	for i := 0; i < commit; i += stride {
		chosen = append(chosen, i)
	}
	return chosen
}

// commit is the first point behind the command's last COMMIT, which the end of the journal
// is, or the new registry's name.
func (w *sweep) commit() int {
	behind := 0
	for i, c := range w.points {
		named := strings.HasPrefix(c.Name, "rename") && strings.HasSuffix(c.On, "/sp.db")
		if named || strings.HasSuffix(c.On, "/sp.db-journal") {
			behind = i + 1
		}
	}
	return behind
}

// at is how strace is told to tamper with a call. Where the path is known, only calls
// with that path count, which leaves the threads less to confuse.
func (w *sweep) at(i int, c harness.Call) []string {
	inject := func(n int) []string {
		return []string{"-e", fmt.Sprintf("inject=%s:%s:when=%d", c.Name, w.happens(i, c), n)}
	}
	path := w.aim(c)
	if path == "" {
		return inject(c.Nth)
	}
	return append(inject(c.NthOn), "-P", path)
}

// undisturbed returns the points of a run that nothing happens to.
func (w *sweep) undisturbed() []harness.Call {
	require.NoError(w.T, w.start.layOut(w.Dir))
	o, calls := w.strace(w.names, w.shape.steps[0])
	require.Zero(w.T, o.Exit, o.Stderr)
	var found []harness.Call
	for _, c := range calls {
		if w.wants(c) {
			found = append(found, c)
		}
	}
	return found
}

// met returns the call of the project that it happened at, by what strace counted.
func (w *sweep) met(calls []harness.Call, meant harness.Call) *harness.Call {
	number := meant.Nth
	if w.aim(meant) != "" {
		number = meant.NthOn
	}
	for _, c := range calls {
		if c.Name == meant.Name && c.Nth == number && w.wants(c) {
			return &c
		}
	}
	return nil
}

// report fails where more than two points in ten were missed, or where there was nothing
// to sweep. The power cuts know no threads and stop at every one.
func (w *sweep) report(t *testing.T, stride int, more string) {
	t.Helper()
	t.Logf("%s: %d of %d points asked for, of %d: %s", w.shape.name, len(w.happenedAt), len(w.chosen(stride)), len(w.points), more)
	require.GreaterOrEqual(t, 10*len(w.happenedAt), 8*len(w.chosen(stride)), "points that no run met")
	require.Greater(t, len(w.happenedAt), 3, "are these all?")
}

// writes are the system calls that change a file, its name or its mode, or make it
// durable; open and openat where they make one.
var writes = strings.Join([]string{
	"open", "openat", "creat", "mkdir", "mkdirat", "write", "pwrite64", "writev", "pwritev", "ftruncate", "truncate", "fallocate",
	"copy_file_range", "fsync", "fdatasync", "sync_file_range", "rename", "renameat", "renameat2", "link", "linkat", "symlinkat",
	"unlink", "unlinkat", "rmdir", "fchmod", "fchmodat", "chmod",
}, ",")
