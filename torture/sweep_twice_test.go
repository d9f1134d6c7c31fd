package torture

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestKilledWhileMendingLeavesWhatCanBeMended kills a command, and then the next one,
// which mends what the first left (bar B5, two kills).
func TestKilledWhileMendingLeavesWhatCanBeMended(t *testing.T) {
	first := sized(t, 18, 1) // every so many of what the first kill can leave
	harness.NeedStrace(t)
	for _, s := range shapesOf(*size) {
		if *size == "small" && s.name != "create, exported" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, s.first(), spPath)
			left := sc.aftermaths(first)
			again := sc.mending()
			kinds := tally{}
			for _, x := range left {
				again.start = x
				w := &sweep{scene: again, names: writes, wants: writesThere, happens: always("signal=KILL")}
				w.all(s.stride(5), func(at harness.Call, _ harness.Outcome) {
					f, err := w.judge()
					require.NoError(t, err, "killed at %s %d, %s, after\n%s", at.Name, at.Rank, at.On, x.listing())
					kinds[fmt.Sprintf("of stage %d", f.registry[0])]++
				})
				w.report(t, s.stride(5), kinds.String())
			}
			t.Logf("%s: %d states after the first kill", s.name, len(left))
		})
	}
}

// aftermaths are the states that differ which a kill at the points of the command left.
func (sc *scene) aftermaths(stride int) []tree {
	w := &sweep{scene: sc, names: writes, wants: writesThere, happens: always("signal=KILL")}
	seen := map[string]bool{}
	var left []tree
	w.all(stride, func(harness.Call, harness.Outcome) {
		x, err := readTree(sc.Dir)
		require.NoError(sc.T, err)
		if key := x.listing() + string(x[".systemprompt/sp.db"].data); !seen[key] {
			seen[key] = true
			left = append(left, x)
		}
	})
	return left
}

// mending is the scene of the next command: each stage of the first may be found, and
// each with the next command done.
func (sc *scene) mending() *scene {
	again := *sc
	again.shape.steps, again.shape.through = []string{sc.shape.next}, nil
	if sc.shape.next == mend {
		again.shape.next = "profile create again --tenant b" // twice the same would be refused
	}
	before := [][]string{nil}
	for i := range sc.shape.through {
		before = append(before, sc.shape.through[:i+1])
	}
	before = append(before, sc.shape.steps)
	again.stages = nil
	for _, mended := range [][]string{nil, {sc.shape.next}} {
		for _, lines := range before {
			again.stages = append(again.stages, again.stageAfter(append(lines[:len(lines):len(lines)], mended...)))
		}
	}
	return &again
}
