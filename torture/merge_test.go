package torture

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestBesideTheOriginalToolNothingIsLost has the tool that sp came after write the same
// tenants.json, whole and without a lock, while four shells run sp. In the end all that
// each of them was told is in the registry and in the file.
func TestBesideTheOriginalToolNothingIsLost(t *testing.T) {
	steps := sized(t, 40, 1000)
	b := newBeside(newPlace(t))
	began := time.Now()
	problems := b.run(4, steps)
	t.Logf("%d writes of the original, %d commands, %d tried again %v, %d files kept aside, in %s", b.original.steps, b.ran, b.again, b.exits, b.kept, time.Since(began))
	require.Empty(t, problems)
	require.Positive(t, b.original.steps)
	require.Positive(t, b.merged, "nothing was ever merged")
}

// TestBesideTheOriginalToolWhatIsMissingShows breaks what keeps them from losing anything.
func TestBesideTheOriginalToolWhatIsMissingShows(t *testing.T) {
	rounds := sized(t, 8, 20)
	for _, v := range []variant{
		{"an old file is a new one", []change{{"internal/registry/merge.go", "written.Sub(s.since) >= unsure", "written.Sub(s.since) >= -unsure"}}},
		{"no look before the rename", []change{{"internal/place/waiting.go", "err = errors.Join(err, settle(out, w.to, was.Hash))", "err = os.Remove(out)"}}},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			sp := v.build(t)
			for range rounds {
				p := newPlace(t)
				p.SP = sp
				if problems := newBeside(p).run(4, 25); len(problems) > 0 {
					t.Log(head(problems))
					return
				}
			}
			require.Fail(t, "nothing shows it")
		})
	}
}

// beside is a registry with the original tool beside it.
type beside struct {
	place
	original *original

	mu       sync.Mutex
	problems []string
	ran      int
	again    int
	merged   int
	kept     int
	exits    map[int]int
	left     map[string]bool // what sp said that it left as it was: a member, by id and name, or a tenant
}

func newBeside(p place) *beside {
	p.Must("init")
	p.Must("export")
	return &beside{place: p, original: newOriginal(p.Store("tenants.json"), 7), exits: map[int]int{}, left: map[string]bool{}}
}

// run has so many shells take so many steps, and the original write all the while.
func (b *beside) run(shells, steps int) []string {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				if err := b.original.step(); err != nil {
					b.problem("the original: %v", err)
				}
				time.Sleep(time.Duration(b.original.dice.IntN(100)) * time.Millisecond)
			}
		}
	}()
	all := make([]*shell, shells)
	var group sync.WaitGroup
	for i := range all {
		all[i] = &shell{beside: b, name: fmt.Sprint("s", i), dice: dice(i), said: map[string]string{}, tokens: map[string]string{}}
		group.Go(func() {
			for n := range steps {
				all[i].step(n)
			}
		})
	}
	group.Wait()
	close(stop)
	<-ended
	b.sp("export")
	b.judge(all)
	return b.problems
}

func (b *beside) problem(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// sp runs a command as a careful script does: what was not made is tried again, what
// somebody has to settle is settled for sp's side.
func (b *beside) sp(args ...string) {
	for range 100 {
		o, err := harness.Run(b.Command(args...))
		b.note(o)
		switch {
		case err != nil:
			b.problem("sp %s: %v", strings.Join(args, " "), err)
			return
		case o.Exit == 0 || o.Exit == 8:
			return
		case o.Exit == 4 && strings.Contains(o.Stderr, "sp import --ours"):
			b.settle()
		case o.Exit != 4 && o.Exit != 6 && o.Exit != 7:
			b.problem("sp %s: exit %d: %s", strings.Join(args, " "), o.Exit, o.Stderr)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.problem("sp %s: never done", strings.Join(args, " "))
}

func (b *beside) note(o harness.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ran++
	b.exits[o.Exit]++
	if o.Exit != 0 && o.Exit != 8 {
		b.again++
	}
	for line := range strings.Lines(o.Stderr) {
		b.noteLeft(line)
	}
	if strings.Contains(o.Stderr, "before that, what another program did") {
		b.merged++
	}
	if strings.Contains(o.Stderr, "two programs wrote it at once") {
		b.kept++
	}
}

// The lines in which sp says that something stays as it is here, though the file says otherwise.
var (
	leftTenant  = regexp.MustCompile(`^sp: (?:stay|gone) (\S+) |hint: tenant (\S+): (?:the file|deleted)`)
	leftMembers = regexp.MustCompile(`^sp: (?:keep|update) (\S+) .*; kept, changed here after the file was read: ([^;\n]+)|hint: tenant (\S+): both changed (.+)`)
)

// noteLeft remembers what a line says to stay.
func (b *beside) noteLeft(line string) {
	if m := leftTenant.FindStringSubmatch(line); m != nil {
		b.left[m[1]+m[2]] = true
	}
	if m := leftMembers.FindStringSubmatch(line); m != nil {
		for _, member := range strings.Split(m[2]+m[4], ", ") {
			b.left[m[1]+m[3]+"/"+member] = true
		}
	}
}

// settle takes sp's side where both changed something.
func (b *beside) settle() {
	o, err := harness.Run(b.Command("import", "--ours"))
	b.note(o)
	if err != nil {
		b.problem("sp import --ours: %v", err)
	}
}

// judge compares what each was told with what is there.
func (b *beside) judge(all []*shell) {
	var answer struct {
		Tenants []map[string]any `json:"tenants"`
	}
	b.fromJSON(b.Must("export", "-"), &answer)
	there := map[string]map[string]any{}
	for _, t := range answer.Tenants {
		there[t["id"].(string)] = t
	}
	for _, s := range all {
		s.judge(there)
	}
	for id, said := range b.original.said {
		if !b.left[id] && !b.left[id+"/region"] {
			b.compare("the original's "+id, there[id], "region", said["region"])
		}
		delete(there, id)
	}
	for id := range there {
		if id[0] == 'o' && !b.left[id] {
			b.problem("%s came back", id)
		}
	}
	b.Must("export", "--check")
	if text := string(mustRead(b.T, b.Store("tenants.json"))); text != b.Must("export", "-") {
		b.problem("the file is not what sp export would write:\n%s", text)
	}
	if o := b.place.Run("doctor"); o.Exit != 0 {
		b.problem("sp doctor: %s", o.Stdout)
	}
}

func (b *beside) fromJSON(text string, to any) {
	require.NoError(b.T, json.Unmarshal([]byte(text), to))
}

func (b *beside) compare(what string, there map[string]any, member, want string) {
	if got := fmt.Sprint(there[member]); there == nil || got != want {
		b.problem("%s: %s is %v, and not %s", what, member, got, want)
	}
}
