package torture

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// register is a value that many write, each time another one, and many read.
type register struct {
	values map[string]*zone
}

// zone is the time of one value: from the first end to the last start of the
// commands that wrote or read it. If that is forwards, the register held this value
// at that time and no other.
type zone struct {
	value               string
	write               span
	firstEnd, lastStart time.Duration
}

func newRegister(first string) register {
	r := register{values: map[string]*zone{}}
	r.wrote(first, span{start: -1, end: -1})
	return r
}

func (r *register) wrote(value string, s span) {
	z := r.zone(value)
	z.write = s
	z.include(s)
}

func (r *register) read(value string, s span) { r.zone(value).include(s) }

func (r *register) zone(value string) *zone {
	if r.values[value] == nil {
		r.values[value] = &zone{value: value, write: span{start: 1 << 62}, firstEnd: 1 << 62, lastStart: -2}
	}
	return r.values[value]
}

func (z *zone) include(s span) {
	z.firstEnd, z.lastStart = min(z.firstEnd, s.end), max(z.lastStart, s.start)
}

// problems says why there is no order of these commands, each at an instant between
// its start and its end, in which every read returns what was written last. It is the
// condition of Gibbons and Korach for values that are written once (Testing Shared
// Memories, 1997), which is necessary and sufficient.
func (r *register) problems(what string) (problems []string) {
	var forward, backward []*zone
	for _, value := range sorted(r.values) {
		z := r.values[value]
		switch {
		case z.firstEnd < z.write.start:
			problems = append(problems, fmt.Sprintf("%s: %q was read before it was written", what, z.value))
		case z.firstEnd < z.lastStart:
			forward = append(forward, z)
		default:
			backward = append(backward, z)
		}
	}
	slices.SortFunc(forward, func(a, b *zone) int { return int(a.firstEnd - b.firstEnd) })
	for i, z := range forward {
		if i > 0 && z.firstEnd < forward[i-1].lastStart {
			problems = append(problems, fmt.Sprintf("%s: %q came back after %q", what, forward[i-1].value, z.value))
		}
		for _, b := range backward {
			if z.firstEnd < b.lastStart && b.firstEnd < z.lastStart {
				problems = append(problems, fmt.Sprintf("%s: %q was lost: %q was there before and after it", what, b.value, z.value))
			}
		}
	}
	return problems
}

// The judge of the races must be able to condemn.
func TestTheRegisterSeesWhatIsLost(t *testing.T) {
	sized(t, 1, 1)
	for what, c := range map[string]struct {
		good bool
		ops  func(r *register)
	}{
		"one after the other": {true, func(r *register) {
			r.wrote("a", span{1, 2})
			r.read("a", span{3, 4})
			r.wrote("b", span{5, 6})
			r.read("b", span{7, 8})
		}},
		"at the same time": {true, func(r *register) {
			r.wrote("a", span{1, 9})
			r.wrote("b", span{1, 9})
			r.read("b", span{2, 3})
			r.read("a", span{4, 5})
		}},
		"a lost update": {false, func(r *register) {
			r.wrote("a", span{1, 2})
			r.wrote("b", span{3, 4})
			r.read("a", span{5, 6})
		}},
		"a stale read": {false, func(r *register) {
			r.wrote("a", span{1, 9})
			r.read("a", span{2, 3})
			r.read("", span{4, 5})
		}},
		"back and forth": {false, func(r *register) {
			r.wrote("a", span{1, 9})
			r.wrote("b", span{1, 9})
			r.read("a", span{2, 3})
			r.read("b", span{4, 5})
			r.read("a", span{6, 7})
		}},
		"from the future": {false, func(r *register) {
			r.read("a", span{1, 2})
			r.wrote("a", span{3, 4})
		}},
		"from nowhere": {false, func(r *register) { r.read("a", span{1, 2}) }},
	} {
		r := newRegister("")
		c.ops(&r)
		require.Equal(t, c.good, len(r.problems("it")) == 0, what)
	}
}
