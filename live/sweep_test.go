package live

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
)

// strace runs sp with its system calls told, and tampered with as the options say. What sp
// starts is let go of: a server that it leaves behind would never end.
func (s *scene) strace(names string, options []string, args []string) (harness.Outcome, []harness.Call) {
	s.T.Helper()
	traced := s.Place
	traced.Env = slices.Concat(s.Env, harness.OneThread)
	o, log := traced.Traced(args, append([]string{"-b", "execve", "-s", "0", "-e", "trace=" + names}, options...)...)
	return o, harness.Calls(log, descriptors{}.see)
}

func needStrace(t *testing.T) {
	t.Helper()
	pgtest.Server(t) // skips where there is none
	harness.NeedStrace(t)
}

// deed is a command that is swept. There is a fresh begin to each time, which returns the
// command; judge is told which time it is and what the command said, and looks at what is
// left. What was cut off has said nothing, and its exit is -1.
type deed struct {
	*scene
	begin func(i int) (args []string)
	judge func(i int, o harness.Outcome)
}

// harm is what happens to a command at one of its calls.
type harm struct {
	names string // of the system calls, as strace takes them
	wants func(harness.Call) bool
	// does is what strace is told to do at a call, the i-th that is asked for.
	does func(i int, c harness.Call) string
	// met tells where it happened, if it did, and what the command said by itself.
	met func(o harness.Outcome, calls []harness.Call) (at *harness.Call, said harness.Outcome)
}

// sweep does harm to a deed at every stride-th of its calls.
func (d deed) sweep(h harm, stride int) {
	d.T.Helper()
	args := d.begin(0)
	o, calls := d.strace(h.names, nil, args)
	require.Zero(d.T, o.Exit, o.Stderr)
	d.judge(0, o)
	var points []harness.Call
	for _, c := range calls {
		if h.wants(c) {
			points = append(points, c)
		}
	}
	i, asked, met, places, exits := 0, 0, 0, map[string]bool{}, map[int]int{}
	for n := 0; n < len(points); n += every(stride) {
		asked++
		happened := false
		for _, nth := range tries(points[n]) {
			i++
			at, exit := d.suffer(h, points[n], nth, i)
			if at != nil {
				happened, places[placeOf(*at)] = true, true
				exits[exit]++
			}
			if places[placeOf(points[n])] || happened && points[n].On != aSocket {
				break
			}
		}
		if happened {
			met++
		}
	}
	d.T.Logf("%d of %d points, met %d, at %d places; exits %v", asked, len(points), met, len(places), exits)
	if asked >= 10 { // of a few, chance may have it that none is met
		require.GreaterOrEqual(d.T, 2*met, asked, "points that no run met")
	}
}

// suffer does the harm once, where a thread is at its nth call of that name, and has it judged.
func (d deed) suffer(h harm, p harness.Call, nth, i int) (at *harness.Call, exit int) {
	d.T.Helper()
	args, does := d.begin(i), h.does(i, p)
	o, calls := d.strace(h.names, []string{"-e", fmt.Sprintf("inject=%s:%s:when=%d", p.Name, does, nth)}, args)
	at, said := h.met(o, calls)
	d.T.Logf("%d: %s %d: %s, met %v: exit %d, %s", i, p.Name, nth, does, at != nil, o.Exit, o.Stderr)
	d.judge(i, said)
	return at, o.Exit
}

// every is the stride; SP_LIVE_STRIDE names another one, 1 for every point.
func every(stride int) int {
	if named, err := strconv.Atoi(os.Getenv("SP_LIVE_STRIDE")); err == nil && named > 0 {
		return named
	}
	return stride
}
