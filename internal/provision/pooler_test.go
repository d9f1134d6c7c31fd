package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// newRole makes a role with a database of its own, and returns its URL at the server itself.
func newRole(t *testing.T, name string) secret.Secret {
	t.Helper()
	admin := pgtest.Server(t)
	pgtest.Exec(t, admin, `DROP DATABASE IF EXISTS `+name, `DROP ROLE IF EXISTS `+name, `CREATE ROLE `+name+` LOGIN PASSWORD 'first'`, `CREATE DATABASE `+name+` OWNER `+name)
	t.Cleanup(func() {
		pgtest.Exec(t, admin, `DROP DATABASE `+name+` WITH (FORCE)`, `DROP ROLE `+name)
	})
	url, err := pgurl.For(admin, name, name, secret.New("first"))
	require.NoError(t, err)
	return url
}

func withNewPassword(t *testing.T, url secret.Secret) secret.Secret {
	t.Helper()
	password, err := NewPassword(rand.Reader)
	require.NoError(t, err)
	next, err := pgurl.WithPassword(url, password)
	require.NoError(t, err)
	return next
}

// mustTake wants the server itself to take the password of a URL.
func mustTake(t *testing.T, url secret.Secret) {
	t.Helper()
	answer, err := Check(within(t), url)
	require.NoError(t, err)
	require.False(t, answer.Pooled)
}

func mustStand(t *testing.T, url secret.Secret) Answer {
	t.Helper()
	answer, err := Check(within(t), url)
	require.NoError(t, err)
	return answer
}

// TestAPoolerIsSeenAndATunnelIsNone: what forwards bytes alone, as ssh and Docker do, is no
// pooler.
func TestAPoolerIsSeenAndATunnelIsNone(t *testing.T) {
	t.Parallel()
	url := newRole(t, "sp_test_seen")
	require.False(t, mustStand(t, url).Pooled)
	require.False(t, mustStand(t, tunnel(t, url)).Pooled)
	require.False(t, mustConnect(t, pgtest.Server(t)).Pooled)
	for _, mode := range []string{"session", "transaction", "statement"} {
		for _, query := range []bool{true, false} {
			p := pgtest.NewPooler(t, pgtest.Pooling{Mode: mode, Query: query})
			if !query {
				p.Tell(url)
			}
			require.True(t, mustStand(t, p.URL(url)).Pooled, mode)
			require.True(t, mustStand(t, tunnel(t, p.URL(url))).Pooled, mode)
		}
	}
}

// tunnel is a URL through a port that leads to that of another URL.
func tunnel(t *testing.T, url secret.Secret) secret.Secret {
	t.Helper()
	u, err := pgurl.Usable(url)
	require.NoError(t, err)
	at := net.JoinHostPort(u.Servers()[0].Target(), u.Servers()[0].PortOr())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				to, err := net.Dial("tcp", at)
				if err != nil {
					return
				}
				defer func() { _ = to.Close() }()
				go func() { _, _ = io.Copy(to, c) }()
				_, _ = io.Copy(c, to)
			}()
		}
	}()
	user, password := roleOf(t, url)
	return secret.New(fmt.Sprintf("postgres://%s:%s@%s/%s", user, password, l.Addr(), user))
}

func roleOf(t *testing.T, url secret.Secret) (user, password string) {
	t.Helper()
	config, err := configOf(url)
	require.NoError(t, err)
	return config.User, config.Password
}

// TestNothingStaysOnAPooledConnection that others get: no setting, no lock.
func TestNothingStaysOnAPooledConnection(t *testing.T) {
	t.Parallel()
	p := pgtest.NewPooler(t, pgtest.Pooling{Mode: "transaction", Query: true, Size: 2})
	admin := p.URL(pgtest.Admin(t, "sp_test_stays", "pw"))
	s, err := Connect(within(t), admin)
	require.NoError(t, err)
	require.True(t, s.Pooled)
	d := newDatabase(t, mustConnect(t, pgtest.Server(t)), "stays")
	require.NoError(t, s.Lock(within(t), d))
	mustCreate(t, s, d)
	url, err := s.Enable(within(t), d, LoginA, rand.Reader)
	require.NoError(t, err)
	got, err := s.TryLock(within(t), d)
	require.NoError(t, err)
	require.True(t, got, "it has it already")
	role, err := OpenRole(within(t), url)
	require.NoError(t, err)
	require.NoError(t, role.SetPassword(within(t), withNewPassword(t, url)))
	require.NoError(t, role.SetPassword(within(t), url))
	role.Close()
	require.NoError(t, s.Close())

	for _, through := range []secret.Secret{admin, url} {
		requireClean(t, through)
	}
}

// requireClean looks at both connections that a pooler has for a login.
func requireClean(t *testing.T, url secret.Secret) {
	t.Helper()
	pids := map[string]bool{}
	for range 2 {
		conn, err := pgconn.Connect(within(t), url.Reveal())
		require.NoError(t, err)
		defer func() { _ = conn.Close(context.Background()) }()
		results, err := conn.Exec(within(t), `BEGIN; SELECT pg_backend_pid(), current_setting('search_path'),
			(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
			(SELECT string_agg(name || '=' || setting, ' ') FROM pg_settings WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'transaction_read_only'))`).ReadAll() // each transaction sets the last anew
		require.NoError(t, err)
		row := results[1].Rows[0]
		pids[string(row[0])] = true
		require.Equal(t, `"$user", public`, string(row[1]))
		require.Equal(t, "0", string(row[2]))
		require.Empty(t, string(row[3]))
	}
	require.Len(t, pids, 2)
}

// TestTheLockHoldsThroughAPooler that gives each statement another connection, or the same one
// to two commands, and ends with who has it.
func TestTheLockHoldsThroughAPooler(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := pgtest.NewPooler(t, pgtest.Pooling{Mode: mode, Query: true})
			admin := p.URL(pgtest.Admin(t, "sp_test_lock_"+mode, "pw"))
			d := Database{Name: "sp_lock_" + mode, Tenant: "local_1"}
			first, second := mustConnect(t, admin), mustConnect(t, admin)
			require.NoError(t, first.Lock(within(t), d))
			got, err := second.TryLock(within(t), d)
			require.NoError(t, err)
			require.False(t, got)
			waits := make(chan error)
			go func() { waits <- second.Lock(t.Context(), d) }()
			require.NoError(t, first.Close())
			require.NoError(t, <-waits)
		})
	}
}

// TestALockOutlivesTheTimeoutsOfItsRole.
func TestALockOutlivesTheTimeoutsOfItsRole(t *testing.T) {
	t.Parallel()
	admin := pgtest.Admin(t, "sp_test_patient", "pw")
	pgtest.Exec(t, pgtest.Server(t), `ALTER ROLE sp_test_patient SET idle_in_transaction_session_timeout = '1ms'`)
	s, d := mustConnect(t, admin), Database{Name: "sp_patient", Tenant: "local_1"}
	require.NoError(t, s.Lock(within(t), d))
	pgtest.Exec(t, pgtest.Server(t), `SELECT pg_sleep(0.1)`)
	got, err := mustConnect(t, admin).TryLock(within(t), d)
	require.NoError(t, err)
	require.False(t, got)
}

// TestADatabaseIsMadeAndRotatedThroughAPooler that looks logins up.
func TestADatabaseIsMadeAndRotatedThroughAPooler(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := pgtest.NewPooler(t, pgtest.Pooling{Mode: mode, Query: true})
			s := mustConnect(t, p.URL(pgtest.Server(t)))
			d := newDatabase(t, mustConnect(t, pgtest.Server(t)), mode)
			require.NoError(t, s.Lock(within(t), d))
			a := mustCreate(t, s, d)
			b, err := s.Enable(within(t), d, LoginB, rand.Reader)
			require.NoError(t, err)
			for _, url := range []secret.Secret{a, b} {
				require.NoError(t, s.leadsTo(within(t), url, d, loginIn(t, d, url)))
			}
			require.NoError(t, retire(t, s, d, LoginA))
			refused, err := Refuses(within(t), a)
			require.NoError(t, err)
			require.True(t, refused)
			require.NoError(t, ChecksPasswords(within(t), b, rand.Reader))
			require.NoError(t, s.Drop(within(t), d))
			requireGone(t, d)
		})
	}
}

func loginIn(t *testing.T, d Database, url secret.Secret) Login {
	t.Helper()
	user, _ := roleOf(t, url)
	if user == d.Role(LoginA) {
		return LoginA
	}
	return LoginB
}

// TestARoleBehindAPoolerGetsItsOldPasswordBack: the pooler never learns of the new one.
func TestARoleBehindAPoolerGetsItsOldPasswordBack(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			direct := newRole(t, "sp_test_back_"+mode)
			p := pgtest.NewPooler(t, pgtest.Pooling{Mode: mode})
			p.Tell(direct)
			next := withNewPassword(t, direct)
			role := mustOpen(t, p.URL(direct))
			require.NoError(t, role.SetPassword(within(t), p.URL(next)))
			mustTake(t, next)
			mustRefuse(t, direct)
			_, err := Opens(within(t), p.URL(next))
			require.ErrorIs(t, err, ErrDenied)
			pgtest.Exec(t, pgtest.Server(t), `SELECT 1`)
			require.NoError(t, role.SetPassword(within(t), p.URL(direct)))
			mustTake(t, direct)
			mustRefuse(t, next)
		})
	}
}

// TestAPoolerIsGivenTimeToLearnOfAPassword.
func TestAPoolerIsGivenTimeToLearnOfAPassword(t *testing.T) {
	t.Parallel()
	url := newRole(t, "sp_test_learns")
	p := pgtest.NewPooler(t, pgtest.Pooling{Mode: "transaction"})
	p.Tell(url)
	next := withNewPassword(t, url)
	require.NoError(t, mustOpen(t, url).SetPassword(within(t), next))
	opened := make(chan error)
	go func() {
		_, err := Opens(t.Context(), p.URL(next))
		opened <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(p.Said(), "authentication failed") }, 20*time.Second, time.Millisecond)
	p.Tell(next)
	require.NoError(t, <-opened)
}

// TestTheOldPasswordIsSetBackWithTheVerifierThatItHad, which is all that a pooler may know.
func TestTheOldPasswordIsSetBackWithTheVerifierThatItHad(t *testing.T) {
	t.Parallel()
	url := newRole(t, "sp_test_verifier")
	verifierOf := func() string {
		return pgtest.Exec(t, pgtest.Server(t), `SELECT rolpassword FROM pg_authid WHERE rolname = 'sp_test_verifier'`)[0]
	}
	p := pgtest.NewPooler(t, pgtest.Pooling{Mode: "transaction", Query: true})
	for _, url := range []secret.Secret{url, p.URL(url)} {
		had := verifierOf()
		role := mustOpen(t, url)
		require.NoError(t, role.SetPassword(within(t), withNewPassword(t, url)))
		require.NotEqual(t, had, verifierOf())
		require.NoError(t, role.SetPassword(within(t), url))
		require.Equal(t, had, verifierOf())
		role.Close()
	}
}

// TestWhoseAnswerIsLostIsToldSo: the session ended before the server said anything.
func TestWhoseAnswerIsLostIsToldSo(t *testing.T) {
	t.Parallel()
	url := newRole(t, "sp_test_lost")
	role := mustOpen(t, url)
	pgtest.Exec(t, pgtest.Server(t), fmt.Sprintf("SELECT pg_terminate_backend(%d, 5000)", role.conn.PID()))
	require.ErrorIs(t, role.SetPassword(within(t), withNewPassword(t, url)), ErrUnknown)
	role.Close()

	refused := mustOpen(t, url)
	pgtest.Exec(t, pgtest.Server(t), `ALTER ROLE sp_test_lost SET default_transaction_read_only = on`)
	defer pgtest.Exec(t, pgtest.Server(t), `ALTER ROLE sp_test_lost RESET default_transaction_read_only`)
	refused.Close()
	refused = mustOpen(t, url)
	err := refused.SetPassword(within(t), withNewPassword(t, url))
	require.NotErrorIs(t, err, ErrUnknown)
	require.ErrorContains(t, err, "25006")
}

// TestTwoWhoChangeTheSamePasswordWaitForEachOther.
func TestTwoWhoChangeTheSamePasswordWaitForEachOther(t *testing.T) {
	t.Parallel()
	url := newRole(t, "sp_test_two")
	first := mustOpen(t, url)
	second := make(chan error)
	go func() {
		r, err := OpenRole(t.Context(), url)
		if err == nil {
			r.Close()
		}
		second <- err
	}()
	require.Eventually(t, func() bool {
		return count(t, `pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = 'sp_test_two')`) == 1
	}, 20*time.Second, 5*time.Millisecond)
	first.Close()
	require.NoError(t, <-second)
}

// TestARoleThatIsNotTheOneOfTheURLIsAMismatch: a pooler may log in everybody as one role, whose
// password is not the one of the URL.
func TestARoleThatIsNotTheOneOfTheURLIsAMismatch(t *testing.T) {
	t.Parallel()
	url := newRole(t, "sp_test_forced")
	server := pgtest.Server(t)
	p := pgtest.NewPooler(t, pgtest.Pooling{Mode: "transaction", As: &server})
	p.Tell(url)
	_, err := OpenRole(within(t), p.URL(url))
	require.ErrorIs(t, err, ErrMismatch)
}
