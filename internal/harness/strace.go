package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// NeedStrace is for tests that can't do without; some containers have it and forbid it.
func NeedStrace(t testing.TB) {
	t.Helper()
	if out, err := exec.Command(Need(t, "strace"), "-f", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		Missing(t, "strace can't trace here: "+string(out))
	}
}

// Strace has a process that was prepared run under strace, which writes its system calls into
// log, those of its children, too, and tampers with them as the options say.
func Strace(t testing.TB, cmd *exec.Cmd, log string, options ...string) *exec.Cmd {
	t.Helper()
	cmd.Args = slices.Concat([]string{"strace", "-f", "-qq", "-o", log}, options, []string{cmd.Path}, cmd.Args[1:])
	cmd.Path = Need(t, "strace")
	return cmd
}

// Traced runs `sp ARGUMENT...` under strace, and returns what that told of its system calls.
func (p Place) Traced(args []string, options ...string) (Outcome, string) {
	p.T.Helper()
	log := filepath.Join(p.T.TempDir(), "strace.log")
	o := p.Ran(Strace(p.T, p.Command(args...), log, options...))
	text, err := os.ReadFile(log)
	require.NoError(p.T, err)
	return o, string(text)
}

// OneThread keeps Go from moving a command that strace slows down to another thread at every
// turn: strace counts the calls of each thread by itself.
var OneThread = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=32", "GOGC=off"}

// Call is a system call as strace tells it.
type Call struct {
	Name, Args string // Args are its arguments, with what it returned
	On         string // what it is on, as the test says
	// How many of this name there were until now: in its thread, as strace counts for when=,
	// and in all; and the same of those on the same.
	Nth, All, NthOn, Rank int
	Injected              bool // strace tampered with it
	Row                   bool // it comes right behind one of the same name
}

var callLine = regexp.MustCompile(`^(\d+) +(?:(\w+)\(|<\.\.\. (\w+) resumed>)(.*)$`)

// Calls parses what strace told. A call that did not end before another thread's is told twice
// and counts where it began. see, unless nil, is told of each half, and says of the first what it
// is on.
func Calls(log string, see func(name, args string, begins bool) (on string)) (calls []Call) {
	counted, begun, last := map[string]int{}, map[string]int{}, ""
	next := func(key ...string) int {
		counted[strings.Join(key, " ")]++
		return counted[strings.Join(key, " ")]
	}
	for line := range strings.Lines(log) {
		found := callLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue // a signal, or an end
		}
		thread, name, resumed, args := found[1], found[2], found[3], found[4]
		if resumed != "" {
			if see != nil {
				see(resumed, args, false)
			}
			if at, ok := begun[thread]; ok && isInjected(args) {
				calls[at].Injected = true
			}
			continue
		}
		begun[thread] = len(calls)
		on := ""
		if see != nil {
			on = see(name, args, true)
		}
		calls = append(calls, Call{
			Name: name, Args: args, On: on, Injected: isInjected(args), Row: name == last,
			Nth: next("in", thread, name), All: next("all", name), NthOn: next("in", thread, name, "on", on), Rank: next("all", name, "on", on),
		})
		last = name
	}
	return calls
}

func isInjected(args string) bool { return strings.HasSuffix(args, "(INJECTED)") }
