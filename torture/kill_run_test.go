package torture

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// run ends n changes with signals, each followed by one that must work and mend what
// was left.
func (k *kills) run(n int, signals ...os.Signal) {
	stop, polled := make(chan struct{}), make(chan struct{})
	var seen []string
	var looks int
	go func() {
		seen, looks = k.poll(stop)
		close(polled)
	}()
	for i := range n {
		after := time.Duration(k.dice.Int64N(int64(k.took * 5 / 4)))
		if i%2 == 1 && signals[0] == syscall.SIGKILL {
			after = asItWrites
		}
		k.problem(k.change(after, signals[i%len(signals)]))
		if signals[i%len(signals)] != syscall.SIGKILL {
			k.problem(k.leftovers())
		}
		if k.dice.IntN(4) == 0 { // what mends may be killed as well
			k.problem(k.change(max(0, after/2), signals[i%len(signals)]))
		}
		k.afterwards()
	}
	close(stop)
	<-polled
	k.problems = append(k.problems, seen...)
	k.T.Logf("%d looks at tenants.json; of %d changes %v", looks, k.began.Load(), k.outcomes)
}

func (k *kills) problem(what string) {
	if what != "" {
		k.problems = append(k.problems, fmt.Sprintf("change %d: %s", k.began.Load(), what))
	}
}

// afterwards reads, checks that what is there was acknowledged or on its way, and
// changes once more; then nothing of the trouble may be left.
func (k *kills) afterwards() {
	there, err := k.there()
	if err != nil || there < k.acked.Load() || there > k.began.Load() {
		k.problem(fmt.Sprintf("the registry shows %d, where %d was acknowledged and %d begun last: %v", there, k.acked.Load(), k.began.Load(), err))
	}
	k.problem(k.change(0, nil))
	k.problem(k.leftovers())
	if o := k.place.Run("export", "--check"); o.Exit != 0 {
		k.problem("not mended: " + o.Stderr)
	}
}

// leftovers says what lies in the directory that does not belong there.
func (k *kills) leftovers() string {
	for _, name := range k.Names() {
		switch name {
		case ".gitignore", ".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum", "tenants.json":
		default:
			return "left: " + name
		}
	}
	return ""
}

// wholeAfter is what holds after all of it.
func (k *kills) wholeAfter() {
	require.Empty(k.T, head(k.problems))
	require.True(k.T, isWhole(k.T, mustRead(k.T, k.Store("sp.db"))))
	require.Greater(k.T, k.outcomes["died"]+k.outcomes["ended"], 0, "nothing was ended")
	require.Greater(k.T, k.outcomes["done"], 0)
}

// TestKilledAtAnyTime (B4, fault 22): SIGKILL at random times. Nothing that was acknowledged
// is lost, tenants.json is the old or the new one at every instant, and the next
// change mends what was left.
func TestKilledAtAnyTime(t *testing.T) {
	n := sized(t, 100, 5000)
	k := newKills(t)
	k.run(n, syscall.SIGKILL)
	k.wholeAfter()
}

// TestToldToEndAtAnyTime (fault 29): as before, but politely: then nothing is left at
// all, and the exit says 128 and the signal only where nothing was changed.
func TestToldToEndAtAnyTime(t *testing.T) {
	n := sized(t, 50, 3000)
	k := newKills(t)
	k.run(n, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	k.wholeAfter()
	require.Greater(t, k.outcomes["ended"], 0, "no signal came in time")
}
