package provision

import (
	"context"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// psql runs the real one, with nothing of the environment, and returns what it says.
func psql(t *testing.T, url string, args ...string) (answer string, err error) {
	t.Helper()
	program, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("it needs psql (apt-get install postgresql-client)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"-XwAt", "-d", url}, args...)...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin", "LC_ALL=C"}
	said, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(said)), err
}

// tried finds in psql's errors which servers it tried.
var tried = regexp.MustCompile(`server (?:on socket "([^"]+)"|at "([^"]+)"(?: \(([^)]+)\))?, port ([0-9]+)) failed`)

// TestURLsLeadWhereLibpqGoes asks psql where nobody listens: its errors name each server.
func TestURLsLeadWhereLibpqGoes(t *testing.T) {
	t.Parallel()
	_ = pgtest.Server(t) // where it is skipped, this is, too
	for _, url := range []string{
		"postgres://u@127.0.0.9:1/d",
		"postgres://u@127.0.0.9/d",
		"postgres://u@127.0.0.9:/d?",
		"postgres://u@[::1]:1/d",
		"postgres://127.0.0.8:1/d?host=127.0.0.9",
		"postgres://127.0.0.8:1/d?host=127.0.0.9&port=2",
		"postgres://127.0.0.8:1/d?host=127.0.0.7&host=127.0.0.9",
		"postgres://127.0.0.8:1/d?h%6Fst=127.0.0.9&p%6Frt=%32",
		"postgres://staging.invalid:1/d?hostaddr=127.0.0.9",
		"postgres:///d?hostaddr=127.0.0.9&port=3",
		"postgres:///d?hostaddr=127.0.0.9,::1&port=3,4&host=a.invalid,b.invalid",
		"postgres:///d?host=/nowhere,127.0.0.8&hostaddr=127.0.0.9,&port=5",
		"postgres://127.0.0.8:1,127.0.0.9,[::1]:3/d?target_session_attrs=any",
		"postgres://127.0.0.8,127.0.0.9:2/d",
		"postgres://127.0.0.8:1,127.0.0.9:2/d?host=127.0.0.7,127.0.0.6",
		"postgres://127.0.0.8%2C127.0.0.9:2/d",
		"postgres://127.0.0.8:1/d?host=/nowhere",
		"postgres://u@%2Fnowhere%2Fa%20b:7/d",
		"postgres:///d?host=/nowhere/p:r:i",
		"postgres:///d?host=%40nowhere",
		"postgres://127.0.0.8:1/d?host=/nowhere,127.0.0.9",
		"postgres://127.0.0.8,/d?host=127.0.0.9,127.0.0.7&port=,9",
	} {
		u, err := pgurl.Parse(secret.New(url))
		require.NoError(t, err, url)
		var want []string
		for _, s := range u.Servers() {
			if s.IsSocket() {
				want = append(want, s.Host+"/.s.PGSQL."+s.PortOr())
			} else {
				want = append(want, net.JoinHostPort(s.Target(), s.PortOr()))
			}
		}
		said, err := psql(t, url, "-c", "SELECT 1")
		require.Error(t, err, url)
		var got []string
		for _, at := range tried.FindAllStringSubmatch(said, -1) {
			switch {
			case at[1] != "":
				got = append(got, at[1])
			case at[3] != "":
				got = append(got, net.JoinHostPort(at[3], at[4]))
			default:
				got = append(got, net.JoinHostPort(at[2], at[4]))
			}
		}
		require.Equal(t, want, got, "%s: %s", url, said)
	}

	// What psql refuses as such is refused here. (It says so before it tries any server.)
	for _, url := range []string{
		"postgres://127.0.0.9:0/d", "postgres://127.0.0.9:1x/d", "postgres://127.0.0.9:65536/d", "postgres://127.0.0.9/d?port=x",
		"postgres://a,b:1,c:2/d?host=a,b", "postgres://127.0.0.9/d?port=1,2", "postgres://a/d?hostaddr=127.0.0.9,::1", "postgres://127.0.0.9/d?a",
		"postgres://127.0.0.9/d?application_name=a=b", "postgres://127.0.0.9/d?=x", "postgres://[]/d", "postgres://[::1]1/d", "postgres://127.0.0.9/d?database=x",
		"postgres://127.0.0.9/d?HOST=x", "postgres://127.0.0.9/%zz", "postgres://127.0.0.9/%00", "postgres://x/d?hostaddr=elsewhere", "postgres://127.0.0.9/d?&&",
		"postgres://127.0.0.9/d?service=nosuch",
	} {
		_, err := pgurl.Parse(secret.New(url))
		require.Error(t, err, url)
		said, err := psql(t, url, "-c", "SELECT 1")
		require.Error(t, err, url)
		require.NotRegexp(t, tried, said, url)
	}
}

// TestSpAndPsqlOpenTheSameDatabase on a server that answers, by TCP and by its socket.
func TestSpAndPsqlOpenTheSameDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	role, password := "sp_test_led", "p'w+1"
	pgtest.Exec(t, server, `DROP DATABASE IF EXISTS sp_test_led`, `DROP DATABASE IF EXISTS "sp_test_led/%?"`, `DROP ROLE IF EXISTS sp_test_led`,
		`CREATE ROLE sp_test_led LOGIN PASSWORD 'p''w+1'`, `CREATE DATABASE sp_test_led`, `CREATE DATABASE "sp_test_led/%?"`)
	t.Cleanup(func() {
		pgtest.Exec(t, server, `DROP DATABASE sp_test_led`, `DROP DATABASE "sp_test_led/%?"`, `DROP ROLE sp_test_led`)
	})
	u, err := pgurl.Parse(server)
	require.NoError(t, err)
	at := u.Servers()[0]
	host, sockets := net.JoinHostPort(at.Target(), at.PortOr()), pgtest.Exec(t, server, `SHOW unix_socket_directories`)[0]
	login := role + ":p%27w+1@"
	urls := []string{
		"postgres://" + login + host,
		"postgres://" + login + host + "/sp_test_led",
		"postgres://" + login + host + "/?dbname=",
		"postgres://" + login + host + "/postgres?dbname=sp_test_led%2F%25?",
		"postgres://" + login + host + "/sp_test_led/%25%3F?options=-c%20work_mem%3D1MB",
		"postgres://nobody:x@" + host + "/postgres?user=" + role + "&password=p%27w%2B1",
		"postgres://" + login + "nowhere.invalid:1/postgres?host=" + at.Target() + "&port=" + at.PortOr(),
		"postgres://" + login + "127.0.0.9:1," + host + "/sp_test_led?sslmode=prefer",
	}
	if at.Addr == "" && net.ParseIP(at.Host) != nil {
		urls = append(urls, "postgres://"+login+"nowhere.invalid:"+at.PortOr()+"/sp_test_led?hostaddr="+at.Host)
	}
	if strings.HasPrefix(sockets, "/") {
		dir, _, _ := strings.Cut(sockets, ",")
		urls = append(urls, "postgres://"+login+"nowhere.invalid:1/sp_test_led?host="+dir+"&port="+at.PortOr())
	}
	for _, url := range urls {
		said, err := psql(t, url, "-F/", "-c", `SELECT session_user, current_database()`)
		require.NoError(t, err, "%s: %s", url, said)
		answer, err := Check(within(t), secret.New(url))
		require.NoError(t, err, url)
		require.Equal(t, said, answer.User+"/"+answer.Database, url)
		u, err := pgurl.Parse(secret.New(url))
		require.NoError(t, err, url)
		require.Equal(t, said, u.User()+"/"+u.Database(), url)
		require.Equal(t, password, u.Said()["password"])
	}
}
