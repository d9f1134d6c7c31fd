package pair

// Bound is what is asked of a figure: the gate must hold, the stretch is what we are
// after. Zero is no bound, unless None is wanted.
type Bound struct {
	Gate, Stretch float64
	// AtLeast turns both around.
	AtLeast bool
	// None asks that there be none at all.
	None bool
}

// Verdict says how a figure stands to its bound.
type Verdict string

// The verdicts.
const (
	Reported Verdict = "reported" // nothing is asked of it
	Missed   Verdict = "**missed**"
	Held     Verdict = "gate"
	Reached  Verdict = "stretch"
	Failed   Verdict = "**failed**" // something went wrong: there is no figure
)

// Judge holds an estimate against the bound by the far end of its interval: what may
// still be worse than the gate has not passed it.
func (b Bound) Judge(e Estimate) Verdict {
	switch {
	case b.None && e.High == 0:
		return Reached
	case b.None:
		return Missed
	case b.Gate == 0 && b.Stretch == 0:
		return Reported
	case b.Stretch != 0 && b.within(e, b.Stretch):
		return Reached
	case b.Gate == 0:
		return Reported
	case b.within(e, b.Gate):
		return Held
	}
	return Missed
}

func (b Bound) within(e Estimate, limit float64) bool {
	if b.AtLeast {
		return e.Low >= limit
	}
	return e.High <= limit
}
