package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/scenarios"
)

var figures = []scenarios.Figure{
	{Goal: "P1", Name: "held", Value: pair.Estimate{Median: 2.5, Low: 2.456, High: 2.6}, Bound: pair.Bound{Gate: 2.9, Stretch: 2.3}, Note: "a|b\nc"},
	{Goal: "P8", Name: "too much", Value: pair.Estimate{Median: 30, Low: 20, High: 40}, Unit: "MB", Bound: pair.Bound{Gate: 32}},
	{Goal: "P15", Name: "a rate", Value: pair.Estimate{Median: 1, Low: 1, High: 1}, Bound: pair.Bound{Gate: 0.9, Stretch: 1.2, AtLeast: true}},
	{Goal: "P15", Name: "lost", Unit: "of 8", Bound: pair.Bound{None: true}},
	{Goal: "P3", Name: "left out", Bound: pair.Bound{Gate: 0.004}, Missing: "make bench-full measures it"},
	{Goal: "P7", Name: "broken", Missing: "exit 6", Failed: true},
}

func TestTheTableShowsMissesAndFailuresAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	require.Equal(t, `| | goal | figure [95 %] | gate | stretch | verdict | |
|---|---|---|---|---|---|---|
| P1 | held | 2.50 [2.46, 2.60] | 2.90 | 2.30 | gate | a\|b c |
| P8 | too much | 30 [20, 40] MB | 32 |  | **missed** |  |
| P15 | a rate | 1 | ≥ 0.90 | ≥ 1.20 | gate |  |
| P15 | lost | 0 of 8 | 0 | 0 | stretch |  |
| P3 | left out | – | 0.004 |  | not measured | make bench-full measures it |
| P7 | broken | – |  |  | **failed** | exit 6 |
`, table(figures))
}

func TestARunPassesWhenItCountsAndNothingIsMissedOrFailed(t *testing.T) {
	t.Parallel()
	good := scenarios.Itself{Estimate: pair.Estimate{Median: 1, Low: 0.99, High: 1.01}}
	bad := scenarios.Itself{Estimate: pair.Estimate{Median: 1.1, Low: 1.05, High: 1.2}}
	held, missed, left, broken := figures[0], figures[1], figures[4], figures[5]
	for name, c := range map[string]struct {
		r      report
		passed bool
	}{
		"held":                 {report{itself: []scenarios.Itself{good}, figures: []scenarios.Figure{held, left}}, true},
		"quiet in the end":     {report{itself: []scenarios.Itself{bad, good}, figures: []scenarios.Figure{held}}, true},
		"void":                 {report{itself: []scenarios.Itself{good, bad}, figures: []scenarios.Figure{held}}, false},
		"never held to itself": {report{figures: []scenarios.Figure{held}}, false},
		"missed":               {report{itself: []scenarios.Itself{good}, figures: []scenarios.Figure{held, missed}}, false},
		"failed":               {report{itself: []scenarios.Itself{good}, figures: []scenarios.Figure{held, broken}}, false},
	} {
		require.Equal(t, c.passed, c.r.passed(), name)
		require.Equal(t, name != "failed", c.r.whole(), name)
	}
}

func TestADocumentKeepsAllButItsTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doc.md")
	require.NoError(t, os.WriteFile(path, []byte("before\n"+tableBegins+"old\n"+tableEnds+"after\n"), 0o600))
	for _, text := range []string{"new\n", "newer\n"} {
		require.NoError(t, updateDocument(path, text))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "before\n"+tableBegins+text+tableEnds+"after\n", string(got))
	}
	require.NoError(t, os.WriteFile(path, []byte("no table\n"), 0o600))
	require.ErrorContains(t, updateDocument(path, "new\n"), "the lines that mark the table")
}

func TestTheDocumentOfTheProjectHasItsTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/inside/performance.md")
	require.NoError(t, err)
	require.Contains(t, string(text), tableBegins)
	require.Contains(t, string(text), tableEnds)
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	t.Parallel()
	for want, x := range map[string]float64{
		"0": 0, "12": 12, "123457": 123457, "1235": 1234.6, "12.3": 12.34, "1.23": 1.234, "0.12": 0.123, "0.0034": 0.00341, "-0.11": -0.113, "-0.0034": -0.00341, "NaN": math.NaN(),
	} {
		require.Equal(t, want, number(x))
	}
}

func TestOnlyTheGoalsThatAreNamedAreMeasured(t *testing.T) {
	t.Parallel()
	require.True(t, wanted("", "P1"))
	require.True(t, wanted("P2, p1", "P1"))
	require.False(t, wanted("P10,P11", "P1"))
}

func TestTwoRunsDoNotMeasureEachOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := alone(dir)
	require.NoError(t, err)
	_, err = alone(dir)
	require.ErrorContains(t, err, "another benchmark is running")
	unlock()
	unlock, err = alone(dir)
	require.NoError(t, err)
	unlock()
}

func TestWhatIsMeasuredSeesNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("GOMAXPROCS", "1")
	t.Setenv("GOGC", "off")
	for _, pair := range environment("/work") {
		require.NotContains(t, pair, "GOMAXPROCS")
		require.NotContains(t, pair, "GOGC")
	}
}
