package live

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// What stands between sp and a server may refuse a password that the server takes, and take
// one that the server refuses.

// pooled is a project with an adopted database behind a pooler.
type pooled struct {
	*scene
	*pgtest.Pooler
	role   string
	direct secret.Secret // what was adopted, at the server itself
}

// newPooled makes one. The role's sessions may not wait in a transaction, and do.
func newPooled(t *testing.T, name string, how pgtest.Pooling) pooled {
	t.Helper()
	s := newScene(t, name)
	role := "live_" + strings.ReplaceAll(name, "-", "_")
	direct, err := adoptable(s.super, role)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dropAdopted(s.super, role)) })
	pgtest.Exec(t, s.super, `ALTER ROLE `+role+` SET idle_in_transaction_session_timeout = '100ms'`)
	p := pooled{s, pgtest.NewPooler(t, how), role, direct}
	if !how.Query {
		p.Tell(direct)
	}
	p.begun().must("tenant", "create", "--id", "k", "--name", "k", "--database-url", p.URL(direct).Reveal())
	return p
}

// atServer is a URL at the server itself.
func (p pooled) atServer(url secret.Secret) secret.Secret {
	p.T.Helper()
	return atServer(p.T, p.super, url)
}

func atServer(t *testing.T, super, url secret.Secret) secret.Secret {
	t.Helper()
	_, database, _ := strings.Cut(url.Reveal()[len("postgres://"):], "/")
	direct, err := pgurl.For(super, userOf(url), database, passwordOf(url))
	require.NoError(t, err)
	return direct
}

// planned are the URLs that are recorded for a rotation which has not ended.
func (p pooled) planned() (urls []secret.Secret) {
	p.T.Helper()
	found, err := asked(p.Dir, `SELECT database_url FROM rotations`)
	require.NoError(p.T, err)
	for _, url := range found {
		urls = append(urls, secret.New(url))
	}
	return urls
}

func (p pooled) verifier() string {
	p.T.Helper()
	return pgtest.Exec(p.T, p.super, `SELECT rolpassword FROM pg_authid WHERE rolname = '`+p.role+`'`)[0]
}

// untilChanged waits until the role has another password, and answers with the one before.
func (p pooled) untilChanged(before string) {
	p.T.Helper()
	require.Eventually(p.T, func() bool { return p.verifier() != before }, 20*time.Second, time.Millisecond)
}

// TestAPoolerThatNeverLearnsGetsTheOldPasswordBack: it has a list of its own.
func TestAPoolerThatNeverLearnsGetsTheOldPasswordBack(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := newPooled(t, "never-"+mode, pgtest.Pooling{Mode: mode})
			o := p.Run("tenant", "rotate-credentials", "k")
			require.Equal(t, 2, o.Exit, o.Stderr)
			require.Contains(t, o.Stderr, "others who use it are shut out; a connection pooler stands before its server")
			require.True(t, opens(p.direct))

			o = p.Run("tenant", "rotate-credentials", "k", "-y")
			require.Equal(t, 9, o.Exit, o.Stderr)
			require.Contains(t, o.Stderr, "sp: tenant k (k): a connection pooler stands before its server: it may refuse the new password, and then the old one is set back\n")
			require.Contains(t, o.Stderr, "sp: the new password does not open the database, and the old one is set back: ")
			require.Contains(t, o.Stderr, "sp: hint: let the pooler look passwords up at the server (auth_query)")
			require.True(t, p.url("k").Equal(p.URL(p.direct)))
			require.True(t, opens(p.direct), "the server has another password than the registry")
			require.Empty(t, p.planned())
			p.must("tenant", "check", "k")
		})
	}
}

// TestAPoolerThatAsksTheServerIsRotatedThrough.
func TestAPoolerThatAsksTheServerIsRotatedThrough(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := newPooled(t, "asks-"+mode, pgtest.Pooling{Mode: mode, Query: true})
			before := p.direct
			for range 2 {
				o := p.Run("tenant", "rotate-credentials", "k", "-y")
				require.Zero(t, o.Exit, o.Stderr)
				require.Contains(t, o.Stderr, "sp: the pooler refuses the old ones\n")
				after := p.atServer(p.url("k"))
				require.True(t, opens(after))
				require.False(t, opens(before))
				require.Empty(t, p.planned())
				p.isExported("k")
				p.must("tenant", "check", "k")
				before = after
			}
			p.must("profile", "create", "p", "--tenant", "k")
			require.Contains(t, p.Run("doctor", "--connect").Stdout, "answers, ")
		})
	}
}

// TestBothPasswordsStayRecordedWhereTheOldOneCannotBeSetBack: the pooler's own connections end
// in the meantime, or sp is killed. The pooler can't log in to the server any more then, until
// somebody tells it the password, which only sp knows.
func TestBothPasswordsStayRecordedWhereTheOldOneCannotBeSetBack(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := newPooled(t, "both-"+mode, pgtest.Pooling{Mode: mode})
			before, ended := p.verifier(), make(chan harness.Outcome)
			go func() { ended <- p.Run("tenant", "rotate-credentials", "k", "-y") }()
			p.untilChanged(before)
			p.endSessions()
			o := <-ended
			require.Equal(t, 8, o.Exit, o.Stderr)
			require.Contains(t, o.Stderr, "hint: both passwords stay recorded: sp tenant rotate-credentials k -y goes on, and finds out which one holds")
			p.goOn()
		})
		t.Run(mode+"-killed", func(t *testing.T) {
			t.Parallel()
			p := newPooled(t, "killed-"+mode, pgtest.Pooling{Mode: mode})
			before := p.verifier()
			kill, ended := p.start("tenant", "rotate-credentials", "k", "-y")
			p.untilChanged(before)
			kill()
			<-ended
			p.endSessions()
			p.goOn()
		})
	}
}

// endSessions ends the pooler's connections to the server.
func (p pooled) endSessions() {
	p.T.Helper()
	pgtest.Exec(p.T, p.super, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '`+p.role+`'`)
}

// goOn wants that the password which the server takes is recorded, and is published as soon as
// the pooler has been told of it.
func (p pooled) goOn() {
	p.T.Helper()
	require.True(p.T, p.url("k").Equal(p.URL(p.direct)))
	require.False(p.T, opens(p.direct))
	urls := p.planned()
	require.Len(p.T, urls, 1)
	require.True(p.T, opens(p.atServer(urls[0])), "the server's password is not recorded")

	o := p.Run("tenant", "rotate-credentials", "k", "-y")
	require.Equal(p.T, 9, o.Exit, o.Stderr)
	require.Contains(p.T, o.Stderr, "both stay recorded")
	require.Len(p.T, p.planned(), 1)
	o = p.Run("doctor")
	require.Contains(p.T, o.Stdout, "a rotation of its password was stopped")
	o = p.Run("tenant", "delete", "k")
	require.Equal(p.T, 2, o.Exit, o.Stderr)
	require.Contains(p.T, o.Stderr, "the password of a rotation that was stopped (its database may open to no other)")
	p.must("tenant", "edit", "k", "--database-url", p.URL(p.direct).Reveal()+"?connect_timeout=9")
	require.Equal(p.T, urls[0].Reveal()+"?connect_timeout=9", p.planned()[0].Reveal())
	p.must("tenant", "edit", "k", "--database-url", p.URL(p.direct).Reveal())

	p.Tell(urls[0])
	require.Eventually(p.T, func() bool { return opens(urls[0]) }, 20*time.Second, 10*time.Millisecond)
	o = p.Run("tenant", "check", "k")
	require.Equal(p.T, 9, o.Exit, o.Stderr)
	require.Contains(p.T, o.Stderr, "its server takes the password of a rotation that was stopped")
	require.Contains(p.T, o.Stderr, "hint: sp tenant rotate-credentials k -y goes on with it")
	pgtest.Exec(p.T, p.super, `ALTER ROLE `+p.role+` SET default_transaction_read_only = on`)
	p.endSessions()
	o = p.Run("tenant", "rotate-credentials", "k", "-y")
	require.Equal(p.T, 9, o.Exit, o.Stderr)
	require.Contains(p.T, o.Stderr, "25006")
	require.Contains(p.T, o.Stderr, "hint: both passwords stay recorded")
	require.Len(p.T, p.planned(), 1, "it was begun before, and the server has it")
	pgtest.Exec(p.T, p.super, `ALTER ROLE `+p.role+` RESET default_transaction_read_only`)
	p.endSessions()

	p.must("tenant", "rotate-credentials", "k", "-y")
	require.True(p.T, p.url("k").Equal(urls[0]))
	require.True(p.T, opens(p.atServer(urls[0])))
	require.Empty(p.T, p.planned())
	p.isExported("k")
	p.must("tenant", "check", "k")
}

// TestARotationBehindAPoolerThatIsKilledLosesNoPassword wherever it is: what the server takes
// is recorded, and the next rotation publishes it.
func TestARotationBehindAPoolerThatIsKilledLosesNoPassword(t *testing.T) {
	needStrace(t)
	t.Parallel()
	p := newPooled(t, "kill-pooled", pgtest.Pooling{Mode: "transaction", Query: true})
	var before secret.Secret
	d := deed{
		scene: p.scene,
		begin: func(int) []string {
			before = p.url("k")
			return []string{"tenant", "rotate-credentials", "k", "-y"}
		},
		judge: func(i int, o harness.Outcome) {
			p.checkRotation(o, before, p.url("k"))
			recorded := append(p.planned(), p.url("k"))
			held := 0
			for _, url := range recorded {
				if opens(p.atServer(url)) {
					held++
				}
			}
			require.Equal(t, 1, held, "the server's password is not recorded: %d: %s", o.Exit, o.Stderr)
			if len(recorded) > 1 {
				require.Contains(t, p.Run("tenant", "check", "k").Stderr, "a rotation") // whichever of them opens
			}
			if len(recorded) > 1 || i%3 == 0 {
				p.must("tenant", "rotate-credentials", "k", "-y")
				require.True(t, opens(p.atServer(p.url("k"))))
				require.Empty(t, p.planned())
			}
			p.must("tenant", "provision", "k")
			p.must("export")
			p.isExported("k")
		},
	}
	d.sweep(d.killing(), 9)
}

// TestDatabasesAreMadeThroughAPooler that looks logins up, and it is said beforehand that it
// has to. One that does not takes none of what is made; the old login goes on working.
func TestDatabasesAreMadeThroughAPooler(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, _ := newPooledServer(t, "made-"+mode, pgtest.Pooling{Mode: mode, Query: true})
			o := s.Run("db", "use", "--server", s.admin.Reveal())
			require.Zero(t, o.Exit, o.Stderr)
			require.Contains(t, o.Stderr, "a connection pooler stands before it, which has to look up new logins at the server (auth_query)")
			o = s.Run("tenant", "create", "--id", "k", "--name", "k")
			require.Zero(t, o.Exit, o.Stderr)
			require.Contains(t, o.Stderr, "a connection pooler stands before it")
			s.must("profile", "create", "p", "--tenant", "k")
			for _, line := range []string{"", "--now", "--grace 1h", "--now"} {
				before := s.url("k")
				s.must(strings.Fields("tenant rotate-credentials k -y " + line)...)
				require.True(t, opens(s.url("k")))
				require.Equal(t, line != "--now", opens(before))
				s.must("tenant", "check", "k")
			}
			require.Contains(t, s.Run("doctor", "--connect").Stdout, "answers, ")
			s.must("tenant", "provision", "k")
			s.agree()
			requireNoLock(t, s.super)

			s.endLookingUp("k")
			s.must("tenant", "delete", "k", "-y")
			s.agree()
		})
	}
}

// endLookingUp ends the sessions in which a pooler looked up the logins of a tenant's database:
// an administrator who is no superuser can't, and a database that is in use is not dropped.
func (s *scene) endLookingUp(id string) {
	s.T.Helper()
	names, err := asked(s.Dir, `SELECT name FROM databases WHERE tenant_id = '`+id+`'`)
	require.NoError(s.T, err)
	pgtest.Exec(s.T, s.super, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = current_user AND datname = '`+names[0]+`'`)
}

// TestALoginThatAPoolerRefusesIsNotPublished, and the other one goes on working.
func TestALoginThatAPoolerRefusesIsNotPublished(t *testing.T) {
	t.Parallel()
	s, p := newPooledServer(t, "refuses", pgtest.Pooling{Mode: "transaction", Query: true})
	s.must("tenant", "create", "--id", "k", "--name", "k")
	before := s.url("k")
	p.Tell(s.idle("k")) // what it is told it does not look up
	o := s.Run("tenant", "rotate-credentials", "k", "-y", "--now")
	require.Equal(t, 9, o.Exit, o.Stderr)
	require.Contains(t, o.Stderr, "authentication failed")
	require.True(t, s.url("k").Equal(before))
	require.True(t, opens(atServer(t, s.super, before)))
	s.endLookingUp("k")
	s.must("tenant", "delete", "k", "-y")
	s.agree()
}

// idle is a URL of the login of a tenant that rests, with a password that never was one.
func (s *scene) idle(id string) secret.Secret {
	s.T.Helper()
	user := userOf(s.url(id))
	other := map[string]string{"a": "b", "b": "a"}[user[len(user)-1:]]
	url, err := pgurl.For(s.super, user[:len(user)-1]+other, "postgres", secret.New("stale"))
	require.NoError(s.T, err)
	return url
}

// TestAPoolerWithAListOfItsOwnTakesNoDatabaseOfOurs: nothing is published, and what is there
// can be undone.
func TestAPoolerWithAListOfItsOwnTakesNoDatabaseOfOurs(t *testing.T) {
	t.Parallel()
	s, _ := newPooledServer(t, "list", pgtest.Pooling{Mode: "transaction"})
	o := s.Run("tenant", "create", "--id", "l", "--name", "l")
	require.Equal(t, 9, o.Exit, o.Stderr)
	require.Contains(t, o.Stderr, "a connection pooler stands before it")
	require.Contains(t, o.Stderr, "its database is not finished: sp tenant provision l goes on")
	s.must("tenant", "delete", "l", "-y")
	s.agree()
}

// newPooledServer is a project whose databases are made through a pooler.
func newPooledServer(t *testing.T, name string, how pgtest.Pooling) (*scene, *pgtest.Pooler) {
	t.Helper()
	s := newScene(t, name)
	p := pgtest.NewPooler(t, how)
	s.withAdmin("live_" + strings.ReplaceAll(name, "-", "_"))
	p.Tell(s.admin)
	s.admin = p.URL(s.admin)
	s.Env[len(s.Env)-1] = "SP_POSTGRES_ADMIN_URL=" + s.admin.Reveal()
	return s.begun(), p
}

// requireNoLock wants that no pooled connection holds one of sp's locks.
func requireNoLock(t *testing.T, super secret.Secret) {
	t.Helper()
	require.Eventually(t, func() bool {
		return pgtest.Exec(t, super, `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
			WHERE locktype = 'advisory' AND state = 'idle'`)[0] == "0"
	}, 20*time.Second, 10*time.Millisecond)
}

// TestTenantsBehindAPoolerFollowARotationAtTheServer if it learns of the new password, and keep it from being made if
// it does not.
func TestTenantsBehindAPoolerFollowARotationAtTheServer(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]bool{"follows": true, "never-learns": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPooled(t, "direct-"+name, pgtest.Pooling{Mode: "transaction", Query: query})
			p.must("tenant", "create", "--id", "direct", "--name", "direct", "--database-url", p.direct.Reveal())
			o := p.Run("tenant", "rotate-credentials", "direct", "-y")
			if query {
				require.Zero(t, o.Exit, o.Stderr)
				require.Contains(t, o.Stderr, "sp: tenant k, which logs in as the same role, has them too\n")
				require.Contains(t, o.Stderr, "sp: the old ones are refused (28P01)\n")
			} else {
				require.Equal(t, 9, o.Exit, o.Stderr)
				require.Contains(t, o.Stderr, "tenant k, which logs in as the same role: ")
				require.Contains(t, o.Stderr, "sp: hint: let the pooler look passwords up at the server (auth_query)")
				require.True(t, p.url("direct").Equal(p.direct))
			}
			require.Empty(t, p.planned())
			p.must("tenant", "check", "direct")
			p.must("tenant", "check", "k")
		})
	}
}
