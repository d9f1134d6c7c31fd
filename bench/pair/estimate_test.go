package pair

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestQuantilesAreThoseOfTheSortedValues(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 2.0, Median([]float64{3, 1, 2}), 0)
	require.InDelta(t, 2.5, Median([]float64{4, 1, 2, 3}), 0)
	require.InDelta(t, 7.0, Median([]float64{7}), 0)
	require.InDelta(t, 1.0, Quantile([]float64{3, 1, 2}, 0), 0)
	require.InDelta(t, 3.0, Quantile([]float64{3, 1, 2}, 1), 0)
	require.InDelta(t, 9.9, Quantile([]float64{0, 10}, 0.99), 1e-9)
	require.True(t, math.IsNaN(Median(nil)))
}

func TestTheValuesAreNotSortedInPlace(t *testing.T) {
	t.Parallel()
	values := []float64{3, 1, 2}
	Median(values)
	require.Equal(t, []float64{3, 1, 2}, values, "the rounds would not be pairs any more")
}

func TestRatiosAreThoseOfARound(t *testing.T) {
	t.Parallel()
	require.Equal(t, []float64{0.5, 2}, Ratios([]float64{1, 8}, []float64{2, 4}))
}

// TestADriftOfTheMachineIsInNoRatio: the second half of the rounds is three times as slow.
func TestADriftOfTheMachineIsInNoRatio(t *testing.T) {
	t.Parallel()
	var over, under []float64
	for i := range 100 {
		drift := 1 + 2*float64(i/50)
		over, under = append(over, 2*drift), append(under, drift)
	}
	require.Equal(t, Estimate{2, 2, 2}, Measure(dice(), Ratios(over, under)))
}

// TestTheIntervalHoldsTheTruthAsOftenAsItSays draws from a known distribution.
func TestTheIntervalHoldsTheTruthAsOftenAsItSays(t *testing.T) {
	t.Parallel()
	r, held := dice(), 0
	const trials = 100
	for range trials {
		values := make([]float64, 30)
		for i := range values {
			values[i] = math.Exp(r.NormFloat64()) // its median is 1
		}
		if e := Measure(r, values); e.Low <= 1 && 1 <= e.High {
			held++
		}
	}
	require.InDelta(t, 0.95, float64(held)/trials, 0.05)
}

func TestAnIntervalNarrowsWithTheRounds(t *testing.T) {
	t.Parallel()
	r := dice()
	width := func(n int) float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = r.Float64()
		}
		e := Measure(r, values)
		require.LessOrEqual(t, e.Low, e.Median)
		require.LessOrEqual(t, e.Median, e.High)
		return e.High - e.Low
	}
	require.Less(t, width(400), width(15))
}

func TestASpanIsAllThatWasSeen(t *testing.T) {
	t.Parallel()
	require.Equal(t, Estimate{Median: 2, Low: 1, High: 9}, Span([]float64{9, 1, 2}))
}

func TestAQuantileIsMeasuredWithItsInterval(t *testing.T) {
	t.Parallel()
	values := make([]float64, 1001)
	for i := range values {
		values[i] = float64(i)
	}
	e := MeasureQuantile(dice(), values, 0.99)
	require.InDelta(t, 990, e.Median, 1)
	require.Less(t, e.Low, e.Median)
	require.Greater(t, e.High, e.Median)
}

func TestARunIsVoidWhenAProgramDiffersFromItself(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    Estimate
		void bool
	}{
		"the same":              {Estimate{1, 0.99, 1.01}, false},
		"just within":           {Estimate{1.01, 0.97, 1.03}, false},
		"slower":                {Estimate{1.05, 1.04, 1.06}, true},
		"faster":                {Estimate{0.95, 0.94, 0.96}, true},
		"too wide to tell":      {Estimate{1, 0.9, 1.1}, true},
		"far end just outside":  {Estimate{1.01, 0.99, 1.031}, true},
		"near end just outside": {Estimate{0.99, 0.969, 1}, true},
		"nothing was measured":  {Estimate{math.NaN(), math.NaN(), math.NaN()}, true},
	} {
		require.Equal(t, c.void, c.e.Void(), name)
	}
}

func TestAGateIsHeldByTheFarEndOfTheInterval(t *testing.T) {
	t.Parallel()
	atMost := Bound{Gate: 2.9, Stretch: 2.3}
	atLeast := Bound{Gate: 0.9, Stretch: 1.2, AtLeast: true}
	for name, c := range map[string]struct {
		b    Bound
		e    Estimate
		want Verdict
	}{
		"within the stretch":               {atMost, Estimate{2.2, 2.1, 2.3}, Reached},
		"the median alone in the stretch":  {atMost, Estimate{2.2, 2.1, 2.31}, Held},
		"within the gate":                  {atMost, Estimate{2.8, 2.7, 2.9}, Held},
		"the median alone within the gate": {atMost, Estimate{2.8, 2.7, 2.91}, Missed},
		"beyond":                           {atMost, Estimate{4, 3, 5}, Missed},
		"nothing was measured":             {atMost, Estimate{math.NaN(), math.NaN(), math.NaN()}, Missed},
		"a rate in the stretch":            {atLeast, Estimate{1.3, 1.2, 1.4}, Reached},
		"a rate within the gate":           {atLeast, Estimate{1.3, 1.1, 1.4}, Held},
		"a rate whose low end is too low":  {atLeast, Estimate{1, 0.89, 1.4}, Missed},
		"nothing is asked":                 {Bound{}, Estimate{9, 9, 9}, Reported},
		"a stretch without a gate":         {Bound{Stretch: 0.3}, Estimate{0.5, 0.5, 0.5}, Reported},
		"none":                             {Bound{None: true}, Estimate{}, Reached},
		"one of which there may be none":   {Bound{None: true}, Estimate{0, 0, 1}, Missed},
	} {
		require.Equal(t, c.want, c.b.Judge(c.e), name)
	}
}
