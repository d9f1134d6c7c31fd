package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// put makes a thing what it was, or refuses where what it refers to is gone.
func (u *undoing) put(ctx context.Context, row queries.Entry, wanted image, now state) error {
	if now.image != nil && len(wanted.differing(now.image)) == 0 {
		return nil
	}
	r := &imageReader{image: wanted}
	switch Entity(row.Kind) {
	case TenantEntity:
		return u.putTenant(ctx, row, r, now)
	case ProfileEntity:
		return u.putProfile(ctx, row, r, now)
	case SessionEntity:
		known, err := u.Session(ctx, TenantID(row.ID))
		if err != nil {
			return err
		}
		r.find = u.find(ctx, TenantID(row.ID), known.secrets())
		s := r.session(TenantID(row.ID))
		return u.putWhere(ctx, r.err, ProfileEntity, s.Profile, func() error { return u.putSessionOf(ctx, s) })
	case SelectionEntity:
		return u.putSelection(ctx, r)
	default:
		return u.putDocument(ctx, r)
	}
}

func (u *undoing) putTenant(ctx context.Context, row queries.Entry, r *imageReader, now state) error {
	id, known := TenantID(row.ID), now.tenant
	r.find = u.find(ctx, id, known.secrets())
	t := r.tenant(id)
	if r.err != nil {
		return u.cannot(r.err)
	}
	if known.Name != t.Name {
		if err := u.checkNamesakes(ctx, t); err != nil {
			return err
		}
		if err := u.checkWords(ctx, t); err != nil {
			return err
		}
	}
	if now.image == nil {
		if row.Position == nil {
			return fmt.Errorf("history: tenant %s: %w: it has no position", shown(row.ID), db.ErrDamaged)
		}
		return u.insertTenant(ctx, t, *row.Position)
	}
	return u.updateTenant(ctx, known, t)
}

// find finds what is kept, and what this undo itself purges: that is kept until now.
func (u *undoing) find(ctx context.Context, tenant TenantID, has map[string]secret.Secret) finder {
	return u.findIn(ctx, tenant, has, u.d, u.now.Add(-time.Microsecond))
}

// cannot says which secret is missing for the undo.
func (u *undoing) cannot(err error) error {
	if errors.Is(err, ErrForgotten) {
		return fmt.Errorf("%s can't be undone: %w", u.undone, err)
	}
	return err
}

func (u *undoing) putProfile(ctx context.Context, row queries.Entry, r *imageReader, now state) error {
	p := r.profile(row.ID)
	has, err := u.profileSecrets(ctx, row.ID)
	if err != nil {
		return err
	}
	r.find = u.findOfProfiles(ctx, u.find(ctx, TenantID(row.TenantID), has))
	secrets := r.profileSecrets()
	if r.err != nil {
		return u.cannot(r.err)
	}
	if now.image == nil {
		u.back = append(u.back, p.Name)
		return u.putWhere(ctx, r.err, TenantEntity, string(p.Tenant), func() error { return u.insertProfile(ctx, p, secrets) })
	}
	if err := u.relink(ctx, p); err != nil {
		return err
	}
	return u.putProfileSecrets(ctx, p, secrets)
}

// relink gives a profile back to the tenant that it belonged to.
func (u *undoing) relink(ctx context.Context, p Profile) error {
	known, err := u.Profile(ctx, p.Name)
	if err != nil || known.Tenant == p.Tenant {
		return err
	}
	session, err := u.Session(ctx, known.Tenant)
	if err != nil {
		return err
	}
	if session != nil && session.Profile == p.Name {
		return u.later(ctx, SessionEntity, string(known.Tenant), nil)
	}
	return u.putWhere(ctx, nil, TenantEntity, string(p.Tenant), func() error { return u.updateProfile(ctx, known, p) })
}

// findOfProfiles finds what find does and, where that has it no more, what a profile
// has: a renamed one took its secrets along, to another tenant perhaps.
func (u *undoing) findOfProfiles(ctx context.Context, find finder) finder {
	return func(member, digest string) (secret.Secret, error) {
		s, forgotten := find(member, digest)
		if !errors.Is(forgotten, ErrForgotten) {
			return s, forgotten
		}
		for p, err := range u.Profiles(ctx, nil, Page{}) {
			if err != nil {
				return s, err
			}
			secrets, err := u.profileSecrets(ctx, p.Name)
			if err != nil {
				return s, err
			}
			for _, s := range secrets {
				if u.d.of(s) == digest {
					return s, nil
				}
			}
		}
		return s, forgotten
	}
}

// putSessionOf puts a session back, unless its profile belongs to another tenant now.
func (u *undoing) putSessionOf(ctx context.Context, s Session) error {
	p, err := u.Profile(ctx, s.Profile)
	if err != nil {
		return err
	}
	if p.Tenant != s.Tenant {
		return u.later(ctx, ProfileEntity, s.Profile, nil)
	}
	return u.putSession(ctx, s)
}

// putWhere puts something that refers to a thing, unless that is gone.
func (u *undoing) putWhere(ctx context.Context, err error, what Entity, id string, put func() error) error {
	if err == nil {
		err = u.mustBeThere(ctx, what, id)
	}
	if err != nil {
		return err
	}
	return put()
}

func (u *undoing) mustBeThere(ctx context.Context, what Entity, id string) error {
	s, err := u.stateNow(ctx, what, id, u.d)
	if err == nil && s.image == nil {
		err = u.later(ctx, what, id, nil)
	}
	return err
}

func (u *undoing) putSelection(ctx context.Context, r *imageReader) error {
	s := r.selection()
	err := r.err
	for _, id := range []*TenantID{s.Tenant, s.Previous} {
		if err == nil && id != nil {
			err = u.mustBeThere(ctx, TenantEntity, string(*id))
		}
	}
	if err == nil && s.DefaultProfile != nil {
		err = u.mustBeThere(ctx, ProfileEntity, *s.DefaultProfile)
	}
	if err != nil {
		return err
	}
	before, err := u.Selection(ctx)
	if err != nil {
		return err
	}
	return u.setSelection(ctx, before, s)
}

func (u *undoing) putDocument(ctx context.Context, r *imageReader) error {
	state, err := u.State(ctx)
	if err != nil {
		return err
	}
	r.find = u.find(ctx, "", state.Document.secrets())
	doc := r.document()
	if r.err != nil {
		return u.cannot(r.err)
	}
	return u.setDocument(ctx, state.Document, doc)
}
