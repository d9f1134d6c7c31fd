package pair

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Estimate is a figure and the interval in which it lies with 95 % confidence.
type Estimate struct{ Median, Low, High float64 }

// resamples is how often the values are drawn again for an interval.
const resamples = 2000

// Measure estimates the median of values by the percentile bootstrap.
func Measure(r *rand.Rand, values []float64) Estimate {
	return bootstrap(r, values, Median)
}

// MeasureQuantile estimates another quantile in the same way.
func MeasureQuantile(r *rand.Rand, values []float64, q float64) Estimate {
	return bootstrap(r, values, func(drawn []float64) float64 { return Quantile(drawn, q) })
}

func bootstrap(r *rand.Rand, values []float64, statistic func([]float64) float64) Estimate {
	estimates := make([]float64, resamples)
	drawn := make([]float64, len(values))
	for i := range estimates {
		for j := range drawn {
			drawn[j] = values[r.IntN(len(values))]
		}
		estimates[i] = statistic(drawn)
	}
	return Estimate{Median: statistic(values), Low: Quantile(estimates, 0.025), High: Quantile(estimates, 0.975)}
}

// Span is the estimate of a figure of which the worst value counts, such as a peak: the
// median, and the least and the most that was seen.
func Span(values []float64) Estimate {
	return Estimate{Median: Median(values), Low: slices.Min(values), High: slices.Max(values)}
}

// Exactly is the estimate of a figure that was not drawn.
func Exactly(value float64) Estimate { return Estimate{Median: value, Low: value, High: value} }

// Median returns the middle of values, or the mean of the two in the middle.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which the part q of values lies, with a straight
// line between neighbours.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// Ratios divides what was measured in the same round. Paired like that, a machine that
// is twice as slow a minute later changes nothing.
func Ratios(over, under []float64) []float64 {
	ratios := make([]float64, len(over))
	for i := range over {
		ratios[i] = over[i] / under[i]
	}
	return ratios
}

// tolerance is how far from 1.00 the interval of a program against itself may reach.
const tolerance = 0.03

// Void tells whether the figures of a run count for nothing: e is the ratio of a program
// to a second copy of itself, and its interval reaches further from 1.00 than can be
// explained by chance. One that is that wide can't tell anything either.
func (e Estimate) Void() bool {
	return !(e.Low >= 1-tolerance && e.High <= 1+tolerance) // so that NaN is void
}
