package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// historyAnswers are commands of the history, each with what was done before.
var historyAnswers = map[string]struct {
	before []string
	line   string
}{
	"log":       {historyBefore, "log"},
	"log_purge": {historyBefore, "log purge -y"},
	"undo":      {historyBefore, "undo"},
	"backup":    {historyBefore, "backup b.db"},
	"restore":   {append(historyBefore, "backup b.db", "tenant select b"), "restore b.db -y"},
}

// historyBefore are changes of every kind, and an undo.
var historyBefore = []string{
	"import in.json", "profile create p --tenant a", "session switch p", "profile default p", "tenant edit a --name uno --sync-token s3cret",
	"tenant select b", "tenant delete b -y", "tenant create --id c --name third --no-database", "undo", "undo",
}

const historyFile = `{"synced_at": "2026-02-01T10:00:00Z", "tenants": [
  {"id": "a", "name": "first", "tenant_type": "cloud", "internal_database_url": "postgres://u:pw@h/a"},
  {"id": "b", "name": "second", "database_url": "postgres://u:pw@h/b"}]}`

func TestHistoryAnswersProgramsAlike(t *testing.T) {
	t.Parallel()
	for name, c := range historyAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.write("in.json", historyFile)
			for _, line := range c.before {
				s.must(strings.Fields(line)...)
			}
			s.requireAnswer(name, c.line)
		})
	}
}

// databaseAnswers are commands on servers, where none can be reached.
var databaseAnswers = map[string]string{
	"db_status": "db status", "db_list": "db list", "db_down": "db down", "db_use": "db use --none", "db_remove": "db remove local -y",
	"db_up": "db up",
}

func TestDatabaseAnswersProgramsAlike(t *testing.T) {
	t.Parallel()
	for name, line := range databaseAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.must("import", s.write("in.json", historyFile))
			s.must("tenant", "delete", "b", "-y")
			s.sql(`INSERT INTO servers (name, provider, admin_url, chosen, place, identity, withheld) VALUES
			  ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0, '` + thePlace + `', '1:2', 'foreign'),
			  ('db.example:5432', 'server', 'postgres://admin:s3cret@db.example:5432/postgres', 1, NULL, NULL, NULL)`)
			s.sql(`INSERT INTO databases VALUES ('a', 'ready', 'local', 'sp_first', 'a', 1770000000000000), ('b', 'dropping', 'db.example:5432', 'sp_second', 'a', NULL)`)
			data := s.env["SP_DATA_DIR"] + "/postgres/" + thePlace
			require.NoError(t, os.MkdirAll(data+"/data", 0o700))
			require.NoError(t, os.WriteFile(data+"/data/PG_VERSION", []byte("15\n"), 0o600))
			s.requireAnswer(name, line)
		})
	}
}

// requireAnswer compares what a command answers to programs with testdata/json.
func (s *sandbox) requireAnswer(name, line string) {
	s.t.Helper()
	o := s.run(append(strings.Fields(line), "--json")...)
	got := strings.NewReplacer(s.dir, "$DIR", s.env["SP_DATA_DIR"], "$DATA").Replace(o.stdout)
	path := filepath.Join("testdata/json", name+".json")
	if *update {
		require.NoError(s.t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(s.t, err)
	require.Equal(s.t, string(want), got, "sp %s", line)
}
