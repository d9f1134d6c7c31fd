package scenarios

import (
	"os"
	"slices"

	"github.com/sp-registry/sp/bench/gen"
	"github.com/sp-registry/sp/bench/pair"
)

// daily is D6: what people run all day, by resolve, and how long they wait for it.
func daily(b *Bench) ([]Figure, error) {
	place, err := b.place(10)
	if err != nil {
		return nil, err
	}
	bound := pair.Bound{Gate: 1.3}
	asked := []struct {
		line  string
		args  []string
		bound pair.Bound
	}{
		{"tenant list", []string{"tenant", "list"}, bound},
		{"explain", []string{"explain"}, bound},
		{"status", []string{"status"}, bound},
		{"env", []string{"env"}, bound},
		{"exec -- true", []string{"exec", "--", "true"}, pair.Bound{}},
	}
	commands := []pair.Command{b.resolve(place, "resolve"), b.sp(place, "doctor", "doctor")}
	for _, c := range asked {
		commands = append(commands, b.sp(place, c.line, c.args...))
	}
	s, err := b.Rig.Compare(b.rounds(10), commands...)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	for _, c := range asked {
		figures = append(figures, b.ratio("`sp "+c.line+"` / resolve", s, c.line, "resolve", c.bound))
	}
	figures = append(figures, b.wait("`sp doctor`", s, "doctor", 30))
	changes, err := b.choosing()
	return append(figures, changes...), err
}

// choosing measures what chooses a session and a tenant, the usual wait and the longest.
func (b *Bench) choosing() ([]Figure, error) {
	const n = 10
	p, err := b.moved("choose", n)
	if err != nil {
		return nil, err
	}
	change := func(label string, args ...string) pair.Command {
		c := b.sp(p, label, args...)
		c.Before = b.running(b.sp(p, "back", "session", "switch", gen.Profile(0)))
		return c
	}
	s, err := b.Rig.Compare(b.rounds(n), change("switch", "session", "switch", gen.Profile(1)), change("select", "tenant", "select", gen.ID(2)))
	if err != nil {
		return nil, err
	}
	longest := func(name, label string) Figure {
		return Figure{Name: name + ": the longest", Unit: "ms", Value: pair.Exactly(1000 * slices.Max(s.Times(label))), Bound: pair.Bound{Gate: 50}}
	}
	return []Figure{
		b.wait("`sp session switch`", s, "switch", 10), longest("`sp session switch`", "switch"),
		b.wait("`sp tenant select`", s, "select", 10), longest("`sp tenant select`", "select"),
	}, os.RemoveAll(p.Dir)
}

// wait is how long a command takes, in milliseconds: on another machine it is another figure.
func (b *Bench) wait(name string, s pair.Series, label string, gate float64) Figure {
	times := s.Times(label)
	for i := range times {
		times[i] *= 1000
	}
	return Figure{Name: name, Unit: "ms", Value: pair.Measure(b.Rig.Rand, times), Bound: pair.Bound{Gate: gate}}
}
