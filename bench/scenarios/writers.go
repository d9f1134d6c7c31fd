package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sp-registry/sp/bench/pair"
)

// changesARound are shared by all writers of a round of P15.
const changesARound = 40

// eightWriters is P15: a process per change, from eight sides at once and from one.
func eightWriters(b *Bench) ([]Figure, error) {
	var ratios, alone []float64
	var lost, failed int
	for range b.rounds(100_000) {
		rates := map[int]float64{}
		for _, i := range b.Rig.Rand.Perm(2) {
			writers := []int{1, 8}[i]
			rate, err := b.write(writers, &lost, &failed)
			if err != nil {
				return nil, err
			}
			rates[writers] = rate
		}
		ratios, alone = append(ratios, rates[8]/rates[1]), append(alone, rates[1])
	}
	exactly := func(n int) pair.Estimate { return pair.Estimate{Median: float64(n), Low: float64(n), High: float64(n)} }
	all := fmt.Sprintf("of %d", 2*changesARound*len(ratios))
	return []Figure{
		{Name: "8 processes writing: lost changes", Unit: all, Value: exactly(lost), Bound: pair.Bound{None: true}},
		{Name: "8 processes writing: errors", Unit: all, Value: exactly(failed), Bound: pair.Bound{None: true}},
		{
			Name: "rate of 8 / rate of 1, a process per change", Value: pair.Measure(b.Rig.Rand, ratios),
			Bound: pair.Bound{Gate: 0.9, Stretch: 1.2, AtLeast: true}, Note: fmt.Sprintf("one makes %.0f changes a second", pair.Median(alone)),
		},
	}, nil
}

// write has writers make tenants in a new place, and returns how many a second.
func (b *Bench) write(writers int, lost, failed *int) (float64, error) {
	place, err := b.makePlace("writers", 10)
	if err != nil {
		return 0, err
	}
	url := filepath.Join(b.Work, "url")
	if err := os.WriteFile(url, []byte("postgres://sp:secret@localhost:5432/sp\n"), 0o600); err != nil {
		return 0, err
	}
	var next, wrong atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range writers {
		all.Go(func() {
			for i := next.Add(1); i <= changesARound; i = next.Add(1) {
				cmd := exec.Command(b.Peers.SP.Path, "tenant", "create", "--id", fmt.Sprintf("made-%d", i), "--name", fmt.Sprintf("made %d", i), "--database-url-file", url)
				cmd.Dir, cmd.Env = place.Dir, b.Rig.Env
				if cmd.Run() != nil {
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	*failed += int(wrong.Load())
	there, err := b.made(place)
	*lost += changesARound - int(wrong.Load()) - there
	return changesARound / took.Seconds(), errors.Join(err, os.RemoveAll(place.Dir))
}

// made counts the tenants that the writers made, in what an export shows.
func (b *Bench) made(p Place) (int, error) {
	c := b.sp(p, "check", "export", "-")
	c.Stdout = filepath.Join(b.Work, "answer")
	if _, err := b.Rig.Run(c); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(c.Stdout)
	if err != nil {
		return 0, err
	}
	var file struct {
		Tenants []struct {
			ID string `json:"id"`
		} `json:"tenants"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	for _, t := range file.Tenants {
		seen[t.ID] = true
	}
	return len(seen) - p.N, nil
}
