package provision

import (
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// openSession opens one; what it returns requires that somebody ended it.
func openSession(t *testing.T, url secret.Secret) (ended func()) {
	t.Helper()
	conn, err := pgconn.Connect(within(t), url.Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return func() {
		t.Helper()
		require.ErrorContains(t, conn.Ping(within(t)), "57P01")
	}
}

func TestRotationFlipsBetweenTheLogins(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "rotation")
	used, login := mustCreate(t, s, d), LoginA
	for range 3 {
		next, err := s.Enable(within(t), d, other(login), rand.Reader)
		require.NoError(t, err)
		_, err = Check(within(t), used)
		require.NoError(t, err, "both work meanwhile")
		ended := openSession(t, with(used, "?application_name=shop"))
		uses, err := s.UsesOf(within(t), d, login)
		require.NoError(t, err)
		require.Equal(t, Uses{{"shop", 1}}, uses)
		uses, err = s.Retire(within(t), d, login)
		require.NoError(t, err)
		require.Equal(t, Uses{{"shop", 1}}, uses)
		ended()
		mustRefuse(t, used)
		used, login = next, other(login)
		answer, err := Check(within(t), used)
		require.NoError(t, err)
		require.Equal(t, d.Role(login), answer.User)
	}
	require.NoError(t, retire(t, s, d, other(login)), "again")
}

func TestEnableEndsTheSessionsOfTheFormerPassword(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "enable")
	former := mustCreate(t, s, d)
	ended := openSession(t, former)
	url, err := s.Enable(within(t), d, LoginA, rand.Reader)
	require.NoError(t, err)
	ended()
	mustRefuse(t, former)
	requireWhole(t, d, url)
}

func TestExpireLetsTheServerRefuse(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "expire")
	url := mustCreate(t, s, d)
	before := time.Now()
	end, err := s.Expire(within(t), d, LoginA, time.Hour)
	require.NoError(t, err)
	require.WithinDuration(t, before.Add(time.Hour), end, time.Minute)
	require.Equal(t, time.UTC, end.Location())
	refused, err := Refuses(within(t), url)
	require.NoError(t, err)
	require.False(t, refused)

	end, err = s.Expire(within(t), d, LoginA, 300*time.Millisecond)
	require.NoError(t, err)
	_, err = Check(within(t), url)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		refused, err := Refuses(within(t), url)
		return err == nil && refused && !time.Now().Before(end)
	}, 10*time.Second, 20*time.Millisecond)
	url, err = s.Enable(within(t), d, LoginA, rand.Reader)
	require.NoError(t, err, "it has no end any more")
	requireWhole(t, d, url)
}

func TestALoginThatIsNotThereIsAMismatch(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "absent")
	_, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.ErrorIs(t, err, ErrMismatch)
	_, err = s.Expire(within(t), d, LoginB, time.Hour)
	require.ErrorIs(t, err, ErrMismatch)
	require.ErrorIs(t, retire(t, s, d, LoginB), ErrMismatch)
}

func TestSetPasswordOfAnAdoptedRole(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	pgtest.Exec(t, admin, `DROP ROLE IF EXISTS sp_test_adopted`, `CREATE ROLE sp_test_adopted LOGIN PASSWORD 'old'`, `ALTER ROLE sp_test_adopted SET role TO pg_monitor`, `GRANT pg_monitor TO sp_test_adopted`)
	t.Cleanup(func() { pgtest.Exec(t, admin, `DROP ROLE sp_test_adopted`) })
	url, err := pgurl.For(admin, "sp_test_adopted", "postgres", secret.New("old"))
	require.NoError(t, err)
	password, err := NewPassword(rand.Reader)
	require.NoError(t, err)
	next, err := pgurl.WithPassword(url, password)
	require.NoError(t, err)

	role := mustOpen(t, url)
	require.NoError(t, role.SetPassword(within(t), next))
	mustRefuse(t, url)
	answer, err := Check(within(t), next)
	require.NoError(t, err)
	require.Equal(t, "sp_test_adopted", answer.User)
	_, err = OpenRole(within(t), url)
	require.ErrorIs(t, err, ErrDenied, "with the old one")

	for _, bad := range []string{"", "pässword", "a\tb"} {
		wrong, err := pgurl.WithPassword(next, secret.New(bad))
		require.NoError(t, err)
		require.ErrorIs(t, role.SetPassword(within(t), wrong), ErrInvalid)
	}
	_, err = Check(within(t), next)
	require.NoError(t, err)
}

// TestNoPasswordReachesTheServersLog, which has every statement in it.
func TestNoPasswordReachesTheServersLog(t *testing.T) {
	t.Parallel()
	log := pgtest.Log(t)
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "log")
	urls := []secret.Secret{mustCreate(t, s, d)}
	b, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.NoError(t, err)
	password, err := NewPassword(rand.Reader)
	require.NoError(t, err)
	next, err := pgurl.WithPassword(b, password)
	require.NoError(t, err)
	require.NoError(t, mustOpen(t, b).SetPassword(within(t), next))
	require.NoError(t, retire(t, s, d, LoginA))
	mustRefuse(t, urls[0])

	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(text), "ALTER ROLE "+identifier(d.Role(LoginB))+" LOGIN PASSWORD")
	require.Contains(t, string(text), "ALTER ROLE CURRENT_USER PASSWORD")
	for _, url := range append(urls, b, next) {
		secret, err := pgurl.PasswordOf(url)
		require.NoError(t, err)
		require.Len(t, secret.Reveal(), 32)
		require.NotContains(t, string(text), secret.Reveal())
	}
}
