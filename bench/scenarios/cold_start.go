package scenarios

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/peers"
)

// fresh is how many copies of both programs P1 measures: how a file lies in the page cache
// is worth some per cent, and is drawn anew with each.
const fresh = 3

// coldStart is P1: resolve by an empty program, the two by turns and nothing between them,
// at sizes on both sides of what a change checks whole (200 tenants are 57 pages, 720 are
// 100).
func coldStart(b *Bench) ([]Figure, error) {
	bound := pair.Bound{Gate: 3.3, Stretch: 2.9}
	name := func(n int) string { return fmt.Sprintf("`sp resolve`, %s / empty Go", count(n)) }
	now, left := b.sizes(10, 200, 720, 1_000_000)
	var figures, later []Figure
	var medians []float64
	for _, n := range now {
		place, err := b.place(n)
		if err != nil {
			return figures, err
		}
		s, err := b.inTurns(place, func(peers.Peer) error { return nil })
		if err != nil {
			return figures, err
		}
		figure := b.ratio(name(n), s, "sp", "empty", bound)
		figure.Note += fmt.Sprintf("; %.1f MB, %.0f page faults; empty: %.1f MB, %.0f",
			pair.Median(s.Peaks("sp")), pair.Median(s.Faults("sp")), pair.Median(s.Peaks("empty")), pair.Median(s.Faults("empty")))
		figures, medians = append(figures, figure), append(medians, figure.Value.Median)
		reboot, err := b.inTurns(place, peers.Peer.Forget)
		if err != nil {
			return figures, err
		}
		later = append(later, b.ratio(name(n)+", both as after a reboot", reboot, "sp", "empty", pair.Bound{}))
	}
	for _, n := range left {
		figures = append(figures, Figure{Name: name(n), Bound: bound, Missing: onlyFull})
	}
	apart := pair.Exactly(slices.Max(medians) / slices.Min(medians))
	return append(append(figures, Figure{Name: "the largest of these / the least", Value: apart, Bound: pair.Bound{Gate: 1.08}}), later...), nil
}

// inTurns runs resolve and the empty program, of fresh copies that prepare has seen.
func (b *Bench) inTurns(place Place, prepare func(peers.Peer) error) (pair.Series, error) {
	all := pair.Series{}
	for range fresh {
		sp, err := b.Peers.Fresh(b.Peers.SP)
		if err != nil {
			return nil, err
		}
		empty, err := b.Peers.Fresh(b.Peers.Empty)
		if err := errors.Join(err, prepare(sp), prepare(empty)); err != nil {
			return nil, err
		}
		resolve, nothing := b.resolve(place, "sp"), b.empty("empty")
		resolve.Program, nothing.Program = sp.Path, empty.Path
		s, err := b.Rig.Compare(b.rounds(10)/fresh, resolve, nothing)
		if err := errors.Join(err, empty.Remove(), sp.Remove()); err != nil {
			return nil, err
		}
		for label, readings := range s {
			all[label] = append(all[label], readings...)
		}
	}
	return all, nil
}

// libraries is D5: what each library adds to a start that is linked, though nothing uses it.
func libraries(b *Bench) ([]Figure, error) {
	place, err := b.place(10)
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
	s, err := b.Rig.Compare(b.rounds(10), append(commands, b.empty("empty"))...)
	if err != nil {
		return nil, err
	}
	return b.shares(s, variants), nil
}
