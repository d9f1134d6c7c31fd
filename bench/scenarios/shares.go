package scenarios

import (
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/peers"
)

// shares says what each library costs a start, in empty programs: the difference of two
// variants by the empty one, round by round.
func (b *Bench) shares(s pair.Series, variants []peers.Peer) []Figure {
	var figures []Figure
	for _, v := range variants {
		more, less := v.Name, "sp"
		name := "share of " + strings.TrimPrefix(v.Name, "sp+")
		if v.Name == "sp-age" {
			more, less, name = "sp", v.Name, "share of age, which is linked"
		}
		figures = append(figures, Figure{
			Name:  name + ", in empty Go programs",
			Value: pair.Measure(b.Rig.Rand, differences(s.Times, more, less, "empty")),
			Note:  fmt.Sprintf("%s; processor time %.2g; binary %s, without %s", took(s, more), pair.Median(differences(s.Work, more, less, "empty")), megabytes(b.path(more)), megabytes(b.path(less))),
		})
		if v.Name == "sp+all" {
			figures = append(figures, b.ratio("`sp resolve` with all of them / empty Go", s, v.Name, "empty", pair.Bound{}))
		}
	}
	return figures
}

func differences(of func(label string) []float64, more, less, unit string) []float64 {
	values, units := of(more), of(unit)
	for i, less := range of(less) {
		values[i] = (values[i] - less) / units[i]
	}
	return values
}

// path is that of a variant of sp.
func (b *Bench) path(name string) string {
	for _, v := range b.Peers.Linked {
		if v.Name == name {
			return v.Path
		}
	}
	if name == "sp-age" {
		return b.Peers.WithoutAge.Path
	}
	return b.Peers.SP.Path
}

func megabytes(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.1f MB", float64(info.Size())/1e6)
}
