package torture

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// race is many processes on one registry. What each was told is kept here, outside
// the registry; what does not fit together is a problem.
type race struct {
	place
	began time.Time
	// tolerated are exits of changes that are no problem, beside 0.
	tolerated []int

	mu        sync.Mutex
	problems  []string
	snapshots []snapshot
	shared    register // the region of the tenant that everybody changes
	session   register // the profile that everybody switches
	took      []time.Duration
}

// span is when a command ran, by the race's clock.
type span struct{ start, end time.Duration }

func newRace(p place) *race {
	p.Must("init")
	p.Must("export")
	p.Must("tenant", "create", "--id", "shared", "--name", "shared", "--database-url", "postgres://h/s", "--no-export")
	return &race{place: p, began: time.Now(), shared: newRegister(""), session: newRegister("")}
}

// run runs many writers, each for so many steps, and returns what is wrong.
func (r *race) run(writers, steps int) []string {
	all := make([]*writer, writers)
	var group sync.WaitGroup
	for i := range all {
		all[i] = newWriter(r, i)
		group.Go(func() {
			for step := range steps {
				all[i].step(step)
			}
		})
	}
	group.Wait()
	r.judge(all)
	return r.problems
}

func (r *race) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// do runs a command that must end with that exit.
func (r *race) do(exit int, args ...string) (span, harness.Outcome) {
	start := time.Since(r.began)
	o, err := harness.Run(r.Command(args...))
	s := span{start, time.Since(r.began)}
	if err != nil || o.Exit != exit && !slices.Contains(r.tolerated, o.Exit) {
		r.problem("sp %s: exit %d: %s%s %v", strings.Join(args, " "), o.Exit, o.Stdout, o.Stderr, err)
	}
	return s, o
}

// change is do for what changes the registry; how long it takes is kept.
func (r *race) change(args ...string) span {
	s, _ := r.do(0, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, s.end-s.start)
	return s
}

// judge holds what was seen, and what is there in the end, against what was told.
func (r *race) judge(all []*writer) {
	last := r.observe("export", "-")
	r.snapshots = append(r.snapshots, last)
	r.problems = append(r.problems, r.disorder(last, all)...)
	r.problems = append(r.problems, incoherent(r.snapshots, all)...)
	r.problems = append(r.problems, r.shared.problems("the shared region")...)
	r.problems = append(r.problems, r.session.problems("the session")...)
	if r.tolerated != nil { // then the file may be behind; the next change catches up
		r.do(0, "tenant", "edit", "shared", "--region", "last")
	}
	_, exported := r.do(0, "export", "-")
	file, err := os.ReadFile(r.Store("tenants.json"))
	if err != nil || string(file) != exported.Stdout {
		r.problem("tenants.json is not what sp export - prints: %v", err)
	}
	for _, name := range r.Names() {
		if !slices.Contains([]string{".gitignore", ".lock", ".place", "profiles", "sessions", "sp.db", "sp.db-journal", "sp.db.sum", "tenants.json"}, name) {
			r.problem("left behind: %s", name)
		}
	}
}

// disorder says which tenants do not stand in the order in which their creations
// were acknowledged.
func (r *race) disorder(last snapshot, all []*writer) (problems []string) {
	made := map[string]span{}
	for _, w := range all {
		for id, s := range w.made {
			made[id] = s
		}
	}
	for i, later := range last.order {
		for _, earlier := range last.order[:i] {
			if made[later].end < made[earlier].start {
				problems = append(problems, fmt.Sprintf("%s was there before %s was begun, and stands behind it", later, earlier))
			}
		}
	}
	return problems
}

// figures tells how long changes took.
func (r *race) figures() string {
	slices.Sort(r.took)
	total := time.Since(r.began)
	at := func(part float64) time.Duration {
		return r.took[int(part*float64(len(r.took)-1))].Round(time.Millisecond)
	}
	return fmt.Sprintf("%d changes in %s (%.0f/s), p50 %s, p99 %s, worst %s; %d snapshots, %d values of the shared member, %d of the session",
		len(r.took), total.Round(time.Millisecond), float64(len(r.took))/total.Seconds(), at(0.5), at(0.99), at(1),
		len(r.snapshots), len(r.shared.values), len(r.session.values))
}

// TestManyProcessesLoseNothing (B1, B2): sixteen writers, each of which also reads,
// and whatever one of them sees is a state that all the others can agree on.
func TestManyProcessesLoseNothing(t *testing.T) {
	steps := sized(t, 40, 500)
	r := newRace(newPlace(t))
	problems := r.run(16, steps)
	t.Log(r.figures())
	require.Empty(t, head(problems))
	require.Greater(t, len(r.snapshots), steps, "who reads?")
}

// head is the first of many.
func head(problems []string) string {
	return strings.Join(problems[:min(len(problems), 10)], "\n")
}

// sorted returns the keys of a map in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// copies is a place for copies of an export, which everybody may look into.
func (p place) copies() string {
	dir := filepath.Join(p.Dir, "copies")
	require.NoError(p.T, os.MkdirAll(dir, 0o755))
	return dir
}
