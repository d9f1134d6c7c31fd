package scenarios

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/sp-registry/sp/bench/pair"
)

// Blocks of P5: the writer can't be asked to pause, so that rounds are blocks here.
const (
	blocks   = 20
	perBlock = 25
)

// timedOut is the exit of a command that waited for too long.
const timedOut = 7

// besideAWriter is P5: resolve while one process writes without pause, by resolve when
// all is quiet.
func besideAWriter(b *Bench) ([]Figure, error) {
	place, err := b.makePlace("busy", 1000)
	if err != nil {
		return nil, err
	}
	var quiet, busy, ratios []float64
	timeOuts, changes := 0, 0
	for range blocks {
		var calm, loaded []float64
		for _, first := range b.Rig.Rand.Perm(2) {
			if first == 0 {
				calm, err = b.block(place, &timeOuts)
			} else {
				err = b.whileWriting(place, &changes, func() (err error) {
					loaded, err = b.block(place, &timeOuts)
					return err
				})
			}
			if err != nil {
				return nil, err
			}
		}
		quiet, busy = append(quiet, calm...), append(busy, loaded...)
		ratios = append(ratios, pair.Median(loaded)/pair.Median(calm))
	}
	return b.besideFigures(quiet, busy, ratios, timeOuts, changes), nil
}

func (b *Bench) besideFigures(quiet, busy, ratios []float64, timeOuts, changes int) []Figure {
	usual := pair.Median(quiet)
	return []Figure{
		{
			Name: "`sp resolve` beside a writer / quiet: median", Value: pair.Measure(b.Rig.Rand, ratios), Bound: pair.Bound{Gate: 3, Stretch: 1.5},
			Note: fmt.Sprintf("%s / %s; %d changes meanwhile", duration(pair.Median(busy)), duration(usual), changes),
		},
		{
			Name: "p99 beside a writer / quiet median", Value: pair.MeasureQuantile(b.Rig.Rand, shared(busy, usual), 0.99), Bound: pair.Bound{Gate: 12, Stretch: 6},
			Note: fmt.Sprintf("%s; quiet p99 %s", duration(pair.Quantile(busy, 0.99)), duration(pair.Quantile(quiet, 0.99))),
		},
		{Name: "time-outs", Unit: fmt.Sprintf("of %d", len(busy)), Value: pair.Exactly(float64(timeOuts)), Bound: pair.Bound{None: true}},
	}
}

// block runs resolve some times, and counts those that waited in vain.
func (b *Bench) block(p Place, timeOuts *int) ([]float64, error) {
	var times []float64
	for range perBlock {
		reading, err := b.Rig.Try(b.resolve(p, "resolve"))
		if err != nil {
			return nil, err
		}
		switch reading.Exit {
		case 0:
		case timedOut:
			*timeOuts++
		default:
			return nil, fmt.Errorf("resolve: exit %d: %s", reading.Exit, reading.Complaint)
		}
		times = append(times, reading.Took.Seconds())
	}
	return times, nil
}

// whileWriting runs fn from the writer's first change to its last.
func (b *Bench) whileWriting(p Place, changes *int, fn func() error) (err error) {
	cmd := exec.Command(b.Peers.Writer.Path, p.store("sp.db"), p.Tenant)
	cmd.Env = b.Rig.Env
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	out := bufio.NewReader(stdout)
	if _, err = out.ReadString('\n'); err == nil {
		err = fn()
	}
	_ = stdin.Close() // which ends it
	answer, errRead := io.ReadAll(out)
	if err := errors.Join(err, errRead, cmd.Wait()); err != nil {
		return fmt.Errorf("writer: %w", err)
	}
	made := 0
	if _, err := fmt.Sscan(string(answer), &made); err != nil {
		return fmt.Errorf("writer: %w", err)
	}
	*changes += made
	return nil
}
