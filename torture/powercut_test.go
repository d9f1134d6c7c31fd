package torture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestPowerCutLosesNothingThatWasAcknowledged lays out every state of the disk that a
// power cut during a command could leave, and judges each (bar B7, fault 37).
func TestPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	limit := sized(t, 50, 1_000_000)
	harness.NeedStrace(t)
	for _, s := range shapesOf(*size) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, s, spPath)
			cuts := sc.cuts(limit)
			t.Logf("%s: %s", s.name, cuts)
			require.Empty(t, cuts.broken)
			require.GreaterOrEqual(t, cuts.states, 500)
		})
	}
}

// cuts is what came of all power cuts of a scene's steps.
type cuts struct {
	states, distinct, judged int
	stages                   map[int]int // how many were of which stage
	broken                   []string
}

func (c cuts) String() string {
	return fmt.Sprintf("%d states, %d distinct, %d judged, by stage %v, %d bad", c.states, c.distinct, c.judged, c.stages, len(c.broken))
}

// instant is the disk after a call, and how many steps were acknowledged by then.
type instant func(x tree, data bool, acknowledged, call int)

// cuts judges all states that differ, or every so many where there are more than the
// limit; those after an acknowledgement, and those in which only names are not durable, all.
func (sc *scene) cuts(limit int) cuts {
	steps := sc.recordAll()
	c := cuts{stages: map[int]int{}}
	order := map[uint64]int{} // of the states that differ
	names := map[uint64]bool{}
	sc.replayAll(steps, func(x tree, data bool, _, _ int) {
		c.states++
		digest := x.digest()
		if order[digest] == 0 {
			order[digest] = len(order) + 1
		}
		if data {
			names[digest] = true
		}
	})

	c.distinct = len(order)
	stride := (c.distinct + limit - 1) / limit
	known := map[uint64]verdict{}
	sc.replayAll(steps, func(x tree, _ bool, acknowledged, call int) {
		digest := x.digest()
		if order[digest]%stride != 0 && !names[digest] && acknowledged == 0 || len(c.broken) == 10 {
			return
		}
		v, judged := known[digest]
		if !judged {
			v = sc.verdictOn(x)
			known[digest] = v
			c.count(v)
		}
		err := v.err
		if err == nil {
			err = v.meets(sc.acknowledged(acknowledged))
		}
		if err != nil {
			c.broken = append(c.broken, fmt.Sprintf("cut after call %d, %d acknowledged: %v\n%s", call, acknowledged, err, x.listing()))
		}
	})
	return c
}

func (c *cuts) count(v verdict) {
	c.judged++
	if v.err == nil {
		c.stages[v.registry[0]]++
	}
}

type verdict struct {
	finding
	err error
}

func (sc *scene) verdictOn(x tree) verdict {
	require.NoError(sc.T, x.layOut(sc.Dir))
	f, err := sc.judge()
	return verdict{f, err}
}

// recordAll runs the steps one after the other, and keeps what they left.
func (sc *scene) recordAll() [][]event {
	require.NoError(sc.T, sc.start.layOut(sc.Dir))
	var steps [][]event
	for _, line := range sc.shape.steps {
		steps = append(steps, sc.record(line))
	}
	var err error
	sc.left, err = readTree(sc.Dir)
	require.NoError(sc.T, err)
	return steps
}

// replayAll calls each with what a cut after every call could leave. A step is
// acknowledged when it prints its answer, or else when it ends.
func (sc *scene) replayAll(steps [][]event, each instant) {
	r := &replay{disk: newDisk(sc.start), dir: sc.Dir, offsets: map[string]int{}}
	call := 0
	for step, events := range steps {
		acknowledged := step
		for _, e := range events {
			call++
			require.NoError(sc.T, r.follow(e))
			answers := e.name == "write" && strings.HasPrefix(e.args[0].word, "1") && number(e.args[0]) == 1
			if answers || e.name == "exit_group" {
				acknowledged = step + 1
			} else if len(r.paths(e)) == 0 {
				continue // nothing has changed
			}
			r.afterCut(func(x tree, data bool) { each(x, data, acknowledged, call) })
		}
	}
	running := tree{}
	r.root.running("", running)
	require.Equal(sc.T, sc.left.listing(), running.listing())
	require.Equal(sc.T, sc.left.digest(), running.digest(), "the replay went another way than the commands")
}
