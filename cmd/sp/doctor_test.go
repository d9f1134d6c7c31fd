package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
