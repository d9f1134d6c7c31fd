package registry

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// later says which later change would be lost: the last that touched the thing or,
// with members, one of these.
func (u *undoing) later(ctx context.Context, what Entity, id string, members []string) error {
	found, err := u.latestTouch(ctx, what, id, members)
	if err != nil {
		return err
	}
	return u.blame(ctx, found, what, id, members)
}

// latestTouch returns the last change that touched the thing and stands; where none
// does, the last at all.
func (u *undoing) latestTouch(ctx context.Context, what Entity, id string, members []string) (int64, error) {
	found, err := u.lastTouch(ctx, what, id, members, true)
	if err == nil && found == 0 {
		found, err = u.lastTouch(ctx, what, id, members, false)
	}
	return found, err
}

// blame returns the error that names the later change.
func (u *undoing) blame(ctx context.Context, later int64, what Entity, id string, members []string) error {
	change, err := u.changeRow(ctx, later)
	if err != nil {
		return err
	}
	did, err := u.didAt(ctx, later, what, id, members)
	if err != nil {
		return err
	}
	return &LaterError{Undone: u.undone, Later: change, What: did + described(what, id)}
}

// didAt says what a change did to a thing: made or removed it, or changed it or, with
// members, those of these that it changed. A tenant without an entry was appended.
func (u *undoing) didAt(ctx context.Context, sequence int64, what Entity, id string, members []string) (string, error) {
	row, err := u.q.NextEntry(ctx, queries.NextEntryParams{Kind: string(what), ID: id, Sequence: sequence - 1})
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.Sequence != sequence {
		return "created ", nil
	}
	if err != nil {
		return "", err
	}
	before, err := readImage(row.Before)
	if err != nil {
		return "", err
	}
	after, err := u.stateAt(ctx, what, id, sequence, u.d)
	switch {
	case err != nil:
		return "", err
	case after.image == nil:
		return "removed ", nil
	case before == nil:
		return "created ", nil
	case len(members) == 0:
		return "changed ", nil
	}
	return "changed " + strings.Join(before.only(members).differing(after.image.only(members)), ", ") + " of ", nil
}

// described names a thing; of selection and document there is only one.
func described(what Entity, id string) string {
	switch what {
	case SelectionEntity:
		return "what is selected"
	case DocumentEntity:
		return "what stands beside the tenants"
	case SessionEntity:
		return "the session of tenant " + id
	}
	return string(what) + " " + id
}

// checkUntouched refuses what a later change touched, though it looks as if none had:
// one that gave the same value again would be lost, too.
func (u *undoing) checkUntouched(ctx context.Context, what Entity, id string, members []string) error {
	found, err := u.lastTouch(ctx, what, id, members, true)
	if err != nil || found == 0 {
		return err
	}
	return u.blame(ctx, found, what, id, members)
}

// lastTouch returns the last change after the one to undo that touched the thing or,
// with members, one of these. With standing, changes that were undone do not count,
// and neither do the undos.
func (u *undoing) lastTouch(ctx context.Context, what Entity, id string, members []string, standing bool) (int64, error) {
	found, after := int64(0), u.undone.Sequence
	for {
		row, err := u.q.NextEntry(ctx, queries.NextEntryParams{Kind: string(what), ID: id, Sequence: after})
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.Sequence == u.revision {
			break
		}
		if err != nil {
			return 0, err
		}
		after = row.Sequence
		touched, err := u.touches(ctx, row, members)
		if err == nil && touched && standing {
			touched, err = u.standsAt(ctx, row.Sequence)
		}
		if err != nil {
			return 0, err
		}
		if touched {
			found = row.Sequence
		}
	}
	if what != TenantEntity {
		return found, nil
	}
	now, err := u.stateNow(ctx, what, id, u.d)
	if err != nil || now.image == nil {
		return found, err
	}
	appended, err := u.appended(ctx, now.position)
	if err != nil || appended <= u.undone.Sequence { // it was there before
		return found, err
	}
	return max(found, appended), nil
}

func (u *undoing) touches(ctx context.Context, row queries.Entry, members []string) (bool, error) {
	if members == nil {
		return true, nil
	}
	before, err := readImage(row.Before)
	if err != nil {
		return false, err
	}
	after, err := u.stateAt(ctx, Entity(row.Kind), row.ID, row.Sequence, u.d)
	return len(before.only(members).differing(after.image.only(members))) > 0, err
}

func (u *undoing) standsAt(ctx context.Context, sequence int64) (bool, error) {
	made, err := u.changeRow(ctx, sequence)
	if err != nil {
		return false, err
	}
	return u.stands(ctx, made)
}
