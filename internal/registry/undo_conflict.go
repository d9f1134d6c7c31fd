package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// thing is one thing as it is now and as it was after the change to undo, and its next
// entry after that.
type thing struct {
	what       Entity
	id         string
	now, after state
	next       *queries.Entry
}

// look looks at a thing: once, as there may be very many.
func (u *undoing) look(ctx context.Context, what Entity, id string) (thing, error) {
	now, err := u.stateNow(ctx, what, id, u.d)
	if err != nil {
		return thing{}, err
	}
	return u.lookBack(ctx, thing{what: what, id: id, now: now})
}

// lookBack looks at what a thing was. What the change itself wrote last nothing touched since.
func (u *undoing) lookBack(ctx context.Context, t thing) (_ thing, err error) {
	if t.now.image != nil && t.now.tenant.seen == u.undone.Sequence {
		t.after = t.now
		return t, nil
	}
	if t.next, err = u.nextEntry(ctx, t.what, t.id, u.undone.Sequence); err != nil {
		return t, err
	}
	if t.next != nil {
		t.after, err = u.stateBefore(ctx, *t.next, u.undone.Sequence)
	} else {
		t.after, err = u.thereAt(ctx, t.now, u.undone.Sequence)
	}
	return t, err
}

// later says which later change would be lost: the last that touched the thing or,
// with members, one of these.
func (u *undoing) later(ctx context.Context, what Entity, id string, members []string) error {
	t, err := u.look(ctx, what, id)
	if err != nil {
		return err
	}
	return u.laterOf(ctx, t, members)
}

func (u *undoing) laterOf(ctx context.Context, t thing, members []string) error {
	found, err := u.latestTouch(ctx, t, members)
	if err != nil {
		return err
	}
	return u.blame(ctx, found, t.what, t.id, members)
}

// latestTouch returns the last change that touched the thing and stands; where none
// does, the last at all.
func (u *undoing) latestTouch(ctx context.Context, t thing, members []string) (int64, error) {
	found, err := u.lastTouch(ctx, t, members, true)
	if err == nil && found == 0 {
		found, err = u.lastTouch(ctx, t, members, false)
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
	return &laterError{Undone: u.undone, Later: change, What: did + described(what, id)}
}

// didAt says what a change did to a thing: made or removed it, or changed it or, with
// members, those of these that it changed. A tenant without an entry was appended.
func (u *undoing) didAt(ctx context.Context, sequence int64, what Entity, id string, members []string) (string, error) {
	row, err := u.nextEntry(ctx, what, id, sequence-1)
	if err != nil {
		return "", err
	}
	if row == nil || row.Sequence != sequence {
		return "created ", nil
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
	case documentEntity:
		return "what stands beside the tenants"
	case SessionEntity:
		return "the session of tenant " + id
	}
	return string(what) + " " + id
}

// checkUntouched refuses what a later change touched, though it looks as if none had:
// one that gave the same value again would be lost, too.
func (u *undoing) checkUntouched(ctx context.Context, t thing, members []string) error {
	found, err := u.lastTouch(ctx, t, members, true)
	if err != nil || found == 0 {
		return err
	}
	return u.blame(ctx, found, t.what, t.id, members)
}

// lastTouch returns the last change after the one to undo that touched the thing or,
// with members, one of these. With lasting, changes that were undone do not count,
// and neither do the undos.
func (u *undoing) lastTouch(ctx context.Context, t thing, members []string, lasting bool) (found int64, err error) {
	if found, err = u.lastEntry(ctx, t, members, lasting); err != nil {
		return 0, err
	}
	if t.what != TenantEntity || t.now.image == nil {
		return found, nil
	}
	appended, err := u.appended(ctx, t.now.position)
	if err != nil || appended <= u.undone.Sequence { // it was there before
		return found, err
	}
	return max(found, appended), nil
}

// lastEntry returns the last change with an entry that says so.
func (u *undoing) lastEntry(ctx context.Context, t thing, members []string, lasting bool) (found int64, err error) {
	for row := t.next; row != nil && row.Sequence != u.revision; {
		counts := true
		if lasting {
			counts, err = u.standsAt(ctx, row.Sequence)
		}
		if err == nil && counts {
			counts, err = u.touches(ctx, *row, members)
		}
		if err != nil {
			return 0, err
		}
		if counts {
			found = row.Sequence
		}
		if row, err = u.nextEntry(ctx, t.what, t.id, row.Sequence); err != nil {
			return 0, err
		}
	}
	return found, nil
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

// standsAt remembers its answers: a change may have touched very many things.
func (u *undoing) standsAt(ctx context.Context, sequence int64) (bool, error) {
	if stands, known := u.lasting[sequence]; known {
		return stands, nil
	}
	made, err := u.changeRow(ctx, sequence)
	if err != nil {
		return false, err
	}
	u.lasting[sequence], err = u.stands(ctx, made)
	return u.lasting[sequence], err
}

// NameTakenError is returned for a change that can't be undone because it would give a
// tenant its name or id back, and a later one gave that to another tenant.
type NameTakenError struct {
	Undone, Later Change
	Tenant, Other TenantID
}

func (e *NameTakenError) Error() string {
	return fmt.Sprintf("%s can't be undone: %s gave the name or id of tenant %s to tenant %s since", e.Undone, e.Later, e.Tenant, e.Other)
}

// Unwrap returns ErrExists.
func (e *NameTakenError) Unwrap() error { return ErrExists }

// checkNamesakes refuses to give a tenant the name back that another one got since: sp
// makes no namesakes unasked. Where there were some before the change, as files may
// bring them, there may be again; and what the change itself named, this undo renames.
// Of very many namesakes it looks at the first.
func (u *undoing) checkNamesakes(ctx context.Context, t Tenant) error {
	others, err := u.TenantsNamed(ctx, t.Name, maxCandidates)
	if err != nil {
		return err
	}
	for _, other := range others {
		if had, err := u.hadName(ctx, other, t.Name); err != nil || had {
			return err
		}
	}
	if len(others) == 0 {
		return nil
	}
	return u.nameTaken(ctx, t.ID, others[0])
}

// checkWords refuses to make a word again one tenant's id and another's name, where it was
// not before the change.
func (u *undoing) checkWords(ctx context.Context, t Tenant) error {
	others, err := u.TenantsNamed(ctx, string(t.ID), maxCandidates)
	if err != nil {
		return err
	}
	for _, other := range others {
		if had, err := u.hadName(ctx, other, string(t.ID)); err != nil || !had && other != t.ID {
			return errors.Join(err, u.nameTaken(ctx, t.ID, other))
		}
	}
	other := TenantID(t.Name)
	there, err := u.hasTenant(ctx, other)
	if err != nil || !there || other == t.ID {
		return err
	}
	for _, sequence := range []int64{u.undone.Sequence - 1, u.undone.Sequence} { // what the change made goes with it
		then, err := u.stateAt(ctx, TenantEntity, string(other), sequence, u.d)
		if err != nil || then.image != nil {
			return err
		}
	}
	return u.nameTaken(ctx, t.ID, other)
}

// hadName tells whether a tenant had a name before or after the change to undo.
func (u *undoing) hadName(ctx context.Context, id TenantID, name string) (bool, error) {
	for _, sequence := range []int64{u.undone.Sequence - 1, u.undone.Sequence} {
		then, err := u.stateAt(ctx, TenantEntity, string(id), sequence, u.d)
		if err != nil {
			return false, err
		}
		r := imageReader{image: then.image}
		var had string
		if r.value("name", &had); r.err != nil || had == name {
			return r.err == nil, r.err
		}
	}
	return false, nil
}

// nameTaken returns the error that names the change by which another has the name.
func (u *undoing) nameTaken(ctx context.Context, id, other TenantID) error {
	t, err := u.look(ctx, TenantEntity, string(other))
	if err != nil {
		return err
	}
	later, err := u.latestTouch(ctx, t, []string{"name"})
	if err != nil {
		return err
	}
	change, err := u.changeRow(ctx, later)
	if err != nil {
		return err
	}
	return &NameTakenError{Undone: u.undone, Later: change, Tenant: id, Other: other}
}

// checkTwins refuses what would leave two profiles whose names differ only by case.
func (u *undoing) checkTwins(ctx context.Context) error {
	for row, err := range u.rowsOf(ctx, u.undone.Sequence, ProfileEntity) {
		if err != nil {
			return err
		}
		alike, err := u.q.ProfileNamesAlike(ctx, nameKey(row.ID))
		if err != nil {
			return err
		}
		for _, name := range alike {
			if len(alike) > 1 && name != row.ID {
				return u.later(ctx, ProfileEntity, name, nil)
			}
		}
	}
	return nil
}
