package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/bench/pair"
)

// output is a command that writes a whole tenants.json, and where.
type output struct {
	pair.Command
	path string
}

// exporting runs every way to write the file of n tenants, once a run of the bench.
func (b *Bench) exporting(n int) (pair.Series, error) {
	if s, measured := b.exports[n]; measured {
		return s, nil
	}
	place, err := b.place(n)
	if err != nil {
		return nil, err
	}
	var commands []pair.Command
	for _, o := range b.outputs(place) {
		o.Before = removing(o.path)
		if _, err := b.Rig.Run(o.Command); err != nil {
			return nil, err
		}
		if err := sameBytes(o.path, place.File); err != nil {
			return nil, err
		}
		commands = append(commands, o.Command)
	}
	s, err := b.Rig.Compare(b.rounds(n), commands...)
	if err != nil {
		return nil, err
	}
	if b.exports == nil {
		b.exports = map[int]pair.Series{}
	}
	b.exports[n] = s
	for _, o := range b.outputs(place)[1:] {
		_ = removing(o.path)() // it is only in the way
	}
	return s, nil
}

// outputs are the ways to write the file. sp's own is durable: synced, renamed, the
// directory synced. `export -` and serde are not, and serde is not atomic either.
func (b *Bench) outputs(place Place) []output {
	printed := output{b.sp(place, "sp -", "export", "-"), filepath.Join(b.Work, "printed.json")}
	printed.Stdout = printed.path
	outputs := []output{{b.sp(place, "sp", "export"), place.store("tenants.json")}, printed}
	if serde := b.Peers.Serde; serde != nil {
		to := filepath.Join(b.Work, "serde.json")
		outputs = append(outputs, output{pair.Command{Label: "serde", Program: serde.Path, Args: []string{"rewrite", place.File, to}}, to})
	}
	if cp := b.Peers.Copy; cp != nil {
		to := filepath.Join(b.Work, "cp.json")
		outputs = append(outputs, output{pair.Command{Label: "cp", Program: cp.Path, Args: []string{place.File, to}}, to})
	}
	return outputs
}

// removing removes a file, so that nothing finds what it is to write.
func removing(path string) func() error {
	return func() error {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
}

// exportAtScale is P7: sp's export, by the original's reading, parsing and writing.
func exportAtScale(b *Bench) ([]Figure, error) {
	bound := pair.Bound{Gate: 0.70, Stretch: 0.40}
	name := func(n int) string {
		return fmt.Sprintf("`sp export`, durable / serde read, parse, write, %s", count(n))
	}
	var figures []Figure
	now, left := b.sizes(10_000, 100_000, 1_000_000)
	for _, n := range now {
		s, err := b.exporting(n)
		if err != nil {
			return figures, err
		}
		asked := bound
		if n == 10_000 {
			asked = pair.Bound{}
		}
		if b.Peers.Serde == nil {
			figures = append(figures, Figure{Name: name(n), Bound: asked, Missing: "no serde peer", Failed: asked.Gate != 0})
		} else {
			figures = append(figures, b.ratio(name(n), s, "sp", "serde", asked),
				b.ratio(fmt.Sprintf("`sp export - > FILE` / the same, %s", count(n)), s, "sp -", "serde", pair.Bound{}))
		}
		if b.Peers.Copy != nil {
			figures = append(figures, b.ratio(fmt.Sprintf("`sp export` / `cp`, %s", count(n)), s, "sp", "cp", pair.Bound{}))
		}
	}
	for _, n := range left {
		figures = append(figures, Figure{Name: name(n), Bound: bound, Missing: onlyFull})
	}
	return figures, nil
}

// exportUnchanged is P9: an export of what the file shows already, by resolve. That a
// file that somebody changed is never taken for an unchanged one is a test of its own.
func exportUnchanged(b *Bench) ([]Figure, error) {
	var figures []Figure
	bounds := map[int]pair.Bound{1000: {Gate: 1.5, Stretch: 1.1}, 100_000: {Gate: 20}} // all of the file is read
	for _, n := range []int{1000, 100_000} {
		place, err := b.place(n)
		if err != nil {
			return figures, err
		}
		export := b.sp(place, "export", "export")
		if _, err := b.Rig.Run(export); err != nil {
			return figures, err
		}
		s, err := b.Rig.Compare(b.rounds(n), export, b.resolve(place, "resolve"))
		if err != nil {
			return figures, err
		}
		if err := sameBytes(place.store("tenants.json"), place.File); err != nil {
			return figures, err
		}
		figures = append(figures, b.ratio(fmt.Sprintf("`sp export`, nothing changed / resolve, %s", count(n)), s, "export", "resolve", bounds[n]))
	}
	return figures, nil
}
