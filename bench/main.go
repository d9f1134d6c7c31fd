// Command bench measures sp against the goals of its speed, and writes down what it
// found, those missed included:
//
//	go run ./bench          minutes: up to 100k tenants
//	go run ./bench -full    up to a million
//
// To follow a run: this file sets it up, peers gathers the programs, gen makes the
// registries, scenarios measures goal by goal with pair, and report.go writes the table
// to bench/results and, where -docs says so, into a document.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/peers"
	"github.com/sp-registry/sp/bench/scenarios"
)

// options are the flags.
type options struct {
	full     bool
	gate     bool
	only     string
	scale    float64
	attempts int
	seed     uint64
	cache    string
	results  string
	docs     string
}

func main() {
	var o options
	flag.BoolVar(&o.full, "full", false, "with a million tenants, too")
	flag.BoolVar(&o.gate, "gate", false, "exit 1 where a gate is missed, or the run is void (where one can't be measured, it is 1 in any case)")
	flag.StringVar(&o.only, "only", "", "these goals, such as P1,P7")
	flag.Float64Var(&o.scale, "scale", 1, "times the usual rounds")
	flag.IntVar(&o.attempts, "attempts", 5, "how often sp is measured against itself until the machine is quiet enough")
	flag.Uint64Var(&o.seed, "seed", 1, "of the order of the rounds and of the intervals")
	flag.StringVar(&o.cache, "cache", "", "where registries and peers are kept (default: the user's cache directory)")
	flag.StringVar(&o.results, "results", "bench/results", "where the results go")
	flag.StringVar(&o.docs, "docs", "", "a document whose table is written anew")
	flag.Parse()
	passed, whole, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !whole || o.gate && !passed {
		os.Exit(1)
	}
}

// run measures and writes the results; it tells whether every gate was held, and whether
// every one could be measured.
func run(o options) (passed, whole bool, err error) {
	root, err := os.Getwd()
	if err != nil {
		return false, false, err
	}
	if _, err := os.Stat(filepath.Join(root, "bench", "gauge")); err != nil {
		return false, false, fmt.Errorf("run it from the module's directory: %w", err)
	}
	if o.cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return false, false, err
		}
		o.cache = filepath.Join(user, "sp-bench")
	}
	unlock, err := alone(o.cache)
	if err != nil {
		return false, false, err
	}
	defer unlock()
	work := filepath.Join(o.cache, "work")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(filepath.Join(work, "tmp"), 0o700)); err != nil {
		return false, false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	r := report{begin: time.Now(), full: o.full, scale: o.scale, machine: machineNow(root)}
	b, err := newBench(o, root, work)
	if err != nil {
		return false, false, err
	}
	r.bench = b
	if err := r.measure(o); err != nil {
		return false, false, err
	}
	return r.passed(), r.whole(), r.save(o)
}

// alone makes sure that no other run is going on: two would measure each other.
func alone(cache string) (unlock func(), err error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another benchmark is running", cache), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func newBench(o options, root, work string) (*scenarios.Bench, error) {
	note("building and gathering the programs")
	set, err := peers.Workshop{
		Root: root, Dir: work, Cache: o.cache, Extra: filepath.Join(o.cache, "peers"), Env: append(os.Environ(), "CGO_ENABLED=0"), Note: note,
	}.Gather()
	if err != nil {
		return nil, err
	}
	return &scenarios.Bench{
		Rig: pair.Rig{
			Gauge: pair.Gauge{Path: set.Gauge.Path, Env: environment(work)},
			Rand:  rand.New(rand.NewPCG(o.seed, 0)),
		},
		Peers: set, Cache: o.cache, Work: work, Full: o.full, Scale: o.scale, Note: note,
	}, nil
}

// environment is that of everything that is measured: nothing of GOMAXPROCS, GOGC and
// the like, whatever stands in ours.
func environment(work string) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + work, "TMPDIR=" + filepath.Join(work, "tmp"), "LC_ALL=C", "TZ=UTC", "SP_OFFLINE=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	}
}

func note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// wanted tells whether -only names a goal; empty names all.
func wanted(only, id string) bool {
	for name := range strings.SplitSeq(cmp.Or(only, id), ",") {
		if strings.EqualFold(strings.TrimSpace(name), id) {
			return true
		}
	}
	return false
}
