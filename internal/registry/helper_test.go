package registry

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

func TestMain(m *testing.M) {
	if err := db.Harden(); err != nil {
		panic(err)
	}
	flag.Parse()
	if testing.Short() { // the race detector's; of these hundreds of operations in one goroutine some do
		if err := flag.Set("rapid.checks", "40"); err != nil { // and rapid does a fifth of them
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// noon is the instant of every change, until a test moves the clock.
var noon = time.Date(2026, 2, 1, 12, 0, 0, 123456789, time.UTC)

// desk is a registry, its clock, and what was asked of its surroundings.
type desk struct {
	*Registry
	path  string
	now   time.Time
	asked int        // how often the clock was asked
	clock *time.Time // by which tenants.json is dated, nil for no such file
}

// mustDesk makes a new registry.
func mustDesk(t testing.TB) *desk {
	t.Helper()
	return mustDeskAt(t, filepath.Join(t.TempDir(), "sp.db"))
}

func mustDeskAt(t require.TestingT, path string) *desk {
	d := &desk{path: path, now: noon}
	r, _, err := Create(context.Background(), path, d.options())
	require.NoError(t, err)
	d.Registry = r
	d.asked = 0
	if c, ok := t.(interface{ Cleanup(func()) }); ok {
		c.Cleanup(func() { _ = d.Close() })
	}
	return d
}

func (d *desk) options() Options {
	return Options{
		Now:     func() time.Time { d.asked++; return d.now },
		Wait:    20 * time.Second,
		Rand:    rand.NewChaCha8([32]byte{1}),
		Command: "sp test",
		Holder:  "the test",
	}
}

// behind makes a change of fn behind one that takes over what another program did.
func (d *desk) behind(ctx context.Context, m Merge, fn func(*Registry) error) (plan Plan, err error) {
	tx, err := d.Begin(ctx)
	if err != nil {
		return plan, err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if plan, err = tx.Merge(ctx, m); err != nil {
		return plan, err
	}
	if err = tx.Do(ctx, fn); err == nil {
		_, err = tx.Commit()
	}
	return plan, err
}

// TakeOver takes over what another program did, as the only change.
func (d *desk) TakeOver(ctx context.Context, m Merge) (plan Plan, err error) {
	err = d.write(ctx, func(c *change) error { return c.takeOver(ctx, m, &plan) })
	return plan, err
}

// tryImport imports, and takes that back.
func (d *desk) tryImport(ctx context.Context, i Import) (plan Plan, err error) {
	tx, err := d.Begin(ctx)
	if err != nil {
		return plan, err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	return plan, tx.Do(ctx, func(r *Registry) (err error) {
		plan, err = r.ImportTenants(ctx, i)
		return err
	})
}

// mustChangeNothing makes a change that does nothing.
func (d *desk) mustChangeNothing(t *testing.T) {
	t.Helper()
	require.NoError(t, d.write(t.Context(), func(*change) error { return nil }))
}

func (d *desk) mustTry(t *testing.T, i Import) Plan {
	t.Helper()
	plan, err := d.tryImport(t.Context(), i)
	require.NoError(t, err)
	return plan
}

func (d *desk) mustReopen(t require.TestingT) {
	require.NoError(t, d.Close())
	r, err := Open(context.Background(), d.path, d.options())
	require.NoError(t, err)
	d.Registry = r
}

func ptr[T any](v T) *T { return &v }

func sealed(text string) *secret.Secret { return ptr(secret.New(text)) }

// values are what an edit gives members, by name.
type values = map[string]*secret.Secret

func mustAll[T any](t require.TestingT, rows iter.Seq2[T, error]) (all []T) {
	for row, err := range rows {
		require.NoError(t, err)
		all = append(all, row)
	}
	return all
}

// requireTenants compares tenants; a Secret is a func, which reflection can't compare.
func requireTenants(t require.TestingT, want, got []Tenant) {
	require.Equal(t, revealAll(want), revealAll(got))
}

func revealAll(tenants []Tenant) (texts []string) {
	for _, tenant := range tenants {
		texts = append(texts, reveal(tenant))
	}
	return texts
}

// reveal writes a tenant with all that is in it; absent and empty differ.
func reveal(t Tenant) string {
	s := func(p *string) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprintf("%q", *p)
	}
	return fmt.Sprintf("%q %q %s %s %s %s %s %s %t %s %s {%s}", t.ID, t.Name, s(t.AppID), s(t.Hostname), s(t.Region),
		s(textOf(t.DatabaseURL)), s(textOf(t.InternalDatabaseURL)), t.Kind, t.ExternalDBAccess, s(textOf(t.SyncToken)),
		s(t.SharedContainerDB), t.Unknown.Reveal())
}

// contents is all that a registry holds, in a form that can be compared.
type contents struct {
	Revision, TenantsRevision int64
	Document                  string
	Tenants                   []string
	Profiles                  []Profile
	Sessions                  []Session // without what authenticates them, a secret.Secret is a func
	Selection                 Selection
	// Secrets are those of the profiles, Authentications those of the sessions, told.
	Secrets, Authentications []string
	// Calls to control planes, and what these said of the tenants last.
	Calls []CloudCall
	Said  []string
}

// mustContents looks with other eyes: it opens the file anew.
func mustContents(t require.TestingT, path string) contents {
	ctx := context.Background()
	r, err := Open(ctx, path, Options{Now: func() time.Time { return noon }, Wait: 20 * time.Second})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	return contentsOf(t, r)
}

func contentsOf(t require.TestingT, r *Registry) (c contents) {
	ctx := context.Background()
	v, err := r.View(ctx)
	require.NoError(t, err)
	defer v.Close()
	state, err := v.State(ctx)
	require.NoError(t, err)
	c.Revision, c.TenantsRevision = state.Revision, state.TenantsRevision
	c.Document = FormatTime(state.Document.SyncedAt) + " {" + state.Document.Unknown.Reveal() + "}"
	c.Tenants = revealAll(mustAll(t, v.Tenants(ctx, Page{})))
	c.Profiles = mustAll(t, v.Profiles(ctx, nil, Page{}))
	c.Sessions = mustAll(t, v.Sessions(ctx, Page{}))
	for i, s := range c.Sessions {
		if a := s.Authentication; a != nil {
			c.Authentications = append(c.Authentications, string(s.Tenant)+" "+revealAuthentication(*a))
			c.Sessions[i].Authentication = nil
		}
	}
	for _, p := range c.Profiles {
		secrets, err := v.ProfileSecrets(ctx, p.Name)
		require.NoError(t, err)
		for _, s := range secrets {
			c.Secrets = append(c.Secrets, p.Name+" "+s.Key+"="+s.Value.Reveal())
		}
	}
	c.Selection, err = v.Selection(ctx)
	require.NoError(t, err)
	c.Calls, err = v.CloudCalls(ctx)
	require.NoError(t, err)
	said, err := v.q.CloudTenants(ctx)
	require.NoError(t, err)
	for _, row := range said {
		c.Said = append(c.Said, row.TenantID+" "+row.Origin+" "+row.Account+" "+row.Base)
	}
	return c
}

// revealAuthentication writes all that is in it.
func revealAuthentication(a Authentication) string {
	issuer := "-"
	if a.Issuer != nil {
		issuer = *a.Issuer
	}
	return fmt.Sprintf("%s issuer:%s %s %s %s %s %s %s..%s used %s", a.Token.Reveal(), issuer, a.SessionID, a.ContextID,
		a.UserID, a.UserEmail, a.UserType, FormatTime(a.CreatedAt), FormatTime(a.ExpiresAt), FormatTime(a.LastUsed))
}

// mustRefuse makes sure that do is refused for that reason and leaves no trace.
func (d *desk) mustRefuse(t *testing.T, reason error, do func() error) {
	t.Helper()
	before := mustContents(t, d.path)
	require.ErrorIs(t, do(), reason)
	require.Equal(t, before, mustContents(t, d.path))
}

func (d *desk) mustView(t testing.TB) *View {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v
}

// mustTenants creates local tenants with these ids, which are their names too.
func (d *desk) mustTenants(t testing.TB, ids ...TenantID) {
	t.Helper()
	for _, id := range ids {
		_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: local(id)})
		require.NoError(t, err)
	}
}

func local(id TenantID) Tenant {
	return NewLocal(id, string(id), secret.New("postgres://u:pw-"+string(id)+"@localhost:5432/"+string(id)))
}

func (d *desk) mustProfiles(t testing.TB, tenant TenantID, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := d.CreateProfile(t.Context(), NewProfile{Name: name, Tenant: &tenant})
		require.NoError(t, err)
	}
}

func (d *desk) mustSelect(t testing.TB, id TenantID) {
	t.Helper()
	_, err := d.SelectTenant(t.Context(), id)
	require.NoError(t, err)
}

func (d *desk) mustUse(t testing.TB, profile string) {
	t.Helper()
	_, err := d.UseProfile(t.Context(), profile)
	require.NoError(t, err)
}

// file is an import of these tenants, synced at noon.
func file(tenants ...Tenant) Import { return fileOf(Document{SyncedAt: noon}, tenants...) }

func fileOf(doc Document, tenants ...Tenant) Import {
	return Import{Read: func(take func(Tenant) error) (Document, error) {
		for _, tenant := range tenants {
			if err := take(tenant); err != nil {
				return Document{}, err
			}
		}
		return doc, nil
	}}
}

func (d *desk) mustImport(t testing.TB, i Import) Plan {
	t.Helper()
	plan, err := d.ImportTenants(t.Context(), i)
	require.NoError(t, err)
	return plan
}

func ids(c contents) (ids []string) {
	for _, text := range c.Tenants {
		ids = append(ids, strings.Split(text, `"`)[1])
	}
	return ids
}

func steps(p Plan) (texts []string) {
	for _, s := range p.Steps {
		text := fmt.Sprintf("%s %s", s.Action, s.ID)
		for what, names := range map[string][]string{"changed": s.Changed, "kept": s.Kept, "masked": s.Masked, "stale": s.Stale} {
			if len(names) > 0 {
				text += " " + what + ":" + strings.Join(names, ",")
			}
		}
		words := strings.Fields(text)
		slices.Sort(words[2:])
		texts = append(texts, strings.Join(words, " "))
	}
	return texts
}

// mustMess changes the file behind the registry's back.
func mustMess(t testing.TB, path string, statements ...string) {
	t.Helper()
	conn := mustRaw(t, path)
	for _, s := range statements {
		_, err := conn.Exec(s)
		require.NoError(t, err, s)
	}
	require.NoError(t, conn.Close())
}

func mustRaw(t testing.TB, path string) *sql.DB {
	t.Helper()
	conn, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_foreign_keys=1"}).String())
	require.NoError(t, err)
	conn.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

var errTrouble = errors.New("trouble")
