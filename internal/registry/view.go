package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"time"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// View answers questions about one instant of the registry.
type View struct {
	q     *queries.Queries
	now   time.Time // the instant: what was kept until then is not any more
	span  span      // what appended answered last
	since time.Time
	// remakeThings makes the index of the history's things again, nil while it is there.
	remakeThings func() error
	due          *Due                         // nil but in a change
	copied       bool                         // it is a copy, and nothing was changed in it since
	copyOf       string                       // the directory of its original, as far as is known
	file         func() (string, fs.FileInfo) // nil while another connection would see something else
	close        func()
}

// View begins reading; the caller closes what it gets. Within a change it shows what that
// has done so far.
func (r *Registry) View(ctx context.Context) (*View, error) {
	if r.change != nil {
		return r.change.View, nil
	}
	read, err := r.db.Read(ctx)
	if err != nil {
		return nil, err
	}
	return &View{q: queries.New(read), now: r.options.Now(), copied: read.CopyOf() != "", copyOf: read.CopyOf(), file: read.File, close: read.Close}, nil
}

// OpenView opens a registry for one view, which closes it.
func OpenView(ctx context.Context, path string, o Options) (*View, error) {
	r, err := Open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	view, err := r.View(ctx)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	ended := view.close
	view.close = func() {
		ended()
		_ = r.Close() // nothing was written
	}
	return view, nil
}

// Close ends the reading.
func (v *View) Close() {
	if v.close != nil { // else it is a change's
		v.close()
	}
}

// Since returns an instant before the change whose view it is, by the clock of the
// file system: whatever is written in the registry's directory from now on is dated
// that or later. It is zero where nothing is known of that, as when only reading.
func (v *View) Since() time.Time { return v.since }

// State is how far the registry has come: every change adds one to Revision, and
// TenantsRevision is the revision of the last one that a file of tenants shows. ID, by which
// the registry is known again, is a secret, and empty until its first change.
type State struct {
	ID              secret.Secret
	Revision        int64
	TenantsRevision int64
	Document        Document
	// CopyOf is the directory of the registry of which this one is a copy, if that is still there and nothing
	// was changed here since.
	CopyOf string
}

// State returns how far the registry has come.
func (v *View) State(ctx context.Context) (State, error) {
	row, err := v.q.Meta(ctx)
	if err != nil {
		return State{}, vanished(err)
	}
	st, err := stateOf(row)
	st.CopyOf = v.copyOf
	return st, err
}

// File is what the registry remembers of a file that it wrote: the SHA-256 of
// what stood there before and of what it wrote, in hexadecimal and empty for
// nothing, and the TenantsRevision that the file shows. A Path that is relative,
// to the registry's directory, is tracked; an absolute one is a copy. Written, of a file
// that is put in place now, is the time that it has there.
type File struct {
	Path            string
	Previous        string
	Current         string
	TenantsRevision int64
	Written         time.Time
}

// File returns what is remembered of the file at path, nil if nothing is.
func (v *View) File(ctx context.Context, path string) (*File, error) {
	row, err := v.q.File(ctx, path)
	if there, err := isThere(err); !there {
		return nil, err
	}
	return &File{
		Path: row.Path, Previous: row.Previous, Current: row.Current, TenantsRevision: row.TenantsRevision,
	}, nil
}

// Tenant returns the tenant with that id.
func (v *View) Tenant(ctx context.Context, id TenantID) (Tenant, error) {
	placed, err := v.placedTenant(ctx, id)
	return placed.Tenant, err
}

func (v *View) placedTenant(ctx context.Context, id TenantID) (placedTenant, error) {
	row, err := v.q.Tenant(ctx, string(id))
	if err != nil {
		return placedTenant{}, absent(err, "tenant", string(id))
	}
	return placedTenantOf(row)
}

// Len returns how many tenants there are.
func (v *View) Len(ctx context.Context) (int, error) {
	n, err := v.q.CountTenants(ctx)
	return int(n), err
}

// HasCloud tells whether a tenant is a cloud tenant.
func (v *View) HasCloud(ctx context.Context) (bool, error) {
	has, err := v.q.HasTenantOfType(ctx, string(Cloud))
	return has, err
}

// isEmpty tells whether there is no tenant.
func (v *View) isEmpty(ctx context.Context) (bool, error) {
	first, err := v.q.TenantsAfter(ctx, queries.TenantsAfterParams{Position: math.MinInt64, Size: 1})
	return len(first) == 0, err
}

// Tenants streams tenants in their order of entry.
func (v *View) Tenants(ctx context.Context, page Page) iter.Seq2[Tenant, error] {
	return func(yield func(Tenant, error) bool) {
		after := int64(math.MinInt64)
		if page.After != "" {
			row, err := v.q.Tenant(ctx, page.After)
			if err != nil {
				yield(Tenant{}, absent(err, "tenant", page.After))
				return
			}
			after = row.Position
		}
		convert(v.rowsAfter(ctx, after, page.Limit), tenantOf)(yield)
	}
}

func (v *View) rowsAfter(ctx context.Context, position int64, limit int) iter.Seq2[queries.Tenant, error] {
	fit := func(size int64) (int64, error) {
		for {
			bytes, err := v.q.SizeOfTenantsAfter(ctx, queries.SizeOfTenantsAfterParams{Position: position, Size: size})
			if err != nil || bytes <= batchBytes || size == 1 {
				return size, err
			}
			size = max(1, size*batchBytes/bytes)
		}
	}
	return streamFitting(limit, fit, func(size int64) ([]queries.Tenant, error) {
		rows, err := v.q.TenantsAfter(ctx, queries.TenantsAfterParams{Position: position, Size: size})
		if len(rows) > 0 {
			position = rows[len(rows)-1].Position
		}
		return rows, err
	})
}

// Profile returns the profile with that name.
func (v *View) Profile(ctx context.Context, name string) (Profile, error) {
	row, err := v.q.Profile(ctx, name)
	if err != nil {
		return Profile{}, absent(err, "profile", name)
	}
	return profileOf(row.Name, row.TenantID)
}

func profileOf(name, tenant string) (Profile, error) {
	if !utf8.ValidString(name) || !utf8.ValidString(tenant) {
		return Profile{}, fmt.Errorf("profile %s: %w: it is not UTF-8", shown(name), db.ErrDamaged)
	}
	return Profile{Name: name, Tenant: TenantID(tenant)}, nil
}

// Profiles streams, in order of name, the profiles of one tenant or, with nil, of all.
func (v *View) Profiles(ctx context.Context, tenant *TenantID, page Page) iter.Seq2[Profile, error] {
	return func(yield func(Profile, error) bool) {
		after := page.After
		stream(page.Limit, func(size int64) ([]Profile, error) {
			rows, err := v.profilesAfter(ctx, tenant, after, size)
			if len(rows) > 0 {
				after = rows[len(rows)-1].Name
			}
			return rows, err
		})(yield)
	}
}

// ProfilesOf returns at most limit profiles in order of name, of one tenant or,
// with nil, of all.
func (v *View) ProfilesOf(ctx context.Context, tenant *TenantID, limit int) ([]Profile, error) {
	return v.profilesAfter(ctx, tenant, "", int64(limit))
}

func (v *View) profilesAfter(ctx context.Context, tenant *TenantID, after string, size int64) ([]Profile, error) {
	var profiles []Profile
	add := func(name, tenant string) error {
		p, err := profileOf(name, tenant)
		profiles = append(profiles, p)
		return err
	}
	if tenant == nil {
		rows, err := v.q.ProfilesAfter(ctx, queries.ProfilesAfterParams{Name: after, Size: size})
		for _, row := range rows {
			err = cmp.Or(err, add(row.Name, row.TenantID))
		}
		return profiles, err
	}
	rows, err := v.q.TenantProfilesAfter(ctx, queries.TenantProfilesAfterParams{TenantID: string(*tenant), Name: after, Size: size})
	for _, row := range rows {
		err = cmp.Or(err, add(row.Name, row.TenantID))
	}
	return profiles, err
}

// Session returns the session of a tenant, nil if it has none.
func (v *View) Session(ctx context.Context, tenant TenantID) (*Session, error) {
	return optionalSession(v.q.Session(ctx, string(tenant)))
}

// Sessions streams the sessions in order of their tenants' ids.
func (v *View) Sessions(ctx context.Context, page Page) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		after := page.After
		rows := stream(page.Limit, func(size int64) ([]queries.Session, error) {
			rows, err := v.q.SessionsAfter(ctx, queries.SessionsAfterParams{TenantID: after, Size: size})
			if len(rows) > 0 {
				after = rows[len(rows)-1].TenantID
			}
			return rows, err
		})
		convert(rows, sessionOf)(yield)
	}
}
