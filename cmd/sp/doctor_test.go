package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/doctor"
	"github.com/sp-registry/sp/internal/harness"
)

// diagnosis is a finding as doctor tells it.
type diagnosis struct {
	Result                 doctor.Result
	Check, Message, Remedy string
}

// diagnosed runs doctor and returns what it found, by check.
func (s *sandbox) diagnosed(exit int, args ...string) map[string][]diagnosis {
	s.t.Helper()
	o := s.run(append([]string{"doctor", "--json"}, args...)...)
	require.Equal(s.t, exit, o.exit, "%s%s", o.stdout, o.stderr)
	require.Empty(s.t, o.stderr)
	require.NoError(s.t, checkDocument(o.stdout, exit != 0))
	var document struct{ Checks []diagnosis }
	require.NoError(s.t, json.Unmarshal([]byte(o.stdout), &document))
	by := map[string][]diagnosis{}
	for _, d := range document.Checks {
		by[d.Check] = append(by[d.Check], d)
	}
	require.Len(s.t, by, len(doctor.Checks()), "each check says something, if only that it was skipped")
	return by
}

// mustImport makes a registry of the tenants, a JSON text, synchronised at an instant.
func (s *sandbox) mustImport(syncedAt, tenants string) {
	s.t.Helper()
	s.write("tenants.json", fmt.Sprintf(`{"synced_at": %q, "tenants": [%s]}`, syncedAt, tenants))
	s.must("import", "tenants.json")
}

const oneTenant = `{"id": "a", "name": "a", "database_url": "postgres://u:s3cret@h/a"}`

func TestDoctorWarnsOfASyncThatIsOldOrToCome(t *testing.T) {
	t.Parallel()
	const newer, clock = "sp import of a newer tenants.json", "see that the clock is right; sp import of a newer tenants.json sets it"
	for at, want := range map[string]diagnosis{ // it is 2026-02-01T12:00:00Z
		"2026-02-01T12:00:00Z":           {doctor.OK, "", "2026-02-01T12:00:00Z", ""},
		"2026-01-31T12:00:00Z":           {doctor.OK, "", "2026-01-31T12:00:00Z", ""},
		"2026-01-31T11:59:59.999999999Z": {doctor.Warning, "", "2026-01-31T11:59:59.999999999Z, 24 hours ago", newer},
		"2026-01-02T12:00:00Z":           {doctor.Warning, "", "2026-01-02T12:00:00Z, 30 days ago", newer},
		"2026-02-01T12:00:00.000000001Z": {doctor.Warning, "", "2026-02-01T12:00:00.000000001Z is in the future: the registry would never count as stale", clock},
	} {
		s := newSandbox(t)
		s.mustImport(at, oneTenant+`, {"id": "b", "name": "b", "tenant_type": "cloud"}`)
		want.Check = "synced"
		require.Equal(t, []diagnosis{want}, s.diagnosed(0)["synced"], at)
	}
}

// TestLocalTenantsAloneAreNeverStale: without a cloud tenant, there is nothing to sync with.
func TestLocalTenantsAloneAreNeverStale(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-01-02T12:00:00Z", oneTenant)
	require.Equal(t, doctor.OK, s.diagnosed(0)["synced"][0].Result)
	require.Contains(t, s.must("status").stdout, "synced\t2026-01-02T12:00:00Z\n")
	s.mustImport("2026-01-02T12:00:00Z", oneTenant+`, {"id": "b", "name": "b", "tenant_type": "cloud"}`)
	require.Equal(t, doctor.Warning, s.diagnosed(0)["synced"][0].Result)
	require.Contains(t, s.must("status").stdout, "synced\t2026-01-02T12:00:00Z (stale)\n")
}

func TestDoctorTellsHowOldACopyIs(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	young := s.write(".systemprompt/sp.db.bak-migration-20260129T110000.000000Z", "x")
	old := s.write(".systemprompt/sp.db.bak-restore-20260125T115959.000000Z", "x")
	found := s.diagnosed(0)["copies"]
	require.Equal(t, []string{young + ": made 3 days ago, before a migration", old + ": its time is over, it was made 7 days ago"},
		[]string{found[0].Message, found[1].Message})
	require.Equal(t, doctor.Fixed, s.diagnosed(0, "--fix")["copies"][0].Result)
	require.FileExists(t, young)
	require.NoFileExists(t, old)
}

func TestDoctorTellsOfSecretsThatAreKept(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	kept := func(exit int, args ...string) diagnosis { return s.diagnosed(exit, args...)["kept-secrets"][0] }
	require.Equal(t, doctor.OK, kept(0).Result)
	s.must("tenant", "edit", "a", "--database-url", "postgres://u:other@h/a")
	require.Equal(t, "1 removed secret kept for sp undo, until 2026-02-08T12:00:00Z", kept(0).Message)
	require.Equal(t, doctor.Info, kept(0, "--fix").Result, "it is for the user to end")

	// Its time is over: the next change forgets it, and so does --fix.
	harness.Mess(t, filepath.Join(s.dir, ".systemprompt", "sp.db"), "UPDATE kept_secrets SET kept_until = 1")
	require.Equal(t, "1 removed secret kept, whose time was over at 1970-01-01T00:00:00.000001Z", kept(0).Message)
	require.Equal(t, doctor.Fixed, kept(0, "--fix").Result)
	require.Equal(t, doctor.OK, kept(0).Result)
}

// TestDoctorListsOnlySomeOfManyTroubles, of a registry with as many troubles as tenants.
func TestDoctorListsOnlySomeOfManyTroubles(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	var tenants []string
	for i := range 500 {
		tenants = append(tenants, fmt.Sprintf(`{"id": "t%d", "name": "same", "tenant_type": "cloud", "database_url": "postgres://h/d", "sync_token": "x"}`, i))
	}
	s.mustImport("2026-02-01T12:00:00Z", strings.Join(tenants, ","))
	found := s.diagnosed(0)
	for name, more := range map[string]int{"credentials": 480, "urls": 479, "names": 479} {
		require.Len(t, found[name], 21, name)
		require.Equal(t, fmt.Sprintf("and %d more of the same kind", more), found[name][20].Message, name)
	}
}

// TestDoctorMendsAllThatItCan, however little of it is said in one row each.
func TestDoctorMendsAllThatItCan(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	var paths []string
	for i := range 40 {
		path := s.write(fmt.Sprintf(".systemprompt/profiles/p%d/secrets.json", i), "s3cret")
		require.NoError(t, os.Chmod(path, 0o644))
		paths = append(paths, path)
	}
	require.Len(t, s.diagnosed(6)["secret-files"], len(paths))
	require.Len(t, s.diagnosed(0, "--fix")["secret-files"], len(paths))
	for _, path := range paths {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
	}
	require.Equal(t, doctor.OK, s.diagnosed(0)["secret-files"][0].Result)
}

func TestEveryCheckSaysWhyItIsSkipped(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for name, found := range s.diagnosed(6) {
		require.Len(t, found, 1, name)
		if name != "directory" {
			require.Equal(t, doctor.Skipped, found[0].Result, name)
			require.NotEmpty(t, found[0].Message, name)
		}
	}
}

// A login that works takes a server: the tests in live have one.

// answering listens as a server that answers what it is asked with some bytes, or,
// with nothing, closes, and returns its address.
func answering(t *testing.T, bytes string) net.Addr {
	t.Helper()
	listener := loopback(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 8))
			_, _ = io.WriteString(conn, bytes)
			_ = conn.Close()
		}
	}()
	return listener.Addr()
}

// loopback listens there, or skips the test: where it is down one can listen all the same,
// but nobody gets through.
func loopback(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Skip("it needs the loopback: ", err)
	}
	require.NoError(t, conn.Close())
	return listener
}

// mustServe makes a registry of one tenant with that URL, selected, with a session, and
// lets it be connected to.
func (s *sandbox) mustServe(url string) {
	s.t.Helper()
	s.mustImport("2026-02-01T12:00:00Z", fmt.Sprintf(`{"id": "a", "name": "a", "database_url": %q}`, url))
	s.must("profile", "create", "p", "--tenant", "a")
	s.must("session", "switch", "p")
	delete(s.env, "SP_OFFLINE")
}

func TestDoctorReportsAPortWithoutAPostgreSQLServer(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"H", "", "HTTP/1.1 400 Bad Request\r\n\r\n"} {
		s := newSandbox(t)
		s.mustServe(fmt.Sprintf("postgres://u:s3cret@%s/d", answering(t, answer)))
		found := s.diagnosed(6, "--connect")["database"]
		require.Len(t, found, 1)
		require.Equal(t, doctor.Error, found[0].Result, answer)
		require.Contains(t, found[0].Message, "tenant a (a): Database connection failed: ")
		require.Contains(t, found[0].Message, "no PostgreSQL server")
		require.NotContains(t, found[0].Message+found[0].Remedy, "s3cret")
		require.Equal(t, doctor.Skipped, s.diagnosed(0)["database"][0].Result, "nobody asked")
	}
}

func TestDoctorTellsOfAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustServe(fmt.Sprintf("postgres://u:s3cret@%s/d", loopback(t).Addr()))

	// It takes connections, and says nothing: bounded.
	before := time.Now()
	found := s.diagnosed(6, "--connect")["database"]
	require.Less(t, time.Since(before), 20*time.Second)
	require.Contains(t, found[0].Message, "Database connection failed: ")

	// Nobody is there.
	s.must("tenant", "edit", "a", "--database-url", "postgres://u:s3cret@127.0.0.1:1/d")
	found = s.diagnosed(6, "--connect")["database"]
	require.Regexp(t, "connection refused|no way to the host", found[0].Message) // that, where the loopback is down
	require.NotEmpty(t, found[0].Remedy)
}

func TestDoctorSaysThatThereIsNothingToConnectTo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	found := s.diagnosed(0, "--connect")["database"]
	require.Equal(t, doctor.Warning, found[0].Result)
	require.Contains(t, found[0].Message, "nothing to connect to: no tenant configured")

	// A URL that can't be read or used has no server.
	for _, url := range []string{"postgres://u:s3@cret@h/d", "postgres://u:s3cret@127.0.0.1:1/d?sslcert=s3cret"} {
		s = newSandbox(t)
		s.mustServe(url)
		found = s.diagnosed(6, "--connect")["database"]
		require.Contains(t, found[0].Message, "tenant a (a): ")
		require.NotContains(t, found[0].Message, "connection refused")
		require.NotContains(t, found[0].Message, "cret")
	}
}

// What sp made on servers, and is not whole or not wanted, is told, with what helps.
func TestDoctorTellsOfDatabasesThatAreNotAsTheyShould(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for _, name := range []string{"begun", "going", "old", "fine", "gone"} {
		s.must("tenant", "create", "--id", name, "--name", name, "--no-database")
	}
	s.must("tenant", "delete", "gone", "-y")
	for _, statement := range []string{
		"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('h:5432', 'server', 'postgres://a:s3cret@h/postgres', 0)",
		"INSERT INTO databases VALUES ('begun', 'provisioning', 'h:5432', 'sp_begun', 'a', NULL), ('going', 'dropping', 'h:5432', 'sp_going', 'a', NULL)",
		"INSERT INTO databases VALUES ('old', 'ready', 'h:5432', 'sp_old', 'b', 1), ('fine', 'ready', 'h:5432', 'sp_fine', 'b', 4000000000000000), ('gone', 'ready', 'h:5432', 'sp_gone', 'a', NULL)",
	} {
		harness.Mess(t, filepath.Join(s.dir, ".systemprompt/sp.db"), statement)
	}
	found := s.diagnosed(0)["databases"]
	require.Len(t, found, 4)
	for i, want := range []string{
		"tenant begun: its database is not finished (sp tenant provision begun goes on, sp tenant delete begun undoes it)",
		"tenant going: its database is not dropped yet (sp tenant delete going goes on with that, sp tenant provision going keeps it if it is all there)",
		"database sp_gone on server h:5432: its tenant gone is gone (sp tenant delete gone drops it)",
		"tenant old: sessions of its old login may be open (sp tenant provision old ends them)",
	} {
		require.Equal(t, doctor.Warning, found[i].Result)
		require.Equal(t, want, found[i].Message+" ("+found[i].Remedy+")")
	}
}

func TestDoctorTellsWhatBelongsToSomebodyElse(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	s.must("export")
	for path, where := range map[string]string{
		".systemprompt/sp.db":        "registry-file",
		".systemprompt/tenants.json": "secret-files",
		".systemprompt/.lock":        "secret-files",
		".systemprompt":              "directory",
	} {
		full := filepath.Join(s.dir, path)
		require.NoError(t, os.Chown(full, harness.Nobody, harness.Nobody))
		for _, args := range [][]string{nil, {"--fix"}} {
			found := s.diagnosed(6, args...)[where]
			require.Equal(t, doctor.Error, found[0].Result, path)
			require.Contains(t, found[0].Message, full+": ", path)
			require.Contains(t, found[0].Message+found[0].Remedy, "it belongs to user 65534", path)
		}
		info, err := os.Lstat(full)
		require.NoError(t, err)
		require.Equal(t, harness.Nobody, int(statOf(info).Uid), "an owner is not for sp to change")
		require.NoError(t, os.Chown(full, os.Geteuid(), os.Getegid()))
		require.NotEqual(t, doctor.Error, s.diagnosed(0)[where][0].Result, path)
	}
}

func TestDoctorReportsAParentDirectoryOfAnotherUser(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	require.NoError(t, os.Chown(s.dir, harness.Nobody, harness.Nobody))
	found := s.diagnosed(6)["parents"][0]
	require.Equal(t, doctor.Error, found.Result)
	require.Contains(t, found.Message, s.dir+": refused as unsafe: it belongs to user 65534")
	require.NoError(t, os.Chown(s.dir, os.Geteuid(), os.Getegid()))
	require.Equal(t, doctor.OK, s.diagnosed(0)["parents"][0].Result)
}

func statOf(info os.FileInfo) *syscall.Stat_t { return info.Sys().(*syscall.Stat_t) }

// TestNoFileOfOursGoesWhereOthersCanReplaceIt holds one rule for all that sp writes elsewhere.
func TestNoFileOfOursGoesWhereOthersCanReplaceIt(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	for name, prepare := range map[string]func(dir string) error{
		"theirs":     func(dir string) error { return os.Chown(dir, harness.Nobody, harness.Nobody) },
		"everybodys": func(dir string) error { return os.Chmod(dir, 0o777) },
	} {
		dir := filepath.Join(s.dir, name)
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, prepare(dir))
		for _, line := range [][]string{{"backup", dir + "/b"}, {"export", "--path", dir + "/c"}, {"export", "--force", "--path", dir + "/deeper/c"}, {"export", "--check", "--path", dir + "/c"}} {
			o := s.run(line...)
			require.Equal(t, 6, o.exit, "%v: %s", line, o.stderr)
			require.Contains(t, o.stderr, "refused as unsafe", line)
		}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries, "a .gitignore is made there neither")
	}
	s.must("backup", s.dir+"/b")
	s.must("export", "--path", s.dir+"/ours/c")
}
