package scenarios

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/sp-registry/sp/bench/pair"
)

// ratio is what one command took, by what another did in the same rounds.
func (b *Bench) ratio(name string, s pair.Series, over, under string, bound pair.Bound) Figure {
	return Figure{
		Name:  name,
		Value: pair.Measure(b.Rig.Rand, pair.Ratios(s.Times(over), s.Times(under))),
		Bound: bound,
		Note: fmt.Sprintf("%s / %s; processor time %.3g", took(s, over), took(s, under),
			pair.Median(pair.Ratios(s.Work(over), s.Work(under)))),
	}
}

// shared divides values by one and the same.
func shared(values []float64, by float64) []float64 {
	ratios := make([]float64, len(values))
	for i, value := range values {
		ratios[i] = value / by
	}
	return ratios
}

// peak is the most memory that a command had.
func peak(name string, s pair.Series, label string, bound pair.Bound) Figure {
	return Figure{Name: name, Value: pair.Span(s.Peaks(label)), Unit: "MB", Bound: bound}
}

// took is the median time of a command, for people.
func took(s pair.Series, label string) string { return duration(pair.Median(s.Times(label))) }

func duration(seconds float64) string {
	switch {
	case seconds < 0.1e-3:
		return fmt.Sprintf("%.1f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.2f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", seconds)
}

// sameBytes compares two files.
func sameBytes(one, other string) error {
	a, err := os.Open(one)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(other)
	if err != nil {
		return err
	}
	defer b.Close()
	left, right := bufio.NewReaderSize(a, 1<<20), bufio.NewReaderSize(b, 1<<20)
	for at := 0; ; at++ {
		x, errX := left.ReadByte()
		y, errY := right.ReadByte()
		switch {
		case errX == io.EOF && errY == io.EOF:
			return nil
		case errX != nil && errX != io.EOF:
			return errX
		case errY != nil && errY != io.EOF:
			return errY
		case x != y || errX != errY:
			return fmt.Errorf("%s and %s differ at byte %d", one, other, at)
		}
	}
}
