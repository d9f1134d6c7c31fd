package scenarios

import (
	"fmt"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/peers"
)

// againstJQ is P2: the same look-up by every jq that is there, in the file of 1k.
func againstJQ(b *Bench) ([]Figure, error) {
	place, err := b.place(1000)
	if err != nil {
		return nil, err
	}
	if len(b.Peers.JQ) == 0 {
		return []Figure{{Name: "`sp resolve`, 1k / jq", Missing: "no jq"}}, nil
	}
	commands := []pair.Command{b.resolve(place, "sp")}
	for _, jq := range b.Peers.JQ {
		commands = append(commands, pair.Command{
			Label: jq.Name, Program: jq.Path,
			Args: []string{"-r", "--arg", "id", place.Tenant, ".tenants[] | select(.id == $id) | .database_url", place.File},
		})
	}
	if err := b.answerAlike(commands...); err != nil {
		return nil, err
	}
	s, err := b.Rig.Compare(b.rounds(1000), commands...)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	for _, jq := range b.Peers.JQ {
		bound := pair.Bound{}
		if len(jq.Name) >= 6 && jq.Name[:6] == "jq 1.7" {
			bound.Stretch = 0.30
		}
		figures = append(figures, b.ratio("`sp resolve`, 1k / "+jq.Name, s, "sp", jq.Name, bound))
	}
	return figures, nil
}

// againstSerde is P3: the same look-up by the original's reader.
func againstSerde(b *Bench) ([]Figure, error) {
	bounds := map[int]pair.Bound{
		10_000:    {Gate: 0.35, Stretch: 0.25},
		100_000:   {Gate: 0.035, Stretch: 0.025},
		1_000_000: {Gate: 0.004, Stretch: 0.003},
	}
	now, left := b.sizes(1000, 10_000, 100_000, 1_000_000)
	name := func(n int) string { return fmt.Sprintf("`sp resolve` / serde reading, %s", count(n)) }
	var figures []Figure
	if b.Peers.Serde == nil {
		return []Figure{{Name: "`sp resolve` / serde reading", Missing: "no serde peer", Failed: true}}, nil
	}
	for _, n := range now {
		place, err := b.place(n)
		if err != nil {
			return figures, err
		}
		commands := []pair.Command{b.resolve(place, "sp"), serdeFind(*b.Peers.Serde, place)}
		if err := b.answerAlike(commands...); err != nil {
			return figures, err
		}
		s, err := b.Rig.Compare(b.rounds(n), commands...)
		if err != nil {
			return figures, err
		}
		figures = append(figures, b.ratio(name(n), s, "sp", "serde", bounds[n]))
	}
	for _, n := range left {
		figures = append(figures, Figure{Name: name(n), Bound: bounds[n], Missing: onlyFull})
	}
	return figures, nil
}

func serdeFind(serde peers.Peer, p Place) pair.Command {
	return pair.Command{Label: "serde", Program: serde.Path, Args: []string{"find", p.File, p.Tenant}}
}
