package resolver

import (
	"context"
	"fmt"
)

// Explanation is how a request is resolved, source by source.
type Explanation struct {
	Selection Selection
	// Sources has a finding for every source in order: flag, environment, session
	// and default, after the tenant when the request has one.
	Sources []Finding
	// Note is set when what decided is outside the selected tenant: that is
	// allowed, and easily overlooked.
	Note string
	// Connection is what Resolve returns, or nil where it returns Err.
	Connection *Connection
	Err        error
}

// Explain asks every source, also those that a stronger one overrules. The error
// means that reading failed; what Resolve would refuse is in the Explanation.
func Explain(ctx context.Context, r Reader, req Request) (Explanation, error) {
	q := &query{reader: r, req: req}
	var e Explanation
	var err error
	if e.Selection, err = q.selection(ctx); err != nil {
		return Explanation{}, err
	}
	decided := -1
	for i, source := range req.sources() {
		f, err := q.consult(ctx, source)
		if err != nil {
			return Explanation{}, err
		}
		switch {
		case f.names() && decided >= 0:
			f.Why, f.Reason = "a stronger source decided; "+f.alone(), Outranked
		case f.names():
			f.Decided, decided = true, i
		}
		e.Sources = append(e.Sources, f)
	}
	if err := e.holdDefault(ctx, r); err != nil {
		return Explanation{}, err
	}
	if err := e.conclude(ctx, q, decided); err != nil {
		return Explanation{}, err
	}
	return e, nil
}

// alone says what a source would have done with nobody before it.
func (f Finding) alone() string {
	if f.Err != nil {
		return "alone it would be an error: " + f.Err.Error()
	}
	return fmt.Sprintf("alone it would name profile %q of tenant %q (%s)", f.Profile.Name, f.Tenant.ID, f.Why)
}

// holdDefault shows the default profile where resolution has no need to read it.
func (e *Explanation) holdDefault(ctx context.Context, r Reader) (err error) {
	if e.Selection.Deleted {
		e.Sources[len(e.Sources)-1].Holds, err = r.DefaultProfile(ctx)
	}
	return err
}

// conclude says what comes of the source that decided, -1 for none.
func (e *Explanation) conclude(ctx context.Context, q *query, decided int) error {
	if e.Err = q.req.Network.check(); e.Err != nil {
		return nil
	}
	if decided < 0 {
		nothing, err := q.nothing(ctx)
		if err != nil {
			return err
		}
		e.Err = nothing
		return nil
	}
	f := e.Sources[decided]
	e.Note = e.Selection.note(f)
	c, err := q.req.connect(f)
	if err != nil {
		e.Err = err
		return nil
	}
	e.Connection = &c
	return nil
}

// note says when a finding is outside the selected tenant.
func (s Selection) note(f Finding) string {
	switch {
	case s.Tenant == nil || f.Tenant == nil || f.Tenant.ID == *s.Tenant:
		return ""
	case f.Profile == nil:
		return fmt.Sprintf("tenant %q is not the selected tenant %q", f.Tenant.ID, *s.Tenant)
	default:
		return fmt.Sprintf("profile %q belongs to tenant %q, not to the selected tenant %q", f.Profile.Name, f.Tenant.ID, *s.Tenant)
	}
}
