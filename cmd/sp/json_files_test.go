package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// filesAnswers are the commands on files, each with what was done before. edited is the name that
// another program gave a tenant then, in the tenants.json that follows.
var filesAnswers = map[string]struct {
	before []string
	edited string
	line   string
}{
	"init":             {line: "init"},
	"init_again":       {before: []string{"init"}, line: "init"},
	"import":           {before: known, line: "import new.json"},
	"import_prune":     {before: []string{"import old.json", "profile create p --tenant b", "session switch p", "profile default p"}, line: "import --prune -y new.json"},
	"import_directory": {line: "import theirs"},
	"import_dry_run":   {before: known, line: "import --dry-run theirs"},
	"import_own":       {before: followed, edited: "theirs", line: "import"},
	"import_conflict":  {before: renamed, edited: "theirs", line: "import"},
	"import_ours":      {before: renamed, edited: "theirs", line: "import --ours"},
	"import_refused":   {line: "import old.json --duplicates last"},
	"export":           {before: known, line: "export"},
	"export_path":      {before: known, line: "export --path copy.json"},
	"export_refused":   {before: known, line: "export --path new.json"},
	"export_check":     {before: followed, line: "export --check"},
	"export_behind":    {before: renamed, line: "export --check"},
	"trust":            {before: known, line: "trust"},
	"trust_copy":       {before: known, line: "trust --copy -y"},
}

// What was done before.
var (
	known    = []string{"import old.json"}
	followed = []string{"import old.json", "export"}
	renamed  = []string{"import old.json", "export", "tenant edit a --name ours --no-export"}
)

// filesGiven are the files that they are given.
var filesGiven = map[string]string{
	"old.json": `{"synced_at": "2026-02-01T10:00:00Z", "tenants": [
	  {"id": "a", "name": "first", "tenant_type": "cloud", "region": "iad", "sync_token": "s3cret", "internal_database_url": "postgres://u:s3cret@h/a"},
	  {"id": "b", "name": "second", "database_url": "postgres://u:s3cret@h/b"}]}`,
	"new.json": `{"synced_at": "2026-02-01T11:00:00Z", "tenants": [
	  {"id": "a", "name": "uno", "tenant_type": "cloud", "internal_database_url": "postgres://u:***@h/a"}, {"id": "c", "name": "a", "x": 1}]}`,
	"theirs/.systemprompt/tenants.json":            `{"synced_at": "2026-02-01T10:00:00Z", "tenants": [{"id": "a", "name": "first"}]}`,
	"theirs/.systemprompt/profiles/p/profile.yaml": "cloud:\n  tenant_id: a\n",
	"theirs/.systemprompt/profiles/p/secrets.json": `{"openai": "sk-s3cret"}`,
	"theirs/.systemprompt/profiles/q/profile.yaml": "cloud:\n  tenant_id: nowhere\n",
	"theirs/.systemprompt/profiles/r/profile.yaml": "name: r\n",
	"theirs/.systemprompt/sessions/index.json":     `{"version": 1, "sessions": {"local": {}}, "active_key": "tenant_a", "active_profile_name": "p", "updated_at": "2026-02-01T10:00:00Z"}`,
	"theirs/.systemprompt/credentials.json":        `{"api_token": "s3cret", "api_url": "https://api.example", "authenticated_at": "2026-02-01T10:00:00Z", "user_email": "a@example.invalid"}`,
}

// TestFilesAnswerProgramsAlike compares what commands on files answer with testdata/json, which -update
// writes.
func TestFilesAnswerProgramsAlike(t *testing.T) {
	t.Parallel()
	for name, c := range filesAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			for path, text := range filesGiven {
				s.write(path, text)
			}
			for _, line := range c.before {
				s.must(strings.Fields(line)...)
			}
			if c.edited != "" {
				const file = ".systemprompt/tenants.json"
				s.write(file, strings.Replace(s.read(file), `"first"`, `"`+c.edited+`"`, 1))
			}
			got := strings.ReplaceAll(s.run(append(strings.Fields(c.line), "--json")...).stdout, s.dir, "$DIR")
			require.NotContains(t, got, "s3cret")
			path := filepath.Join("testdata/json", name+".json")
			if *update {
				require.NoError(t, os.MkdirAll("testdata/json", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "sp %s", c.line)
		})
	}
}
