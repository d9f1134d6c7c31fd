package hosting

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func TestMain(m *testing.M) {
	if err := db.Harden(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// errStopped is what a step ends with at which a deed is stopped.
var errStopped = errors.New("stopped")

// site is a machine with a registry of its own, whose deeds can be stopped at each step.
type site struct {
	*Machine
	t   *testing.T
	reg *registry.Registry
	now time.Time
	// before is the URL that a tenant had before a deed.
	before secret.Secret

	steps    int   // that were taken since arm
	stopAt   int   // the step at which the deed is stopped; 0 is none
	how      error // nil in front of the step, else what is said once it is made
	changing atomic.Bool
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)}
	options := registry.Options{Now: func() time.Time { return s.now }, Wait: 20 * time.Second, Command: "sp test", Holder: "the test"}
	reg, _, err := registry.Create(t.Context(), filepath.Join(t.TempDir(), "sp.db"), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reg.Close()) })
	s.reg = reg
	s.Machine = &Machine{
		Read: s.read, Change: s.change, Now: options.Now, Random: rand.Reader, Progress: func(string) {}, Directory: t.TempDir(),
		Programs: func(string) (postgres.Programs, error) { return postgres.Programs{}, postgres.ErrNone },
		Data:     func() (string, error) { return filepath.Join(t.TempDir(), "data"), nil },
	}
	s.MakeData = s.Data
	return s
}

func (s *site) read(ctx context.Context, fn func(*registry.View) error) error {
	view, err := s.reg.View(ctx)
	if err != nil {
		return err
	}
	defer view.Close()
	return fn(view)
}

func (s *site) change(ctx context.Context, fn func(*registry.Registry) error) error {
	s.steps++
	if s.steps == s.stopAt && s.how == nil {
		return errStopped
	}
	s.changing.Store(true)
	err := s.commit(ctx, fn)
	s.changing.Store(false)
	if err == nil && s.steps == s.stopAt {
		return fmt.Errorf("%w: %w", s.how, errStopped)
	}
	return err
}

func (s *site) commit(ctx context.Context, fn func(*registry.Registry) error) (err error) {
	tx, err := s.reg.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if err := tx.Do(ctx, fn); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

// arm has the next deed stopped at a step.
func (s *site) arm(step int, how error) { s.steps, s.stopAt, s.how = 0, step, how }

// ctx fails the test if anybody logs in to a server within a change.
func (s *site) ctx() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	return provision.WithBeforeLogin(ctx, func(context.Context, secret.Secret) (bool, error) {
		if s.changing.Load() {
			s.t.Error("somebody is waited for within a change of the registry")
		}
		return false, nil
	})
}

func (s *site) server() registry.Server {
	s.t.Helper()
	server, err := registry.ServerAt(pgtest.Server(s.t))
	require.NoError(s.t, err)
	return server
}

// known is what is recorded of a tenant.
func (s *site) known(id registry.TenantID) Subject {
	s.t.Helper()
	subject, err := s.subject(s.t.Context(), id)
	require.NoError(s.t, err)
	return subject
}

func (s *site) url(id registry.TenantID) secret.Secret {
	s.t.Helper()
	return *s.known(id).Tenant.DatabaseURL
}

func (s *site) requireOpens(url secret.Secret) {
	s.t.Helper()
	_, err := provision.Check(s.ctx(), url)
	require.NoError(s.t, err)
}

func (s *site) requireRefused(url secret.Secret) {
	s.t.Helper()
	refused, err := provision.Refuses(s.ctx(), url)
	require.NoError(s.t, err)
	require.True(s.t, refused, "the old password must not work")
}

// mustCreate makes a tenant with a database.
func (s *site) mustCreate(id registry.TenantID) {
	s.t.Helper()
	_, err := s.Create(s.ctx(), newTenant(id), s.server(), Extras{})
	require.NoError(s.t, err)
}

func newTenant(id registry.TenantID) registry.NewTenant {
	return registry.NewTenant{Tenant: registry.Tenant{ID: id, Name: string(id), Kind: registry.Local}}
}

// mustDelete drops a tenant's database and deletes the tenant, and nothing of it is left.
func (s *site) mustDelete(id registry.TenantID) {
	s.t.Helper()
	d := s.known(id).Database
	_, err := s.Drop(s.ctx(), *d, Wanted{})
	require.NoError(s.t, err)
	_, err = s.reg.DeleteTenant(s.ctx(), registry.Deletion{ID: id, Dropped: true})
	require.NoError(s.t, err)
	require.Equal(s.t, []string{"0"}, pgtest.Exec(s.t, pgtest.Server(s.t),
		"SELECT (SELECT count(*) FROM pg_database WHERE datname = '"+d.Name+"') + (SELECT count(*) FROM pg_roles WHERE rolname LIKE '"+d.Name+"%')"))
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// openSession opens a session of an application, and returns what requires that it has ended.
func openSession(t *testing.T, url secret.Secret, application string) (ended func()) {
	t.Helper()
	config, err := pgconn.ParseConfig(url.Reveal())
	require.NoError(t, err)
	config.RuntimeParams["application_name"] = application
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return func() {
		t.Helper()
		_, err := conn.Exec(t.Context(), "SELECT 1").ReadAll()
		require.Error(t, err, "the session lives on")
	}
}
