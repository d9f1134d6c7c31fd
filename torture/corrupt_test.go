package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// findings is what became of all the damage.
type findings struct {
	sync.Mutex
	bad     []string    // what must never be
	silent  []string    // the file holds another value, and is whole for SQLite
	exits   map[int]int // of all commands
	harmful int         // files that some command refused
	slowest time.Duration
}

// examine runs all commands on one damaged file.
func (s *specimen) examine(t *testing.T, name string, damaged []byte, all *findings) {
	t.Helper()
	require.NoError(t, s.infect(damaged))
	refused := false
	look := func(command string, isRight func(harness.Outcome) bool) {
		start := time.Now()
		o, err := s.try(command)
		took := time.Since(start)
		problem := trouble(command, o)
		switch {
		case err != nil:
			problem = err.Error()
		case problem == "" && o.Exit == 0 && !isRight(o):
			problem = command + ": exit 0 with a wrong answer"
		}
		all.Lock()
		defer all.Unlock()
		all.exits[o.Exit]++
		all.slowest = max(all.slowest, took)
		refused = refused || o.Exit != 0
		switch {
		case problem == "":
		case strings.HasSuffix(problem, "wrong answer") && isWhole(t, damaged):
			all.silent = append(all.silent, name+": "+problem)
		default:
			all.bad = append(all.bad, name+": "+problem)
		}
	}
	for _, probe := range probes {
		look(probe, func(o harness.Outcome) bool { return o.Stdout == s.right[probe].Stdout })
	}
	look(cure, func(harness.Outcome) bool {
		o, err := s.try("export -")
		return err == nil && o.Exit == 0 && o.Stdout == cured(s.right["export -"].Stdout)
	})
	if refused {
		all.Lock()
		all.harmful++
		all.Unlock()
	}
}

// cured is the export after the cure.
func cured(export string) string {
	return strings.Replace(export, `"name": "tenant 3",`, `"name": "tenant 3",`+"\n      "+`"region": "cured",`, 1)
}

func TestTheCureIsWhatItIsTakenFor(t *testing.T) {
	sized(t, 1, 1)
	s := newSpecimen(t)
	s.Must(strings.Fields(cure)...)
	require.Equal(t, cured(s.right["export -"].Stdout), s.Must("export", "-"))
}

// TestDamagedFilesAreReadRightOrRefused (B12, faults 19 and 20): whatever happens to
// the bytes of sp.db, a command answers what was true before, or refuses. What
// SQLite can't see, a changed value in a whole file, is counted and told.
func TestDamagedFilesAreReadRightOrRefused(t *testing.T) {
	n := sized(t, 300, 50_000)
	t.Parallel()
	all := &findings{exits: map[int]int{}}
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range 4 {
		s := newSpecimen(t)
		workers.Go(func() {
			for i := range numbers {
				name, damaged := damage(s.whole, i)
				s.examine(t, fmt.Sprintf("%d %s", i, name), damaged, all)
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
	t.Logf("%d damaged files, %d of them refused by some command, exits %v, slowest command %s", n, all.harmful, all.exits, all.slowest)
	t.Logf("%d answers from %d files that SQLite finds whole though a value in them has changed", len(all.silent), distinctFiles(all.silent))
	slices.Sort(all.bad)
	for _, b := range all.bad {
		t.Error(b)
	}
	require.Greater(t, all.harmful, n/3, "is this damage at all?")
}

func distinctFiles(findings []string) int {
	files := map[string]bool{}
	for _, f := range findings {
		number, _, _ := strings.Cut(f, " ")
		files[number] = true
	}
	return len(files)
}

// dice are the same for each number in every run.
func dice(number int) *rand.Rand { return rand.New(rand.NewPCG(3, uint64(number))) }
