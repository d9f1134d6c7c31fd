package main

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

const (
	markedKeywords = "host=h user=u password=" + harness.Marker
	markedKey      = "postgres://h/d?scram_client_key=" + harness.Marker
)

// caged is a tenants.json in which every member that can hold a secret holds the
// marker: as a URL's user, password, parameter, or without being a URL at all, and
// in members that the record does not define.
var caged = strings.ReplaceAll(`{"synced_at": "2026-02-01T10:00:00Z", "note": "MARK", "nested": {"deep": [{"x": "MARK"}]}, "tenants": [
  {"id": "a", "name": "a", "database_url": "postgres://MARK:MARK@h:1/a?password=MARK&sslkey=MARK&sslpassword=MARK&oauth_client_secret=MARK", "docker_project": {"x": ["MARK"]}},
  {"id": "b", "name": "b", "tenant_type": "cloud", "external_db_access": true, "database_url": "postgres://MARK@h/MARK@x",
   "internal_database_url": "postgres://u:MARK#x@h/b", "sync_token": "MARK"},
  {"id": "c", "name": "c", "database_url": "MARK", "internal_database_url": "host=h password=MARK"},
  {"id": "d", "name": "d", "tenant_type": "cloud", "database_url": "postgres://u:p/MARK@h/d", "internal_database_url": "postgres://MARK:***@h/d"},
  {"id": "e", "name": "e", "database_url": "postgres://h/e\nMARK", "api_key": "MARK", "pin": 1}]}`, "MARK", harness.Marker)

// mayHoldSecrets are the files that do, by their names in the project.
var mayHoldSecrets = []string{".systemprompt/sp.db", ".systemprompt/tenants.json", ".systemprompt/sessions/index.json", ".systemprompt/profiles/x/profile.yaml", ".systemprompt/profiles/y/profile.yaml", "copy.json", "copy.db"}

// cage makes a registry of a document like caged, and files to go wrong with.
func cage(s *sandbox, caged string) {
	s.write("given/caged.json", caged)
	s.write("given/changed.json", strings.ReplaceAll(caged, harness.Marker, harness.Marker+"2"))
	s.write("given/cut.json", caged[:len(caged)-4])
	s.write("given/twice.json", strings.Replace(caged, `"id": "b`, `"id": "a`, 1))
	s.write("given/wrong.json", strings.Replace(caged, `"tenant_type": "cloud"`, `"tenant_type": "`+harness.Marker+`"`, 1))
	s.write("given/time.json", strings.Replace(caged, "2026-02-01T10:00:00Z", harness.Marker, 1))
	s.write("given/odd.txt", "postgres://u:"+harness.Marker+"@h/x y")
	s.write("given/good.txt", "postgres://u:"+harness.Marker+"@h/good\n")
	s.write("given/long.txt", strings.Repeat(harness.Marker, 9000))
	s.write("given/token.txt", harness.Marker+"9\n")
	s.write("given/jwt.txt", "e30."+base64.RawURLEncoding.EncodeToString([]byte(`{"email":"u@example.com","jti":"`+harness.Marker+`"}`))+"."+harness.Marker)
	s.write("given/secrets.json", strings.ReplaceAll(`{"api": "MARK3", "more": "xMARK", "deep": {"x": "MARK"}, "list": ["MARK"], "sync_token": "MARK"}`, "MARK", harness.Marker))
	s.must("import", "given/caged.json")
	for _, tenant := range []string{"a", "b", "c", "d", "e"} {
		s.must("profile", "create", tenant, "--tenant", tenant)
	}
	s.must("profile", "create", "x", "--tenant", "a")
	s.must("profile", "create", "y", "--tenant", "a")
	s.must("session", "login", "--profile", "a", "--token-file", "given/token.txt", "--email", "u@example.com")
	for _, key := range []string{"api", "odd"} {
		s.must("secrets", "set", key, "--file", "given/odd.txt", "--profile", "a")
	}
	s.must("backup", "given/backup.db")
	s.write(".systemprompt/profiles/x/profile.yaml", "cloud: ["+harness.Marker+"\n")
	s.write(".systemprompt/profiles/y/profile.yaml", "cloud: {tenant_id: '"+harness.MarkedURL+"', token: "+harness.Marker+"}\n")
}

// makePrivate gives a copied tree the modes that sp gives its own.
func makePrivate(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := os.FileMode(0o600)
		if entry.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	}))
}

// cages are the circumstances under which every command is run: each with a fresh
// copy of a registry full of markers, made worse by it. Those that are not deep run
// the commands' rows only, and not every flag.
var cages = map[string]struct {
	deep bool
	make func(s *sandbox)
}{
	"whole":    {deep: true},
	"terminal": {make: func(s *sandbox) { s.terminal = true }},
	"debugged": {make: func(s *sandbox) {
		for _, name := range []string{"LOG", "DEBUG", "VERBOSE", "RUST_LOG", "RUST_BACKTRACE", "GODEBUG", "GOTRACEBACK", "SP_DEBUG", "SP_LOG", "SP_TRACE"} {
			s.env[name] = "trace"
		}
		for _, name := range []string{"DATABASE_URL", "PGPASSWORD", "SP_DATABASE_URL", "SP_SYNC_TOKEN", "SYSTEMPROMPT_DATABASE_URL"} {
			s.env[name] = harness.MarkedURL
		}
	}},
	"misdirected by SYSTEMPROMPT_PROFILE": {make: func(s *sandbox) { s.env["SYSTEMPROMPT_PROFILE"] = harness.MarkedURL }},
	"misdirected by keywords":             {make: func(s *sandbox) { s.env["SYSTEMPROMPT_PROFILE"] = markedKeywords }},
	"misdirected by SP_DIR":               {make: func(s *sandbox) { s.env["SP_DIR"] = harness.MarkedURL }},
	"misdirected by SP_LOCK_TIMEOUT":      {make: func(s *sandbox) { s.env["SP_LOCK_TIMEOUT"] = harness.Marker }},
	"changed by somebody else": {make: func(s *sandbox) {
		s.must("export")
		s.write(".systemprompt/tenants.json", strings.ReplaceAll(caged, harness.Marker, harness.Marker+"2"))
	}},
	"spoiled by somebody else": {make: func(s *sandbox) {
		s.must("export")
		s.write(".systemprompt/tenants.json", caged[:len(caged)-9])
	}},
	"busy": {make: func(s *sandbox) {
		s.env["SP_LOCK_TIMEOUT"] = "0"
		lock, err := os.OpenFile(filepath.Join(s.dir, ".systemprompt/.lock"), os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(s.t, err)
		require.NoError(s.t, unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB))
		s.t.Cleanup(func() { _ = lock.Close() })
	}},
	"damaged": {make: func(s *sandbox) {
		text := s.read(".systemprompt/sp.db")
		middle := strings.Repeat("\xff", 200)
		for at := 1024; at+len(middle) < len(text); at += 4096 {
			text = text[:at] + middle + text[at+len(middle):]
		}
		s.write(".systemprompt/sp.db", text)
	}},
	"garbage": {make: func(s *sandbox) { s.write(".systemprompt/sp.db", strings.Repeat(caged, 9)) }},
	"exposed": {make: func(s *sandbox) { require.NoError(s.t, os.Chmod(filepath.Join(s.dir, ".systemprompt/sp.db"), 0o644)) }},
	"gone":    {make: func(s *sandbox) { require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, ".systemprompt"))) }},
	"in the way": {make: func(s *sandbox) {
		path := filepath.Join(s.dir, ".systemprompt/tenants.json")
		require.NoError(s.t, os.Remove(path))
		require.NoError(s.t, os.Mkdir(path, 0o700))
	}},
	"without room": {make: func(s *sandbox) { s.stdout = "/dev/full" }},
}
