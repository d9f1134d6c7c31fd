package main

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

const thePlace = "aaaaaaaaaaaaaaaa-project"

// placedSandbox has a local server in a place, whose directory is not the one that was
// recorded, and no programs to run it.
func placedSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	delete(s.env, "SP_OFFLINE")
	s.env["SP_DATA_DIR"], s.env["SP_POSTGRES_BIN"] = s.dir+"/data", s.dir
	s.must("init")
	s.sql("INSERT INTO servers (name, provider, admin_url, chosen, place, identity) VALUES ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0, '" + thePlace + "', '1:2')")
	s.write("data/postgres/"+thePlace+"/data/PG_VERSION", "15\n")
	return s
}

func (s *sandbox) sql(statement string) {
	s.t.Helper()
	harness.Mess(s.t, filepath.Join(s.dir, ".systemprompt/sp.db"), statement)
}

// identity is the one that is recorded.
func (s *sandbox) identity() string {
	s.t.Helper()
	return s.answer("SELECT identity FROM servers")
}

// answer is the one value that a query gets from the registry, behind sp's back.
func (s *sandbox) answer(query string) (value string) {
	s.t.Helper()
	file, err := sql.Open("sqlite", filepath.Join(s.dir, ".systemprompt/sp.db"))
	require.NoError(s.t, err)
	err = file.QueryRowContext(s.t.Context(), query).Scan(&value)
	require.NoError(s.t, errors.Join(err, file.Close()))
	return value
}

// TestOtherDataAreAskedAboutAtATerminal, with no as the answer that Enter gives.
func TestOtherDataAreAskedAboutAtATerminal(t *testing.T) {
	t.Parallel()
	s := placedSandbox(t)
	s.terminal = true
	for _, answer := range []string{"\n", "n\n"} {
		s.stdin = answer
		o := s.run("db", "up")
		require.Equal(t, 2, o.exit, o.stderr)
		require.Contains(t, o.stderr, thePlace+" is not the directory that sp recorded for server local")
		require.Equal(t, "1:2", s.identity())
	}
	s.stdin = "y\n"
	o := s.run("db", "up")
	require.Equal(t, 9, o.exit, o.stderr) // there are no programs
	require.NotEqual(t, "1:2", s.identity())
	s.stdin = ""
	require.NotContains(t, s.run("db", "up").stderr, "is not the directory", "it was taken over")
}

func TestWithoutATerminalOtherDataNeedSPTRUST(t *testing.T) {
	t.Parallel()
	s := placedSandbox(t)
	for _, trust := range []string{"", "/", s.dir + "x", "."} {
		s.env["SP_TRUST"] = trust
		require.Equal(t, 2, s.run("db", "up").exit, trust)
	}
	require.Equal(t, "1:2", s.identity())
	s.env["SP_TRUST"] = "/nowhere:" + s.dir
	require.Equal(t, 9, s.run("db", "up").exit)
	require.NotEqual(t, "1:2", s.identity())
}

func TestAPlaceThatIsTamperedWithIsDamage(t *testing.T) {
	t.Parallel()
	s := placedSandbox(t)
	s.sql("UPDATE servers SET place = '../../elsewhere'")
	o := s.run("db", "up")
	require.Equal(t, 6, o.exit, o.stderr)
	require.Equal(t, 6, s.run("db", "status").exit)
	_, err := os.Lstat(s.dir + "/elsewhere")
	require.True(t, os.IsNotExist(err))
}
