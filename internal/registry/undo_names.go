package registry

import (
	"context"
	"errors"
	"fmt"
)

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
	others, err := u.tenantsNamed(ctx, t.Name, maxCandidates)
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
	others, err := u.tenantsNamed(ctx, string(t.ID), maxCandidates)
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
