package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// oneThread keeps Go from moving a command that strace slows down to another thread at
// every turn.
var oneThread = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=32", "GOGC=off"}

// strace runs sp with its system calls told, and tampered with as the options say. What sp
// starts is let go of: a server that it leaves behind would never end.
func (s *scene) strace(names string, options []string, args []string) (outcome, []call) {
	s.t.Helper()
	log := filepath.Join(s.dir, "strace.log")
	traced := *s
	traced.env = append(append([]string{}, s.env...), oneThread...)
	line := append([]string{"-f", "-b", "execve", "-qq", "-s", "0", "-o", log, "-e", "trace=" + names}, options...)
	o := traced.run("strace", append(append(line, sp()), args...)...)
	text, err := os.ReadFile(log)
	require.NoError(s.t, err)
	return o, callsIn(string(text))
}

func needStrace(t *testing.T) {
	t.Helper()
	pgtest.Server(t) // skips where there is none
	out, err := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, sp(), "version").CombinedOutput()
	if err != nil && os.Getenv("SP_REQUIRE_POSTGRES") != "1" {
		t.Skipf("strace can't trace here: %v %s", err, out)
	}
	require.NoError(t, err, "%s", out)
}

// deed is a command that is swept. There is a fresh begin to each time, which returns the
// command; judge is told which time it is and what the command said, and looks at what is
// left. What was cut off has said nothing, and its exit is -1.
type deed struct {
	*scene
	begin func(i int) (args []string)
	judge func(i int, o outcome)
}

// harm is what happens to a command at one of its calls.
type harm struct {
	names string // of the system calls, as strace takes them
	wants func(call) bool
	// does is what strace is told to do at a call, the i-th that is asked for.
	does func(i int, c call) string
	// met tells where it happened, if it did, and what the command said by itself.
	met func(o outcome, calls []call) (at *call, said outcome)
}

// sweep does harm to a deed at every stride-th of its calls.
func (d deed) sweep(h harm, stride int) {
	d.t.Helper()
	args := d.begin(0)
	o, calls := d.strace(h.names, nil, args)
	require.Zero(d.t, o.exit, o.stderr)
	d.judge(0, o)
	var points []call
	for _, c := range calls {
		if h.wants(c) {
			points = append(points, c)
		}
	}
	i, asked, met, places, exits := 0, 0, 0, map[string]bool{}, map[int]int{}
	for n := 0; n < len(points); n += every(stride) {
		asked++
		happened := false
		for _, nth := range points[n].tries() {
			i++
			at, exit := d.suffer(h, points[n], nth, i)
			if at != nil {
				happened, places[at.place()] = true, true
				exits[exit]++
			}
			if places[points[n].place()] || happened && points[n].on != aSocket {
				break
			}
		}
		if happened {
			met++
		}
	}
	d.t.Logf("%d of %d points, met %d, at %d places; exits %v", asked, len(points), met, len(places), exits)
	if asked >= 10 { // of a few, chance may have it that none is met
		require.GreaterOrEqual(d.t, 2*met, asked, "points that no run met")
	}
}

// suffer does the harm once, where a thread is at its nth call of that name, and has it judged.
func (d deed) suffer(h harm, p call, nth, i int) (at *call, exit int) {
	d.t.Helper()
	args, does := d.begin(i), h.does(i, p)
	o, calls := d.strace(h.names, []string{"-e", fmt.Sprintf("inject=%s:%s:when=%d", p.name, does, nth)}, args)
	at, said := h.met(o, calls)
	d.t.Logf("%d: %s %d: %s, met %v: exit %d, %s", i, p.name, nth, does, at != nil, o.exit, o.stderr)
	d.judge(i, said)
	return at, o.exit
}

// every is the stride; SP_LIVE_STRIDE names another one, 1 for every point.
func every(stride int) int {
	if named, err := strconv.Atoi(os.Getenv("SP_LIVE_STRIDE")); err == nil && named > 0 {
		return named
	}
	return stride
}
