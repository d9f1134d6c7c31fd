// Package scenarios measures the goals of sp's speed, each in a file of its own: what it
// sets up, what it runs, what that is compared with, and what is asked of it.
package scenarios

import (
	"fmt"
	"math"
	"time"

	"github.com/sp-registry/sp/bench/gen"
	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/peers"
)

// Goal is one row of the table, and how it is measured: P1 to P16 are those of the goals of
// sp's speed, the others are of what people wait for.
type Goal struct {
	ID    string
	Title string
	run   func(*Bench) ([]Figure, error)
}

// Goals are all of them, in order.
var Goals = []Goal{
	{"P1", "cold start", coldStart},
	{"P2", "against jq", againstJQ},
	{"P3", "against serde, reading", againstSerde},
	{"P4", "resolve among a million", resolveAtScale},
	{"P5", "resolve beside a busy writer", besideAWriter},
	{"P6", "the prompt, when nothing changed", prompt},
	{"P7", "export", exportAtScale},
	{"P8", "export's memory", exportMemory},
	{"P9", "export when nothing changed", exportUnchanged},
	{"P10", "import", importAtScale},
	{"P11", "import's memory", importMemory},
	{"P12", "import of what is there", importUnchanged},
	{"P13", "the first page of a list", firstPage},
	{"P14", "one change", oneChange},
	{"P15", "eight writers", eightWriters},
	{"P16", "help", help},
	{"D1", "a session chosen, and its index", switching},
	{"D2", "a URL edited, and the files of its profiles", following},
	{"D3", "a directory imported", moving},
	{"D4", "a profile created, and its files", creating},
	{"D5", "what libraries cost a start", libraries},
	{"D6", "what people run all day", daily},
	{"D7", "with a PostgreSQL server", withServer},
}

// Figure is one number of a goal.
type Figure struct {
	Goal  string
	Name  string
	Value pair.Estimate
	Unit  string // a ratio has none
	Bound pair.Bound
	Note  string
	// Missing says why there is no value, Failed that there should have been one.
	Missing string
	Failed  bool
}

// Verdict holds the figure against its bound. A gate that can't be measured has failed.
func (f Figure) Verdict() pair.Verdict {
	switch {
	case f.Failed, f.Missing != "" && f.Missing != onlyFull && (f.Bound.Gate != 0 || f.Bound.None):
		return pair.Failed
	case f.Missing != "":
		return "not measured"
	}
	return f.Bound.Judge(f.Value)
}

// Bench is a run: the rig, the peers, and the registries that were made by now.
type Bench struct {
	Rig   pair.Rig
	Peers peers.Set
	Cache string // holds the registries
	Work  string // holds the places
	Full  bool   // with a million tenants, too
	Scale float64
	Note  func(format string, args ...any)

	files   map[int]gen.File
	places  map[int]Place
	exports map[int]pair.Series // by size: P7 and P8 look at the same runs
	imports map[int]pair.Series // P10 and P11
}

// Measure measures one goal. What goes wrong is a figure, too: the others go on.
func (b *Bench) Measure(g Goal) []Figure {
	begin := time.Now()
	figures, err := g.run(b)
	if err != nil {
		figures = append(figures, Figure{Name: g.Title, Missing: err.Error(), Failed: true})
	}
	for i := range figures {
		figures[i].Goal = g.ID
	}
	b.Note("%s %s: %.0f s", g.ID, g.Title, time.Since(begin).Seconds())
	return figures
}

// Itself is sp by its own copy. Where their page faults differ, the two files lie in the
// page cache in different ways, and no number of rounds helps.
type Itself struct {
	pair.Estimate
	Faults, TwinFaults float64
}

// String has three digits after the point: the limits are that narrow.
func (i Itself) String() string {
	verdict := ""
	if i.Void() {
		verdict = ", void"
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f], page faults %.0f / %.0f%s", i.Median, i.Low, i.High, i.Faults, i.TwinFaults, verdict)
}

// Itself measures sp against its own copy: how well this machine measures just now. A
// further attempt has more rounds: noise narrows with them, a difference does not.
func (b *Bench) Itself(attempt int) (Itself, error) {
	place, err := b.place(1000)
	if err != nil {
		return Itself{}, err
	}
	sp, twin := b.resolve(place, "sp"), b.resolve(place, "twin")
	twin.Program = b.Peers.Twin.Path
	series, err := b.Rig.Compare(attempt*b.rounds(1000), sp, twin)
	if err != nil {
		return Itself{}, err
	}
	return Itself{
		Estimate: pair.Measure(b.Rig.Rand, pair.Ratios(series.Times("sp"), series.Times("twin"))),
		Faults:   pair.Median(series.Faults("sp")), TwinFaults: pair.Median(series.Faults("twin")),
	}, nil
}

// rounds is how often something is run that takes as long as n tenants make it.
func (b *Bench) rounds(n int) int {
	rounds := 200.0
	switch {
	case n >= 1_000_000:
		rounds = 5
	case n >= 100_000 && b.Full:
		rounds = 15
	case n >= 100_000:
		rounds = 7
	case n >= 10_000:
		rounds = 50
	}
	if n < 1_000_000 {
		rounds *= b.Scale
	}
	return max(3, int(math.Round(rounds)))
}

// sizes leaves the million out of a short run.
func (b *Bench) sizes(sizes ...int) (now []int, left []int) {
	for _, n := range sizes {
		if n >= 1_000_000 && !b.Full {
			left = append(left, n)
		} else {
			now = append(now, n)
		}
	}
	return now, left
}

// most is the largest size of this run.
func (b *Bench) most() int {
	if b.Full {
		return 1_000_000
	}
	return 100_000
}

const onlyFull = "make bench-full measures it"

// count writes a size as people say it.
func count(n int) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
