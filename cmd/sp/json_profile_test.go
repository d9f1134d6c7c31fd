package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// personal are the commands on profiles, secrets and sessions, each with what was done before, what
// comes from stdin, and what the environment names.
var personal = map[string]struct {
	before []string
	stdin  string
	env    string
	line   string
}{
	"profile_create":           {line: "profile create new --tenant second -y"},
	"profile_create_exists":    {line: "profile create dev -y"},
	"profile_list":             {before: chosen, line: "profile list --all"},
	"profile_list_none":        {before: []string{"profile delete dev -y", "profile delete prod -y"}, line: "profile list"},
	"profile_show":             {before: chosen, line: "profile show"},
	"profile_show_both":        {line: "profile show dev --profile prod"},
	"profile_edit":             {before: chosen, line: "profile edit dev --name local --set server.port=8081"},
	"profile_default":          {before: chosen, line: "profile default"},
	"profile_default_set":      {before: chosen, line: "profile default prod"},
	"profile_default_clear":    {before: chosen, line: "profile default --clear"},
	"profile_default_none":     {line: "profile default"},
	"profile_delete":           {before: chosen, line: "profile delete dev -y"},
	"profile_delete_asks":      {line: "profile delete dev"},
	"secrets_list":             {before: chosen, line: "secrets list --profile prod"},
	"secrets_get":              {before: chosen, line: "secrets get database_url"},
	"secrets_get_reveal":       {before: []string{"secrets set openai --file value --profile dev"}, line: "secrets get openai --reveal --profile dev"},
	"secrets_get_nosuch":       {before: chosen, line: "secrets get nosuch"},
	"secrets_set":              {before: chosen, stdin: "sk-hidden\n", line: "secrets set openai"},
	"secrets_unset":            {before: chosen, line: "secrets unset jwt_secret"},
	"secrets_import":           {before: chosen, line: "secrets import secrets.json"},
	"session_list":             {before: loggedIn, line: "session list"},
	"session_list_none":        {line: "session list"},
	"session_show":             {before: loggedIn, line: "session show"},
	"session_show_no_token":    {before: chosen, line: "session show"},
	"session_show_none":        {before: []string{"tenant select a"}, line: "session show"},
	"session_switch":           {before: chosen, env: "dev", line: "session switch prod"},
	"session_login":            {before: chosen, stdin: "hidden-token", line: "session login --email a@example.com --issuer https://issuer.example"},
	"session_login_existing":   {before: loggedIn, line: "session login --profile dev"},
	"session_login_needs":      {before: chosen, line: "session login --email a@example.com"},
	"session_logout":           {before: loggedIn, line: "session logout"},
	"session_logout_all":       {before: loggedIn, line: "session logout --all -y"},
	"session_logout_ambiguous": {before: chosen, env: "prod", line: "session logout"},
}

// What was done before.
var (
	chosen   = []string{"session switch prod", "session switch dev", "profile default dev"}
	loggedIn = []string{"session switch prod", "session login --profile dev --token-file value --email dev@example.com"}
)

// TestProfilesAnswerProgramsAlike compares what commands on profiles, secrets and sessions answer with
// testdata/json, which -update writes. Nothing is left out where something is absent.
func TestProfilesAnswerProgramsAlike(t *testing.T) {
	t.Parallel()
	for name, c := range personal {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.write("value", "sk-hidden\n")
			s.write("secrets.json", `{"openai": "sk-hidden", "database_url": "postgres://h/hidden", "number": 7, "empty": ""}`)
			s.must("import", s.write("given.json", `{"synced_at": "2026-02-01T10:00:00Z", "tenants": [
			  {"id": "a", "name": "first", "database_url": "postgres://u:hidden@h/a"},
			  {"id": "b", "name": "second", "tenant_type": "cloud", "internal_database_url": "postgres://u:hidden@i/b", "sync_token": "hidden"}]}`))
			s.must("profile", "create", "dev", "--tenant", "a", "-y")
			s.must("profile", "create", "prod", "--tenant", "b", "-y")
			for _, line := range c.before {
				s.must(strings.Fields(line)...)
			}
			s.stdin, s.env["SYSTEMPROMPT_PROFILE"] = c.stdin, c.env
			got := s.run(append(strings.Fields(c.line), "--json")...).stdout
			if !strings.Contains(c.line, "--reveal") {
				require.NotContains(t, got, "hidden")
			}
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
