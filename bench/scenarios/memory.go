package scenarios

import (
	"fmt"

	"github.com/sp-registry/sp/bench/pair"
)

// exportMemory is P8, of the same runs.
func exportMemory(b *Bench) ([]Figure, error) {
	return b.memory("export", b.exporting, pair.Bound{Gate: 32, Stretch: 16}, &pair.Bound{Gate: 2.0, Stretch: 1.2})
}

// importMemory is P11, of the same runs; also where there is no registry yet, and with the
// file that follows.
func importMemory(b *Bench) ([]Figure, error) {
	figures, err := b.memory("import", b.importing, pair.Bound{Gate: 32, Stretch: 20}, nil)
	if err != nil {
		return figures, err
	}
	n := b.most()
	s, err := b.importing(n) // as above
	if err != nil {
		return figures, err
	}
	return append(figures,
		peak(fmt.Sprintf("`sp import`, no registry yet: peak memory, %s", count(n)), s, "new", pair.Bound{Gate: 40}),
		peak(fmt.Sprintf("the same with the file that follows, %s", count(n)), s, "followed", pair.Bound{Gate: 40})), nil
}

// memory is the peak memory of something at the largest size and, if growth is bound,
// that by its peak at 10k.
func (b *Bench) memory(what string, measured func(int) (pair.Series, error), bound pair.Bound, growth *pair.Bound) ([]Figure, error) {
	many := b.most()
	var figures []Figure
	if !b.Full {
		figures = []Figure{{Name: fmt.Sprintf("`sp %s`: peak memory, 1M", what), Bound: bound, Missing: onlyFull}}
	}
	s, err := measured(many)
	if err != nil {
		return figures, err
	}
	asked := func(bound pair.Bound) pair.Bound {
		if b.Full {
			return bound
		}
		return pair.Bound{}
	}
	most := peak(fmt.Sprintf("`sp %s`: peak memory, %s", what, count(many)), s, "sp", asked(bound))
	for _, other := range []string{"serde", "sqlite3"} {
		if len(s[other]) > 0 {
			most.Note = fmt.Sprintf("%s: %.0f MB", other, pair.Median(s.Peaks(other)))
		}
	}
	figures = append(figures, most)
	if growth == nil {
		return figures, nil
	}
	few, err := measured(10_000)
	if err != nil {
		return figures, err
	}
	return append(figures, Figure{
		Name:  fmt.Sprintf("`sp %s`: peak memory, %s / 10k", what, count(many)),
		Value: pair.Span(shared(s.Peaks("sp"), pair.Median(few.Peaks("sp")))),
		Bound: asked(*growth),
		Note:  fmt.Sprintf("%.1f MB / %.1f MB", pair.Median(s.Peaks("sp")), pair.Median(few.Peaks("sp"))),
	}), nil
}
