package main

import (
	"os"
	"path/filepath"
	"runtime"
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

// TestAChangeOfATenantAnswersWhatShowSaysThen holds both to one record.
func TestAChangeOfATenantAnswersWhatShowSaysThen(t *testing.T) {
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
	"export_behind":    {before: known, line: "export --check"},
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
