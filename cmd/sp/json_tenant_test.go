package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTenantCommandsAnswerJSON compares what each command on tenants answers with its file in
// testdata/json, which -update writes.
func TestTenantCommandsAnswerJSON(t *testing.T) {
	t.Parallel()
	for verb, c := range map[string]struct {
		line string
		exit int
	}{
		"create":             {line: "tenant create --name new --database-url postgres://u:s3cret@h/new --no-check"},
		"list":               {line: "tenant list"},
		"show":               {line: "tenant show local_1"},
		"show_at":            {line: "tenant show gone --at 1"},
		"edit":               {line: "tenant edit local_1 --region iad --name uno"},
		"select":             {line: "tenant select cloudy"},
		"check":              {line: "tenant check local_1", exit: 9},
		"check_all":          {line: "tenant check --all", exit: 9},
		"provision":          {line: "tenant provision local_1"},
		"rotate-credentials": {line: "tenant rotate-credentials local_1 -y", exit: 9},
		"rotate-sync-token":  {line: "tenant rotate-sync-token local_1 -y"},
		"delete":             {line: "tenant delete local_1 -y"},
		"cancel":             {line: "tenant cancel cloudy -y", exit: 9},
		"ambiguous":          {line: "tenant show l", exit: 2},
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			s := tenantSandbox(t)
			o := s.run(append(strings.Fields(c.line), "--json")...)
			require.Equal(t, c.exit, o.exit, "%s%s", o.stdout, o.stderr)
			require.NoError(t, checkDocument(o.stdout, false))
			require.NotContains(t, o.stdout, "s3cret")
			file := filepath.Join("testdata/json", "tenant_"+verb+".json")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(o.stdout), 0o644)) //nolint:gosec // it is a part of the source
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), o.stdout)
		})
	}
}

// tenantSandbox has a local tenant with all that a deletion takes, a cloud tenant, and one that is gone.
func tenantSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.mustImport("2026-02-01T10:00:00Z", `{"id": "local_1", "name": "one", "database_url": "postgres://u:s3cret@127.0.0.1:1/one", "sync_token": "s3cret", "colour": "red"},
		{"id": "cloudy", "name": "cloud", "tenant_type": "cloud", "hostname": "cloudy.example"},
		{"id": "local_2", "name": "two"}, {"id": "gone", "name": "gone", "sync_token": "s3cret"}`)
	s.must("tenant", "delete", "gone", "-y", "--purge")
	s.must("tenant", "select", "local_1")
	s.must("profile", "create", "dev", "-y")
	s.must("profile", "default", "dev")
	s.must("session", "switch", "dev")
	return s
}

// TestAChangeOfATenantAnswersLikeShow holds both to one record.
func TestAChangeOfATenantAnswersLikeShow(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"tenant create --id new --name new --database-url postgres://h/new --no-check", "tenant create --id new --name new --no-database", "tenant select new",
		"tenant provision new", "tenant rotate-sync-token new -y",
	} {
		s := tenantSandbox(t)
		if !strings.Contains(line, "create") {
			s.must("tenant", "create", "--id", "new", "--name", "new", "--database-url", "postgres://h/new", "--no-check")
		}
		require.Equal(t, s.must(append(strings.Fields(line), "--json")...).stdout, s.must("tenant", "show", "new", "--json").stdout, line)
	}
}
