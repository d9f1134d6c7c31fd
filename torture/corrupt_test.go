package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// specimen is a registry that is damaged and looked at again and again.
type specimen struct {
	place
	whole  []byte             // sp.db
	export []byte             // tenants.json
	right  map[string]outcome // what the commands of probes answer when all is well
}

// probes are commands that only read, and together read all that there is.
var probes = []string{
	"tenant list --json",
	"tenant show t7 --json --reveal",
	"tenant show big --json --reveal",
	"resolve --tenant t11",
	"resolve",
	"explain --json",
	"status --json --max-age 876000h",
	"profile list --json --all",
	"export -",
}

// cure is a change that has to be refused, or to do what it says.
const cure = "tenant edit t3 --region cured"

func newSpecimen(t *testing.T) *specimen {
	t.Helper()
	s := &specimen{place: newPlace(t)}
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "in.json"), []byte(manyTenants(60)), 0o600))
	s.must("import", "in.json")
	for i := range 20 {
		s.must("profile", "create", fmt.Sprintf("p%d", i), "--tenant", fmt.Sprintf("t%d", i))
	}
	s.must("session", "switch", "p2")
	s.must("profile", "default", "p1")
	s.must("export")
	s.whole, s.export = mustRead(t, s.store("sp.db")), mustRead(t, s.store("tenants.json"))
	s.right = map[string]outcome{}
	for _, probe := range probes {
		s.right[probe] = s.run(strings.Fields(probe)...)
		require.Zero(t, s.right[probe].exit, "%s: %s", probe, s.right[probe].stderr)
	}
	return s
}

// manyTenants is a tenants.json of n tenants and one whose row needs many pages.
func manyTenants(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"id": "t%d", "name": "tenant %d", "database_url": "postgres://u:s3cret%d@h%d/db", "docker_project": {"x": [%d]}},`, i, i, i, i, i)
	}
	return `{"tenants": [` + text.String() + `{"id": "big", "name": "big", "x": "` + strings.Repeat("x", 30_000) + `"}], "synced_at": "2026-02-01T10:00:00Z"}`
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// infect puts a damaged sp.db into an otherwise untouched directory.
func (s *specimen) infect(damaged []byte) error {
	entries, err := os.ReadDir(s.store(""))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != ".gitignore" {
			if err := os.RemoveAll(s.store(e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(s.store("tenants.json"), s.export, 0o600); err != nil {
		return err
	}
	return os.WriteFile(s.store("sp.db"), damaged, 0o600)
}

// tooLong is what no command may take, whatever the file holds.
const tooLong = 20 * time.Second

func (s *specimen) try(command string) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	prepared := s.command(strings.Fields(command)...)
	cmd := exec.CommandContext(ctx, prepared.Path, prepared.Args[1:]...)
	cmd.Dir, cmd.Env = prepared.Dir, prepared.Env
	o, err := runToEnd(cmd)
	if ctx.Err() != nil {
		return o, fmt.Errorf("%s: no end after %s", command, tooLong)
	}
	return o, err
}

// trouble says what is wrong with how a command took a damaged file, whatever the
// damage: a panic, a bug reported as such, a secret in what is not the answer.
func trouble(command string, o outcome) string {
	switch {
	case strings.Contains(o.stderr, "goroutine ") || strings.Contains(o.stderr, "panic"):
		return command + ": panic: " + o.stderr
	case o.exit == 1 || o.exit < 0:
		return fmt.Sprintf("%s: exit %d: %s", command, o.exit, strings.Join(strings.Fields(o.stderr+o.stdout), " "))
	case o.exit != 0 && (o.stderr == "" && !strings.Contains(o.stdout, `"error"`)):
		return fmt.Sprintf("%s: exit %d without a word", command, o.exit)
	case o.exit != 0 && strings.Contains(o.stdout+o.stderr, "s3cret"):
		return command + ": shows a secret: " + o.stdout + o.stderr
	}
	return ""
}

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
	look := func(command string, isRight func(outcome) bool) {
		start := time.Now()
		o, err := s.try(command)
		took := time.Since(start)
		problem := trouble(command, o)
		switch {
		case err != nil:
			problem = err.Error()
		case problem == "" && o.exit == 0 && !isRight(o):
			problem = command + ": exit 0 with a wrong answer"
		}
		all.Lock()
		defer all.Unlock()
		all.exits[o.exit]++
		all.slowest = max(all.slowest, took)
		refused = refused || o.exit != 0
		switch {
		case problem == "":
		case strings.HasSuffix(problem, "wrong answer") && isWhole(t, damaged):
			all.silent = append(all.silent, name+": "+problem)
		default:
			all.bad = append(all.bad, name+": "+problem)
		}
	}
	for _, probe := range probes {
		look(probe, func(o outcome) bool { return o.stdout == s.right[probe].stdout })
	}
	look(cure, func(outcome) bool {
		o, err := s.try("export -")
		return err == nil && o.exit == 0 && o.stdout == cured(s.right["export -"].stdout)
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
	s.must(strings.Fields(cure)...)
	require.Equal(t, cured(s.right["export -"].stdout), s.must("export", "-"))
}

// TestDamagedFilesAreReadRightOrRefused (B12, faults 19 and 20): whatever happens to
// the bytes of sp.db, a command answers what was true before, or refuses. What
// SQLite can't see, a changed value in a whole file, is counted and told.
func TestDamagedFilesAreReadRightOrRefused(t *testing.T) {
	n := sized(t, 500, 50_000)
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
