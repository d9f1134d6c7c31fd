// Package pair compares programs on a machine that is never quiet: in rounds, each of
// which runs every one of them once in random order, so that what disturbs one disturbs
// all; and it says how sure it is.
package pair

import (
	"fmt"
	"math/rand/v2"
)

// warmUps returns how many rounds are run before those that count: programs and data
// are in the page cache then. One is enough of what takes seconds.
func warmUps(rounds int) int {
	if rounds <= 5 {
		return 1
	}
	return 3
}

// Rig runs rounds.
type Rig struct {
	Gauge
	Rand *rand.Rand
}

// Series is what each command took, by its label, round by round.
type Series map[string][]Reading

// Compare runs the commands in rounds. The first that fails ends it: there is no speed
// for wrong answers.
func (r Rig) Compare(rounds int, commands ...Command) (Series, error) {
	if err := differ(commands); err != nil {
		return nil, err
	}
	series := Series{}
	for round := range rounds + warmUps(rounds) {
		for _, i := range r.Rand.Perm(len(commands)) {
			reading, err := r.Run(commands[i])
			if err != nil {
				return nil, err
			}
			if round >= warmUps(rounds) {
				series[commands[i].Label] = append(series[commands[i].Label], reading)
			}
		}
	}
	return series, nil
}

func differ(commands []Command) error {
	seen := map[string]bool{}
	for _, c := range commands {
		if seen[c.Label] {
			return fmt.Errorf("two commands are called %s", c.Label)
		}
		seen[c.Label] = true
	}
	return nil
}

// Times returns the seconds of each round.
func (s Series) Times(label string) []float64 {
	return s.each(label, func(r Reading) float64 { return r.Took.Seconds() })
}

// Work returns the seconds of processor time of each round, which other processes on the
// machine lengthen less than they do Times.
func (s Series) Work(label string) []float64 {
	return s.each(label, func(r Reading) float64 { return (r.User + r.System).Seconds() })
}

// Peaks returns the peak memory of each round, in MB of 10^6 bytes.
func (s Series) Peaks(label string) []float64 {
	return s.each(label, func(r Reading) float64 { return float64(r.PeakKB) * 1024 / 1e6 })
}

// Faults returns the page faults of each round.
func (s Series) Faults(label string) []float64 {
	return s.each(label, func(r Reading) float64 { return float64(r.MinorFaults + r.MajorFaults) })
}

func (s Series) each(label string, of func(Reading) float64) []float64 {
	values := make([]float64, len(s[label]))
	for i, reading := range s[label] {
		values[i] = of(reading)
	}
	return values
}
