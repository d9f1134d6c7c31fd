package scenarios

import (
	"fmt"

	"github.com/sp-registry/sp/bench/pair"
)

// coldStart is P1: resolve among 1k tenants, by an empty program; and what each library
// adds that is linked, though nothing uses it.
func coldStart(b *Bench) ([]Figure, error) {
	place, err := b.place(1000)
	if err != nil {
		return nil, err
	}
	commands := []pair.Command{b.resolve(place, "sp")}
	variants := b.Peers.Linked
	if b.Peers.WithoutAge != nil {
		variants = append(variants[:len(variants):len(variants)], *b.Peers.WithoutAge)
	}
	for _, variant := range variants {
		c := b.resolve(place, variant.Name)
		c.Program = variant.Path
		commands = append(commands, c)
	}
	if err := b.answerAlike(commands...); err != nil {
		return nil, err
	}
	s, err := b.Rig.Compare(b.rounds(1000), append(commands, b.empty("empty"))...)
	if err != nil {
		return nil, err
	}
	bound := pair.Bound{Gate: 2.9, Stretch: 2.3}
	product := b.ratio("`sp resolve`, 1k / empty Go", s, "sp", "empty", bound)
	product.Note += fmt.Sprintf("; %.1f MB, %.0f page faults; empty: %.1f MB, %.0f",
		pair.Median(s.Peaks("sp")), pair.Median(s.Faults("sp")), pair.Median(s.Peaks("empty")), pair.Median(s.Faults("empty")))
	return append([]Figure{product}, b.shares(s, variants, bound)...), nil
}
