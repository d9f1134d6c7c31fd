package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/bench/pair"
)

// exporting runs every way to write the file of n tenants, once a run of the bench.
// That of sp is durable: synced, renamed, the directory synced. `export -` and serde are
// not, and serde is not atomic either.
func (b *Bench) exporting(n int) (pair.Series, error) {
	if s, measured := b.exports[n]; measured {
		return s, nil
	}
	place, err := b.place(n)
	if err != nil {
		return nil, err
	}
	var outputs []string
	var commands []pair.Command
	add := func(c pair.Command, output string) {
		c.Before = removing(output)
		commands, outputs = append(commands, c), append(outputs, output)
	}
	add(b.sp(place, "sp", "export"), place.store("tenants.json"))
	printed := b.sp(place, "sp -", "export", "-")
	printed.Stdout = filepath.Join(b.Work, "printed.json")
	add(printed, printed.Stdout)
	if serde := b.Peers.Serde; serde != nil {
		to := filepath.Join(b.Work, "serde.json")
		add(pair.Command{Label: "serde", Program: serde.Path, Args: []string{"rewrite", place.File, to}}, to)
	}
	if cp := b.Peers.Copy; cp != nil {
		to := filepath.Join(b.Work, "cp.json")
		add(pair.Command{Label: "cp", Program: cp.Path, Args: []string{place.File, to}}, to)
	}
	for i, c := range commands {
		if _, err := b.Rig.Run(c); err != nil {
			return nil, err
		}
		if err := sameBytes(outputs[i], place.File); err != nil {
			return nil, err
		}
	}
	s, err := b.Rig.Compare(b.rounds(n), commands...)
	if err != nil {
		return nil, err
	}
	if b.exports == nil {
		b.exports = map[int]pair.Series{}
	}
	b.exports[n] = s
	for _, output := range outputs[1:] {
		_ = removing(output)() // it is only in the way
	}
	return s, nil
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
			figures = append(figures, Figure{Name: name(n), Bound: asked, Missing: "no serde peer"})
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

// exportMemory is P8, of the same runs.
func exportMemory(b *Bench) ([]Figure, error) {
	return b.memory("export", b.exporting, pair.Bound{Gate: 32, Stretch: 16}, &pair.Bound{Gate: 2.0, Stretch: 1.2})
}

// memory is the peak memory of something at the largest size and, if growth is bound,
// that by its peak at 10k.
func (b *Bench) memory(what string, measured func(int) (pair.Series, error), bound pair.Bound, growth *pair.Bound) ([]Figure, error) {
	many := 100_000
	var figures []Figure
	if b.Full {
		many = 1_000_000
	} else {
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

// exportUnchanged is P9: an export of what the file shows already, by resolve. That a
// file that somebody changed is never taken for an unchanged one is a test of its own.
func exportUnchanged(b *Bench) ([]Figure, error) {
	var figures []Figure
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
		figures = append(figures, b.ratio(fmt.Sprintf("`sp export`, nothing changed / resolve, %s", count(n)), s, "export", "resolve",
			pair.Bound{Gate: 1.5, Stretch: 1.1}))
	}
	return figures, nil
}
