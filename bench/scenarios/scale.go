package scenarios

import (
	"errors"
	"fmt"

	"github.com/sp-registry/sp/bench/pair"
)

// resolveAtScale is P4: resolve among many tenants, by resolve among ten; also among so few
// that a change checks them whole.
func resolveAtScale(b *Bench) ([]Figure, error) {
	bound := pair.Bound{Gate: 1.15, Stretch: 1.05}
	few, err := b.place(10)
	if err != nil {
		return nil, err
	}
	commands, sizes := []pair.Command{b.resolve(few, "10")}, []int{200, 300}
	for _, n := range sizes {
		place, err := b.place(n)
		if err != nil {
			return nil, err
		}
		commands = append(commands, b.resolve(place, count(n)))
	}
	s, err := b.Rig.Compare(b.rounds(10), commands...)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	for _, n := range sizes {
		figures = append(figures, b.ratio(fmt.Sprintf("`sp resolve`, %d / 10", n), s, count(n), "10", bound))
	}
	more, err := b.atScale("resolve", bound, pair.Bound{Gate: 1.1, Stretch: 1.02}, 1, "resolve")
	return append(figures, more...), err
}

// firstPage is P13: the first fifty of many tenants, by a list of ten.
func firstPage(b *Bench) ([]Figure, error) {
	return b.atScale("tenant list --limit 50", pair.Bound{Gate: 1.15, Stretch: 1.05}, pair.Bound{}, 50, "tenant", "list", "--limit", "50")
}

// atScale compares a command among many tenants with the same among ten. A short run
// has a hundred thousand of them, of which nothing is asked. It answers a line for each
// of as many tenants as are there, up to most.
func (b *Bench) atScale(what string, time, memory pair.Bound, most int, args ...string) ([]Figure, error) {
	many := b.most()
	var figures []Figure
	if !b.Full {
		name := fmt.Sprintf("`sp %s`, 1M / 10", what)
		figures = []Figure{{Name: name, Bound: time, Missing: onlyFull}}
		time, memory = pair.Bound{}, pair.Bound{}
	}
	few, err := b.place(10)
	if err != nil {
		return figures, err
	}
	lots, err := b.place(many)
	if err != nil {
		return figures, err
	}
	among, ten := b.sp(lots, "many", args...), b.sp(few, "10", args...)
	if err := errors.Join(b.answersLines(among, min(most, many)), b.answersLines(ten, min(most, 10))); err != nil {
		return figures, err
	}
	s, err := b.Rig.Compare(b.rounds(10), among, ten)
	if err != nil {
		return figures, err
	}
	name := fmt.Sprintf("`sp %s`, %s / 10", what, count(many))
	return append(figures, b.ratio(name, s, "many", "10", time), Figure{
		Name:  name + ": peak memory",
		Value: pair.Measure(b.Rig.Rand, pair.Ratios(s.Peaks("many"), s.Peaks("10"))),
		Bound: memory,
		Note:  fmt.Sprintf("%.1f MB / %.1f MB", pair.Median(s.Peaks("many")), pair.Median(s.Peaks("10"))),
	}), nil
}

// help is P16: the whole command tree, and no registry.
func help(b *Bench) ([]Figure, error) {
	commands := []pair.Command{b.sp(Place{Dir: b.Work}, "sp", "--help"), b.empty("empty")}
	s, err := b.Rig.Compare(b.rounds(10), commands...)
	if err != nil {
		return nil, err
	}
	return []Figure{b.ratio("`sp --help` / empty Go", s, "sp", "empty", pair.Bound{Gate: 3.2, Stretch: 2.6})}, nil
}
