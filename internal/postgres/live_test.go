package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

func TestLiveAServerOfTheMachinesOwnPrograms(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	require.False(t, c.Exists())
	c.mustUp(t)
	require.Equal(t, c.Programs.Version, c.mustAsk(t, "SELECT current_setting('server_version_num')::int / 10000"))
	require.Equal(t, "UTF8|C.UTF-8|t", c.mustAsk(t, "SELECT pg_encoding_to_char(encoding), datcollate, rolsuper FROM pg_database, pg_roles WHERE datname = 'postgres' AND rolname = 'sp_admin'"))
	require.Equal(t, "127.0.0.1||16MB|scram-sha-256", c.mustAsk(t, "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories'), current_setting('shared_buffers'), current_setting('password_encryption')"))
	said, err := ask(t, ClusterURL(c.Port, secret.New("wrong")), "SELECT 1")
	require.Error(t, err)
	require.Contains(t, said, "password authentication failed")

	require.Equal(t, "data lock log namespace", entries(t, c.Dir))
	for name, mode := range map[string]os.FileMode{"data": 0o700, "lock": 0o600, "log": 0o600} {
		require.Equal(t, mode, modeOf(t, filepath.Join(c.Dir, name)), name)
	}
	pid := mustRead(t, c.PIDFile())
	c.mustUp(t)
	require.Equal(t, pid, mustRead(t, c.PIDFile()), "the same server")

	c.mustAsk(t, "CREATE TABLE kept AS SELECT 1 AS n")
	require.NoError(t, c.Down(soon(t)))
	runs, err := c.Running(soon(t))
	require.NoError(t, err)
	require.False(t, runs)
	require.NoError(t, c.Down(soon(t)), "again")
	c.mustUp(t)
	require.Equal(t, "1", c.mustAsk(t, "SELECT n FROM kept"))
	require.NotContains(t, mustRead(t, c.logFile()), password.Reveal())
}

// TestLiveErrorsAreLoggedWithoutTheirStatements: who was refused what, and by what code, but no password that
// the statement had, and no row that it was about. A session can only tell of itself.
func TestLiveErrorsAreLoggedWithoutTheirStatements(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	url := ClusterURL(c.Port, c.Password)
	c.mustAsk(t, "CREATE ROLE tenant LOGIN PASSWORD 'canary'; CREATE TABLE kept (secret text PRIMARY KEY); INSERT INTO kept VALUES ('canary')")
	for _, refused := range []string{
		"ALTER ROLE nobody PASSWORD 'canary'",
		"INSERT INTO kept VALUES ('canary')",
		"DO $$BEGIN EXECUTE 'ALTER ROLE nobody PASSWORD ''canary'''; END$$",
		"SET log_parameter_max_length_on_error = -1; PREPARE p (text) AS INSERT INTO kept VALUES ($1); EXECUTE p('canary')",
		"SELECT 1 FROM missing",
		"ALTER ROLE tenant PASSWORD 'canary",
	} {
		_, err := ask(t, url, refused)
		require.Error(t, err)
	}
	c.mustAsk(t, "DO $$BEGIN RAISE WARNING 'look at this'; RAISE NOTICE 'not at this'; END$$")
	said, err := ask(t, url, "SET ROLE tenant; SET log_min_error_statement = error")
	require.Error(t, err)
	require.Contains(t, said, "permission denied to set parameter")

	var lines []string
	require.NoError(t, c.Log(soon(t), 100, false, func(line string) { lines = append(lines, line) }))
	told := strings.Join(lines, "\n")
	for _, want := range []string{
		` 42704 sp_admin@postgres psql ERROR:  role "nobody" does not exist`,
		` 23505 sp_admin@postgres psql ERROR:  duplicate key value violates unique constraint "kept_pkey"`,
		` 42P01 sp_admin@postgres psql ERROR:  relation "missing" does not exist`,
		` 01000 sp_admin@postgres psql WARNING:  look at this`,
		` 42601 sp_admin@postgres psql ERROR:  unterminated quoted string at or near "…`,
	} {
		require.Contains(t, told, want)
	}
	for _, not := range []string{"canary", "not at this", "STATEMENT"} {
		require.NotContains(t, told, not)
	}
	require.Equal(t, 1, strings.Count(mustRead(t, c.logFile()), "canary"), "as of a statement that the server could not read")
}

func TestLiveAKilledServerComesBackWithItsData(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	c.mustAsk(t, "CREATE TABLE kept AS SELECT 1 AS n")
	for range 3 {
		require.True(t, c.kill(t))
		c.mustUp(t)
		require.Equal(t, "1", c.mustAsk(t, "SELECT n FROM kept"))
	}
}

// A backend at work does not see that its postmaster is gone until it has ended.
func TestLiveAKilledServersBackendsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, stale := range []bool{false, true} {
		c := liveCluster(t)
		c.mustUp(t)
		c.mustAsk(t, "CREATE TABLE kept AS SELECT 1 AS n")
		busy := c.mustBeBusy(t)
		require.True(t, c.kill(t))
		if stale { // sp removes that file, and the data must be safe without it
			mustWrite(t, c.PIDFile(), staleOf(mustSleep(t)))
		}
		c.mustUp(t)
		require.Greater(t, time.Since(busy), 4*time.Second, "no two servers on the same data")
		require.Equal(t, "1", c.mustAsk(t, "SELECT n FROM kept"))
	}
}

// mustBeBusy has a backend work for four seconds from the time that is returned on.
func (c Cluster) mustBeBusy(t *testing.T) time.Time {
	t.Helper()
	busy := exec.CommandContext(t.Context(), "psql", "--no-psqlrc", "--quiet", "--command",
		"DO $$ DECLARE until timestamptz := clock_timestamp() + interval '4 s'; BEGIN WHILE clock_timestamp() < until LOOP END LOOP; END $$", ClusterURL(c.Port, c.Password).Reveal())
	since := time.Now()
	require.NoError(t, busy.Start())
	t.Cleanup(func() { _ = busy.Wait() })
	require.Eventually(t, func() bool {
		return c.mustAsk(t, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO%'") == "1"
	}, 3*time.Second, 10*time.Millisecond)
	return since
}
