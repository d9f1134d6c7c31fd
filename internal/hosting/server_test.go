package hosting

import (
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestANewDatabaseGoesToTheFirstServerThereIs: one that is named, one that is chosen, one of
// sp's own. Where none can be had, each kind says what is missing.
func TestANewDatabaseGoesToTheFirstServerThereIs(t *testing.T) {
	t.Parallel()
	admin := secret.New("postgres://a:s3cret@named/postgres")
	chosen := registry.Server{Name: "chosen:5432", Provider: registry.Elsewhere, Chosen: true}
	docker, local := registry.Server{Name: "docker", Provider: registry.InDocker}, registry.Server{Name: "local", Provider: registry.LocalPrograms}
	m := newSite(t).Machine
	for _, c := range []struct {
		wanted Wanted
		known  []registry.Server
		want   string
	}{
		{Wanted{Admin: &admin}, []registry.Server{docker, chosen}, "named:5432"},
		{Wanted{}, []registry.Server{docker, chosen}, "chosen:5432"},
		{Wanted{Provider: registry.Elsewhere}, []registry.Server{docker, chosen}, "chosen:5432"},
		{Wanted{}, []registry.Server{docker, local}, "docker"},
		{Wanted{Provider: registry.LocalPrograms}, []registry.Server{docker, local, chosen}, "local"},
		{Wanted{Provider: registry.LocalPrograms, Admin: &admin}, []registry.Server{docker}, ""},
		{Wanted{}, nil, ""},
	} {
		s, err := m.Find(t.Context(), c.wanted, c.known)
		if c.want == "" {
			var nowhere *NoServerError
			require.ErrorAs(t, err, &nowhere)
			require.ErrorIs(t, err, ErrNoServer)
			require.Len(t, nowhere.Missing, 2-len(c.wanted.Provider)/len("local"))
			require.ErrorIs(t, nowhere.Missing[0], postgres.ErrNone)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, s.Name)
	}
}

// TestNobodyLogsInToAServerOfSpsThatDoesNotRun, or that is withheld; it says which of its data.
func TestNobodyLogsInToAServerOfSpsThatDoesNotRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	data, place, identity := t.TempDir(), "aaaaaaaaaaaaaaaa-project", "1:2"
	s.Data = func() (string, error) { return data, nil }
	own := registry.Server{Name: "local", Provider: registry.LocalPrograms, Admin: secret.New("postgres://sp_admin:s3cret@127.0.0.1:1/postgres"), Place: &place}
	_, err := s.reg.PlanServer(t.Context(), own)
	require.NoError(t, err)
	there := secret.New("postgres://u:s3cret@localhost:1/d")

	requireRefused := func(want error) {
		t.Helper()
		_, err := s.Look(t.Context(), there)
		var trouble *ServerError
		require.ErrorAs(t, err, &trouble)
		require.Equal(t, own.Name, trouble.Server.Name)
		require.ErrorIs(t, err, want)
	}
	requireRefused(ErrStopped)
	requireRefused(provision.ErrUnavailable)
	_, err = s.reg.PlaceServer(t.Context(), own.Name, place, &identity)
	require.NoError(t, err)
	requireRefused(ErrLost)
	require.NoError(t, s.reg.WithholdServers(t.Context(), false))
	requireRefused(ErrWithheld)

	look, err := s.Look(t.Context(), secret.New("postgres://u@elsewhere:1/d"))
	require.NoError(t, err)
	require.Nil(t, look)
}

// TestAServerOfAnEarlierSpIsMovedOnceSomebodySaysSo, and its data are recorded where they are then.
func TestAServerOfAnEarlierSpIsMovedOnceSomebodySaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	data := t.TempDir()
	s.Data = func() (string, error) { return data, nil }
	s.MakeData = s.Data
	own := registry.Server{Name: "local", Provider: registry.LocalPrograms, Admin: secret.New("postgres://sp_admin:s3cret@127.0.0.1:1/postgres")}
	_, err := s.reg.PlanServer(t.Context(), own)
	require.NoError(t, err)
	require.ErrorIs(t, s.startCluster(t.Context(), own), ErrOtherData)

	old := filepath.Join(s.Directory, "postgres")
	mustWrite(t, filepath.Join(old, "data", "PG_VERSION"), "15\n")
	d, err := s.Doubt(own)
	require.NoError(t, err)
	require.Equal(t, old, d.From)
	require.NoDirExists(t, d.Dir)
	moved, err := s.Allow(t.Context(), own, d)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(d.Dir, "data", "PG_VERSION"))
	require.NoDirExists(t, old)
	require.NoError(t, s.DataTrouble(t.Context(), moved))

	d, err = s.Doubt(moved)
	require.NoError(t, err)
	require.Zero(t, d, "it was looked at")
}

// TestAServerThatSaysNotNowIsWaitedFor, as after a crash, from which it recovers, or where clients that log
// in again and again have all of its connections.
func TestAServerThatSaysNotNowIsWaitedFor(t *testing.T) {
	t.Parallel()
	for state, says := range map[string]string{"57P03": "the database system is starting up", "53300": "sorry, too many clients already"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			waitsFor(t, state, says)
		})
	}
}

func waitsFor(t *testing.T, state, says string) {
	t.Helper()
	var asked atomic.Int32
	at := pgtest.Listen(t, func(conn net.Conn) {
		answer := pgtest.Says(state, says)
		if asked.Add(1) > 3 {
			answer = pgtest.Says("28P01", "password authentication failed")
		}
		answer(conn)
	})
	s := newSite(t)
	told := 0
	s.Say = func(string) { told++ }
	server, err := registry.ServerAt(secret.New("postgres://u:p@" + at + "/postgres?sslmode=disable"))
	require.NoError(t, err)
	require.ErrorContains(t, s.Answers(t.Context(), server), "28P01")
	require.Equal(t, 1, told)
}

// TestAServerWhoseDiskIsFullIsNotStopped, because it might not start again.
func TestAServerWhoseDiskIsFullIsNotStopped(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	data, place := t.TempDir(), "aaaaaaaaaaaaaaaa-project"
	s.Data = func() (string, error) { return data, nil }
	own := registry.Server{Name: "local", Provider: registry.LocalPrograms, Admin: secret.New("postgres://sp_admin:s3cret@127.0.0.1:1/postgres"), Place: &place}
	mustWrite(t, filepath.Join(data, place, "data", "PG_VERSION"), "15\n")
	require.ErrorIs(t, s.CheckRestart(own), postgres.ErrNone, "there is room, but no program")

	if err := unix.Mount("tmpfs", data, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("no small disk to be had: %v", err)
	}
	defer func() { require.NoError(t, unix.Unmount(data, 0)) }()
	mustWrite(t, filepath.Join(data, place, "data", "PG_VERSION"), "15\n")
	err := s.CheckRestart(own)
	require.ErrorIs(t, err, ErrNoRoom)
	require.ErrorContains(t, err, "its disk has 0 MB left")

	// Nor is a database made or dropped there, for which it would have to write all that it has.
	_, err = s.reg.PlanServer(t.Context(), own)
	require.NoError(t, err)
	_, err = s.Create(t.Context(), newTenant(id), own, Extras{})
	require.ErrorIs(t, err, ErrNoRoom)
	_, err = s.reg.CreateTenant(t.Context(), registry.NewTenant{Tenant: newTenant(id).Tenant, Database: &registry.PlannedDatabase{Server: own, Name: "sp_a"}})
	require.NoError(t, err)
	done, err := s.Drop(t.Context(), *s.known(id).Database, Wanted{})
	require.ErrorIs(t, err, ErrNoRoom)
	require.False(t, done.Begun)
	for _, sign := range []error{provision.ErrUnavailable, postgres.ErrUnusable, unix.ENOSPC} {
		require.ErrorIs(t, s.orFull(own, fmt.Errorf("it broke: %w", sign)), ErrNoRoom)
	}
}
