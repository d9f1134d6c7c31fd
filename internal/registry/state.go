package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// state is a thing at some time; the image is nil where it was not there.
type state struct {
	image    image
	position int64        // of a tenant
	tenant   placedTenant // the tenant itself, as it is now
}

func stateOfTenant(t placedTenant, d digester) state {
	return state{image: imageOfTenant(t.Tenant, d), position: t.position, tenant: t}
}

// stateAt returns a thing as it was after the change with that sequence: as the next
// entry says it was before or, without one, as it is. A tenant that was appended
// later was not there.
func (v *View) stateAt(ctx context.Context, what Entity, id string, sequence int64, d digester) (state, error) {
	next, err := v.nextEntry(ctx, what, id, sequence)
	if err != nil {
		return state{}, err
	}
	if next != nil {
		return v.stateBefore(ctx, *next, sequence)
	}
	now, err := v.stateNow(ctx, what, id, d)
	if err != nil {
		return state{}, err
	}
	return v.thereAt(ctx, now, sequence)
}

// nextEntry returns the first entry of a thing after a sequence, nil if there is none.
func (v *View) nextEntry(ctx context.Context, what Entity, id string, sequence int64) (*queries.Entry, error) {
	if err := v.indexThings(); err != nil {
		return nil, err
	}
	next, err := v.q.NextEntry(ctx, queries.NextEntryParams{Kind: string(what), ID: id, Sequence: sequence})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &next, err
}

// indexThings makes the index by which things are found in the history, if it was dropped.
func (v *View) indexThings() error {
	remake := v.remakeThings
	if v.remakeThings = nil; remake == nil {
		return nil
	}
	return remake()
}

// stateBefore returns a thing as an entry says it was, unless it was not there after
// the change with that sequence.
func (v *View) stateBefore(ctx context.Context, e queries.Entry, sequence int64) (s state, err error) {
	if s.image, err = readImage(e.Before); err != nil {
		return s, err
	}
	if e.Position != nil {
		s.position = *e.Position
	}
	return v.thereAt(ctx, s, sequence)
}

// thereAt takes a tenant away that was appended after the change with that sequence.
func (v *View) thereAt(ctx context.Context, s state, sequence int64) (state, error) {
	if s.position == 0 || s.image == nil {
		return s, nil
	}
	appended, err := v.appended(ctx, s.position)
	if appended > sequence {
		s.image = nil
	}
	return s, err
}

// span is a range of positions, and the change that appended the tenants there; 0 is none.
type span struct{ first, last, sequence int64 }

// appended returns the change that appended the tenant at a position, 0 if that was
// before the history. It remembers the last answer: who asks asks for many of one range.
func (v *View) appended(ctx context.Context, position int64) (int64, error) {
	if v.span.first <= position && position <= v.span.last {
		return v.span.sequence, nil
	}
	row, err := v.q.ChangeThatAdded(ctx, position)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		v.span = span{first: position, last: math.MaxInt64}
	case err != nil:
		return 0, err
	case row.FirstAdded == nil || row.LastAdded == nil:
		return 0, fmt.Errorf("change %d: %w: it tells only one end of what it added", row.Sequence, db.ErrDamaged)
	case *row.FirstAdded > position:
		v.span = span{first: position, last: *row.FirstAdded - 1}
	default:
		v.span = span{first: *row.FirstAdded, last: *row.LastAdded, sequence: row.Sequence}
	}
	return v.span.sequence, nil
}

// stateNow returns a thing as it is.
func (v *View) stateNow(ctx context.Context, what Entity, id string, d digester) (s state, err error) {
	switch what {
	case TenantEntity:
		var t placedTenant
		if t, err = v.placedTenant(ctx, TenantID(id)); err == nil {
			s = stateOfTenant(t, d)
		}
	case ProfileEntity:
		var p Profile
		if p, err = v.Profile(ctx, id); err == nil {
			var secrets map[string]secret.Secret
			secrets, err = v.profileSecrets(ctx, p.Name)
			s.image = imageOfProfile(p, secrets, d)
		}
	case SessionEntity:
		var session *Session
		session, err = v.Session(ctx, TenantID(id))
		s.image = imageOfSession(session, d)
	case SelectionEntity:
		var selection Selection
		selection, err = v.Selection(ctx)
		s.image = imageOfSelection(selection)
	case documentEntity:
		var now State
		now, err = v.State(ctx)
		s.image = imageOfDocument(now.Document, d)
	}
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return s, err
}

// SequenceAt returns the sequence of the last change that was made by that time. What was
// before the first change that the history tells of, and what is to come, nobody knows.
func (v *View) SequenceAt(ctx context.Context, at time.Time) (int64, error) {
	sequence, err := v.q.LatestChangeAt(ctx, at.UnixMicro())
	if err != nil {
		return 0, err
	}
	first, last, err := v.ends(ctx)
	switch {
	case err != nil:
	case sequence == 0:
		err = begins(first)
	case at.After(v.now) && at.After(last.MadeAt):
		err = ends(last)
	default:
		return sequence, nil
	}
	return 0, fmt.Errorf("%s: %w", FormatTime(at), err)
}

// checkSequence refuses a sequence before the first change that the history tells of, and
// one behind the last.
func (v *View) checkSequence(ctx context.Context, sequence int64) error {
	first, last, err := v.ends(ctx)
	switch {
	case err != nil:
	case sequence < first.Sequence:
		err = begins(first)
	case sequence > last.Sequence:
		err = ends(last)
	default:
		return nil
	}
	return fmt.Errorf("change %d: %w", sequence, err)
}

// ends returns the first and the last change that the history tells of.
func (v *View) ends(ctx context.Context) (first, last Change, err error) {
	row, err := v.q.FirstChange(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		err = because(ErrNotFound, "the history has no change yet")
	}
	if err != nil {
		return first, last, err
	}
	first = changeOf(queries.Change{Sequence: row.Sequence, MadeAt: row.MadeAt})
	for row, err := range v.changeRows(ctx, nil, math.MaxInt64, 1) {
		return first, changeOf(row), err
	}
	return first, first, nil
}

func begins(first Change) error {
	return because(ErrNotFound, "the history begins with change %d of %s", first.Sequence, FormatTime(first.MadeAt))
}

func ends(last Change) error {
	return because(ErrNotFound, "the last change is %d of %s", last.Sequence, FormatTime(last.MadeAt))
}

// TenantAt returns a tenant as it was after the change with that sequence, and the
// members whose secret is not kept any more, which are empty then.
func (v *View) TenantAt(ctx context.Context, id TenantID, sequence int64) (t Tenant, forgotten []string, err error) {
	if err := v.checkSequence(ctx, sequence); err != nil {
		return t, nil, err
	}
	over, err := v.q.RestoreOver(ctx, queries.RestoreOverParams{Known: sequence, Shown: sequence})
	if err == nil && len(over) > 0 {
		err = because(ErrNotFound, "change %d: change %d restored an older backup over it", sequence, over[0])
	}
	if err != nil {
		return t, nil, err
	}
	d, err := v.digests(ctx)
	if err != nil {
		return t, nil, err
	}
	then, err := v.stateAt(ctx, TenantEntity, string(id), sequence, d)
	if err == nil && then.image == nil {
		err = fmt.Errorf("tenant %s at change %d: %w", shown(string(id)), sequence, ErrNotFound)
	}
	if err != nil {
		return t, nil, err
	}
	now, err := v.placedTenant(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return t, nil, err
	}
	find := v.findIn(ctx, id, now.secrets(), d, v.now)
	r := imageReader{image: then.image, find: func(member, digest string) (secret.Secret, error) {
		s, err := find(member, digest)
		if errors.Is(err, ErrForgotten) {
			forgotten, err = append(forgotten, member), nil
		}
		return s, err
	}}
	t = r.tenant(id)
	return t, forgotten, r.err
}
