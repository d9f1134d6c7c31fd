package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// Undo asks for a change that reverses another.
type Undo struct {
	// Sequence is the change to reverse; nil is the last that is neither an undo nor a
	// purge and was not undone.
	Sequence *int64
	// Purge forgets the secrets that it removes at once.
	Purge bool
	// Database, if not nil, was made for Tenant and is dropped. All of Changes are reversed, which made it, the
	// last one first: the one that gave the tenant its URL, and the one before that if the tenant was created with
	// it. Of a creation that was stopped there is only the latter. View.UndoOf fills these in.
	Database *Database
	Tenant   Tenant
	Changes  []Change
}

// laterError is returned for a change that can't be undone without losing a later one.
type laterError struct {
	Undone, Later Change
	// What the later one did, such as "removed tenant x", in the words of the log.
	What string
}

func (e *laterError) Error() string {
	return fmt.Sprintf("%s can't be undone: %s %s since", e.Undone, e.Later, e.What)
}

// Unwrap returns ErrConflict.
func (e *laterError) Unwrap() error { return ErrConflict }

// irreversibleError is returned for a change that nothing can undo: it made a secret worthless, or the history has
// nothing to put back.
type irreversibleError struct {
	undone Change
	why    string
}

func (e *irreversibleError) Error() string {
	return fmt.Sprintf("%s can't be undone: %s", e.undone, e.why)
}

// Unwrap returns ErrConflict.
func (e *irreversibleError) Unwrap() error { return ErrConflict }

// Irreversible tells that nothing can undo the change.
func (e *irreversibleError) Irreversible() {}

// Undone is a change that was taken back, and the change that did it.
type Undone struct{ Change, By Change }

// Undo reverses one change. It is itself a change, which can be undone. Members that
// were not part of the change keep what later ones gave them; where a later change
// would be lost, nothing changes, and the error is a laterError. All of a creation is reversed
// or nothing, each of its changes by one.
func (r *Registry) Undo(ctx context.Context, u Undo) (undone Undone, err error) {
	err = r.write(ctx, func(c *change) error {
		if u.Database == nil {
			undone, err = c.undo(ctx, u)
			return err
		}
		for i, made := range u.Changes {
			if i > 0 {
				if err := c.next(ctx); err != nil {
					return err
				}
			}
			u.Sequence = &made.Sequence
			if undone, err = c.undo(ctx, u); err != nil {
				return err
			}
		}
		return c.forgetDatabase(ctx, u.Database.Tenant)
	})
	return undone, err
}

// undo reverses one change as this one.
func (c *change) undo(ctx context.Context, asked Undo) (undone Undone, err error) {
	c.record.purge = asked.Purge
	if undone.Change, err = c.toUndo(ctx, asked.Sequence, c.merge); err != nil {
		return undone, err
	}
	if err := checkReversible(undone.Change); err != nil {
		return undone, err
	}
	c.record.undoes = &undone.Change.Sequence
	if asked.published(undone.Change) {
		c.record.revoked = []string{"database_url"}
	}
	d, err := c.digests(ctx)
	if err != nil {
		return undone, err
	}
	if err := c.expect(ctx, undone.Change.weight); err != nil {
		return undone, err
	}
	if err := c.prepared(func() error {
		u := &undoing{change: c, undone: undone.Change, d: d, lasting: map[int64]bool{}}
		return u.run(ctx)
	}); err != nil {
		return undone, err
	}
	undone.By, err = c.listed(ctx, Change{Sequence: c.revision, MadeAt: c.now, Command: c.record.command, Undoes: c.record.undoes}, nil)
	return undone, err
}

// undoing is the reversal of one change: first what it removed or altered is put
// back, what is referred to before what refers, then what it made is removed, in
// the opposite order.
type undoing struct {
	*change
	undone Change
	d      digester
	// renames tells that the change took a profile away: the one that it made is that
	// one under a new name.
	renames bool
	// back and taken are the profiles that came back and went.
	back, taken []string
	// Whether changes stand, by sequence, and what is selected when all is put back.
	lasting  map[int64]bool
	selected *Selection
}

func (u *undoing) run(ctx context.Context) error {
	for _, what := range entities {
		for row, err := range u.rowsOf(ctx, u.undone.Sequence, what) {
			if err != nil {
				return err
			}
			if err := u.restore(ctx, row); err != nil {
				return err
			}
		}
	}
	for i := len(entities) - 1; i >= 0; i-- {
		for row, err := range u.rowsOf(ctx, u.undone.Sequence, entities[i]) {
			if err != nil {
				return err
			}
			if row.Before != "" {
				continue
			}
			t, err := u.look(ctx, entities[i], row.ID)
			if err == nil {
				err = u.remove(ctx, t)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := u.removeAppended(ctx); err != nil {
		return err
	}
	if u.renames && len(u.back) == 1 && len(u.taken) == 1 { // its files have their old place again
		u.due.Renamed[u.taken[0]] = u.back[0]
	}
	return u.checkTwins(ctx)
}

// restore puts one thing back as it was before the change.
func (u *undoing) restore(ctx context.Context, row queries.Entry) error {
	if row.Revoked != "" {
		t, err := u.look(ctx, Entity(row.Kind), row.ID)
		if err != nil {
			return err
		}
		return &irreversibleError{u.undone, revoked(t, row.Revoked)}
	}
	before, err := readImage(row.Before)
	if err != nil || before == nil {
		return err
	}
	t, err := u.look(ctx, Entity(row.Kind), row.ID)
	if err != nil {
		return err
	}
	after, now := t.after, t.now
	if (after.image == nil) != (now.image == nil) || after.position != now.position && now.image != nil {
		return u.laterOf(ctx, t, nil)
	}
	u.renames = u.renames || t.what == ProfileEntity && after.image == nil
	wanted, members := before, []string(nil)
	if now.image != nil {
		if members = before.differing(after.image); len(members) == 0 {
			return nil // with no members, all that touched the thing since would stand in the way
		}
		if len(after.image.only(members).lasting(t.what).differing(now.image.only(members).lasting(t.what))) > 0 {
			return u.laterOf(ctx, t, members)
		}
		wanted = now.image.with(members, before)
	}
	if err := u.checkUntouched(ctx, t, members); err != nil {
		return err
	}
	return u.put(ctx, row, wanted, now)
}

// revoked says what a change made worthless of a tenant, given the members, with "and" between them.
func revoked(t thing, members string) string {
	did := "ended the old sync token"
	switch isURL := strings.Contains(members, "database_url"); {
	case isURL && len(t.after.image.only(strings.Split(members, " and "))) == 0:
		did = "dropped the database"
	case isURL:
		did = "ended the old database password"
	}
	return fmt.Sprintf("it %s of tenant %s", did, t.id)
}

// remove takes one thing away that the change made.
func (u *undoing) remove(ctx context.Context, t thing) error {
	after, now := t.after, t.now
	switch {
	case now.image == nil && !(u.renames && t.what == ProfileEntity && after.image != nil):
		return nil // a later change took it away
	case now.image == nil, len(after.image.lasting(t.what).differing(now.image.lasting(t.what))) > 0, after.position != now.position:
		return u.laterOf(ctx, t, nil)
	}
	if err := u.checkUntouched(ctx, t, nil); err != nil {
		return err
	}
	return u.takeAway(ctx, t)
}

// removeAppended takes away the tenants that the change appended.
func (u *undoing) removeAppended(ctx context.Context) error {
	if u.undone.firstAdded == 0 {
		return nil
	}
	for tenant, err := range u.tenantsFrom(ctx, u.undone.firstAdded) {
		if err != nil || tenant.position > u.undone.lastAdded {
			return err
		}
		t, err := u.lookBack(ctx, thing{what: TenantEntity, id: string(tenant.ID), now: stateOfTenant(tenant, u.d)})
		if err == nil {
			err = u.remove(ctx, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// toUndo returns the change to reverse.
func (v *View) toUndo(ctx context.Context, sequence *int64, merge int64) (Change, error) {
	if sequence == nil {
		return v.lastToUndo(ctx, merge)
	}
	undone, err := v.changeRow(ctx, *sequence)
	if err != nil {
		return Change{}, err
	}
	if undone, err = v.weighed(ctx, undone); err != nil {
		return Change{}, err
	}
	by, err := v.undoneBy(ctx, *sequence)
	if err != nil || by == 0 {
		return undone, err
	}
	later, err := v.changeRow(ctx, by)
	return Change{}, errors.Join(err, &laterError{Undone: undone, Later: later, What: "undid it"})
}

// lastToUndo returns the last change that stands. A purge is passed over: nothing is
// to be reversed of it. So is a merge of this very command: it is not what is meant.
func (v *View) lastToUndo(ctx context.Context, merge int64) (Change, error) {
	for row, err := range v.changeRows(ctx, nil, math.MaxInt64, 0) {
		if err != nil {
			return Change{}, err
		}
		last, err := v.weighed(ctx, changeOf(row))
		if err != nil {
			return Change{}, err
		}
		if stands, err := v.stands(ctx, last); err != nil || stands && !last.Purged && !(merge != 0 && last.Sequence >= merge) {
			return last, err
		}
	}
	return Change{}, nothingToUndo{}
}

// nothingToUndo is returned if every change that can be undone was.
type nothingToUndo struct{}

func (nothingToUndo) Error() string { return "there is nothing left to undo" }

// Unwrap returns ErrNotFound.
func (nothingToUndo) Unwrap() error { return ErrNotFound }

// checkReversible refuses what the history has nothing of to put back.
func checkReversible(undone Change) error {
	switch {
	case undone.Restored != nil: // the copy of what was replaced is the way back
		return &irreversibleError{undone, "it restored a backup"}
	case undone.Purged:
		return &irreversibleError{undone, "what it purged is gone"}
	}
	return nil
}

// stands tells whether a change is neither an undo nor undone.
func (v *View) stands(ctx context.Context, made Change) (bool, error) {
	if made.Undoes != nil {
		return false, nil
	}
	by, err := v.undoneBy(ctx, made.Sequence)
	return by == 0 && err == nil, err
}

// undoneBy returns the change that undid another and was not undone itself, 0 if none.
func (v *View) undoneBy(ctx context.Context, sequence int64) (int64, error) {
	by, err := v.q.LatestUndoOf(ctx, sequence)
	if err != nil || by == 0 {
		return 0, err
	}
	redone, err := v.undoneBy(ctx, by)
	if redone != 0 {
		by = 0
	}
	return by, err
}

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

// takeAway removes a thing that the change made, unless a later one relies on it.
func (u *undoing) takeAway(ctx context.Context, t thing) error {
	switch t.what {
	case TenantEntity:
		return u.takeTenant(ctx, t.now.tenant)
	case ProfileEntity:
		return u.takeProfile(ctx, t.id)
	default: // a session; selection and document are always there
		s, err := u.Session(ctx, TenantID(t.id))
		if err != nil {
			return err
		}
		return u.deleteSession(ctx, *s)
	}
}

func (u *undoing) takeTenant(ctx context.Context, t placedTenant) error {
	profiles, err := u.ProfilesOf(ctx, &t.ID, 1)
	if err != nil {
		return err
	}
	if len(profiles) > 0 {
		return u.later(ctx, ProfileEntity, profiles[0].Name, nil)
	}
	s, err := u.selection(ctx)
	if err != nil {
		return err
	}
	for _, selected := range []*TenantID{s.Tenant, s.Previous} {
		if selected != nil && *selected == t.ID {
			return u.later(ctx, SelectionEntity, string(SelectionEntity), nil)
		}
	}
	return u.deleteTenant(ctx, t)
}

// selection returns what is selected, which stays when all is put back.
func (u *undoing) selection(ctx context.Context) (Selection, error) {
	if u.selected == nil {
		s, err := u.Selection(ctx)
		if err != nil {
			return Selection{}, err
		}
		u.selected = &s
	}
	return *u.selected, nil
}

func (u *undoing) takeProfile(ctx context.Context, name string) error {
	p, err := u.Profile(ctx, name)
	if err != nil {
		return err
	}
	session, err := u.Session(ctx, p.Tenant)
	if err != nil {
		return err
	}
	if session != nil && session.Profile == name {
		return u.later(ctx, SessionEntity, string(p.Tenant), nil)
	}
	s, err := u.selection(ctx)
	if err != nil {
		return err
	}
	if s.DefaultProfile != nil && *s.DefaultProfile == name {
		return u.later(ctx, SelectionEntity, string(SelectionEntity), nil)
	}
	u.taken = append(u.taken, name)
	return u.deleteProfile(ctx, p)
}
