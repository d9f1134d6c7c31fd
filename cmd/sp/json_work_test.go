package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWorkCommandsAnswerJSON compares what each command answers programs with its file in
// testdata/json, which -update writes.
func TestWorkCommandsAnswerJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line    string
		profile string // SYSTEMPROMPT_PROFILE
		exit    int
	}{
		"resolve":            {line: "resolve"},
		"resolve_tenant":     {line: "resolve --tenant cloudy"},
		"resolve_masked":     {line: "resolve --profile masked", exit: 5},
		"resolve_ambiguous":  {line: "resolve --tenant twin", exit: 2},
		"explain":            {line: "explain", profile: "production"},
		"explain_unresolved": {line: "explain", profile: "masked"},
		"status":             {line: "status"},
		"status_untrusted":   {line: "--dir copy/.systemprompt status"},
		"doctor":             {line: "doctor"},
		"doctor_nothing":     {line: "--dir nowhere doctor", exit: 6},
		"psql":               {line: "psql", exit: 2},
		"version":            {line: "version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := workSandbox(t)
			if c.profile != "" {
				s.env["SYSTEMPROMPT_PROFILE"] = c.profile
			}
			o := s.run(append(strings.Fields(c.line), "--json")...)
			require.Equal(t, c.exit, o.exit, "%s%s", o.stdout, o.stderr)
			require.NoError(t, checkDocument(o.stdout, c.exit != 0))
			got := strings.NewReplacer(s.dir, "$DIR", runtime.Version(), "$GO").Replace(o.stdout)
			file := filepath.Join("testdata/json", name+".json")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644)) //nolint:gosec // it is a part of the source
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// workSandbox has a session, a default of another tenant, a profile that can't be used, two tenants
// alike, and a copy of it all that nobody vouches for.
func workSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.mustImport("2026-01-20T10:00:00Z", `{"id": "local_1", "name": "my-project", "database_url": "postgres://u:s3cret@localhost/dev"},
		{"id": "cloudy", "name": "my-project-prod", "tenant_type": "cloud", "region": "iad", "sync_token": "s3cret", "internal_database_url": "postgres://u:s3cret@internal:5432/prod"},
		{"id": "masked", "name": "masked", "database_url": "postgres://u:***@h/masked"}, {"id": "twin-a", "name": "a"}, {"id": "twin-b", "name": "b"}`)
	for profile, tenant := range map[string]string{"local": "local_1", "production": "cloudy", "masked": "masked"} {
		s.must("profile", "create", profile, "--tenant", tenant, "-y")
	}
	s.must("tenant", "select", "local_1")
	s.must("profile", "default", "production")
	s.must("session", "switch", "local")
	require.NoError(t, os.CopyFS(s.dir+"/copy/.systemprompt", os.DirFS(s.dir+"/.systemprompt")))
	makePrivate(t, s.dir+"/copy")
	return s
}
