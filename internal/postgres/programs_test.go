package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheNewestProgramsAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, version := range map[string]string{"a": "97.2", "b": "98beta1", "c": "98.3", "d": "9.6.24"} {
		programsOf(t, filepath.Join(dir, name), version)
	}
	programsOf(t, filepath.Join(dir, "half"), "99.1")
	require.NoError(t, os.Remove(filepath.Join(dir, "half", "initdb")))
	var path []string
	for _, name := range []string{"a", "nowhere", "half", "b", "c", "d"} {
		path = append(path, filepath.Join(dir, name))
	}
	found, err := FindPrograms("", append(path, ".", ""), "")
	require.NoError(t, err)
	require.Equal(t, Programs{Dir: filepath.Join(dir, "b"), Version: "98"}, found, "the first of the newest")
	require.Equal(t, filepath.Join(dir, "b", "psql"), found.Program("psql"))

	found, err = FindPrograms(path[0], path, "")
	require.NoError(t, err)
	require.Equal(t, Programs{Dir: path[0], Version: "97"}, found, "named")
}

// TestAClusterHasTheProgramsOfItsVersion where newer ones were installed since, as a system's
// upgrade does.
func TestAClusterHasTheProgramsOfItsVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var path []string
	for _, version := range []string{"98", "96", "97"} { // as in /usr/lib/postgresql/96/bin
		path = append(path, programsOf(t, filepath.Join(dir, version, "bin"), version+".4").Dir)
	}
	cluster := filepath.Join(dir, "postgres")
	find := func(named string) Programs {
		t.Helper()
		found, err := FindPrograms(named, path, cluster)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, Programs{Dir: path[0], Version: "98"}, find(""), "none is made yet")
	mustWrite(t, filepath.Join(cluster, "data", "PG_VERSION"), "96\n")
	require.Equal(t, Programs{Dir: path[1], Version: "96"}, find(""))
	require.Equal(t, path[2], find(path[2]).Dir, "named: which are refused when the server is to start")
	mustWrite(t, filepath.Join(cluster, "data", "PG_VERSION"), "95\n")
	require.Equal(t, path[0], find("").Dir, "gone: the newest are, too")
}

func TestNamedProgramsAreThoseOrNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	programsOf(t, filepath.Join(dir, "good"), "98.1")
	programsOf(t, filepath.Join(dir, "old"), "9.6.24")
	mute := programsOf(t, filepath.Join(dir, "mute"), "98.1")
	mustProgram(t, mute.Program("postgres"), "echo nothing of it")
	broken := programsOf(t, filepath.Join(dir, "broken"), "98.1")
	mustProgram(t, broken.Program("postgres"), "exit 1")
	plain := programsOf(t, filepath.Join(dir, "plain"), "98.1")
	require.NoError(t, os.Chmod(plain.Program("pg_ctl"), 0o600))
	for _, name := range []string{"nowhere", "old", "mute", "broken", "plain"} {
		_, err := FindPrograms(filepath.Join(dir, name), []string{filepath.Join(dir, "good")}, "")
		require.ErrorIs(t, err, ErrNone, name)
		require.ErrorContains(t, err, filepath.Join(dir, name))
	}
	_, err := FindPrograms("relative", nil, "")
	require.ErrorIs(t, err, ErrNone)
}

func TestVersionsAreRead(t *testing.T) {
	t.Parallel()
	for said, version := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": "15",
		"postgres (PostgreSQL) 18beta1\n":                        "18",
		"postgres (PostgreSQL) 17.0\n":                           "17",
		"postgres (PostgreSQL) 18devel\n":                        "18",
		"":                                                       "",
		"postgres":                                               "",
	} {
		require.Equal(t, version, majorOf(said), said)
	}
}

// TestLinksToProgramsLeadHome, to the place that stays when the links lead to a newer version.
func TestLinksToProgramsLeadHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Equal(t, dir, Programs{Dir: dir}.Home())
	for _, place := range places() {
		program := Programs{Dir: place}.Program("postgres")
		if _, err := os.Stat(program); err != nil {
			continue
		}
		require.NoError(t, os.Symlink(program, filepath.Join(dir, "postgres")))
		require.Equal(t, place, Programs{Dir: dir}.Home())
		return
	}
	t.Skip("no programs where systems put them")
}
