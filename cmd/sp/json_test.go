package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/harness"
)

// asked is a command that is asked with --json: in which directory, and what was done there before.
type asked struct {
	in     func(*sandbox)
	before []string
	stdin  string
	env    string // SYSTEMPROMPT_PROFILE
	line   string
}

// answers are the commands whose answers to programs testdata/json holds; -update writes it. Each command
// of the tree has one of its own name, and others show what else it answers.
var answers = map[string]asked{
	// Tenants.
	"tenant_create":             {in: withTenants, line: "tenant create --name new --database-url postgres://u:s3cret@h/new --no-check"},
	"tenant_list":               {in: withTenants, line: "tenant list"},
	"tenant_list_none":          {before: []string{"init"}, line: "tenant list"},
	"tenant_show":               {in: withTenants, line: "tenant show local_1"},
	"tenant_show_at":            {in: withTenants, line: "tenant show gone --at 1"},
	"tenant_edit":               {in: withTenants, line: "tenant edit local_1 --region iad --name uno"},
	"tenant_select":             {in: withTenants, line: "tenant select cloudy"},
	"tenant_check":              {in: withTenants, line: "tenant check local_1"},
	"tenant_check_all":          {in: withTenants, line: "tenant check --all"},
	"tenant_provision":          {in: withTenants, line: "tenant provision local_1"},
	"tenant_rotate-credentials": {in: withTenants, line: "tenant rotate-credentials local_1 -y"},
	"tenant_rotate-sync-token":  {in: withTenants, line: "tenant rotate-sync-token local_1 -y"},
	"tenant_delete":             {in: withTenants, line: "tenant delete local_1 -y"},
	"tenant_delete_bare":        {in: withTenants, line: "tenant delete local_2 -y"},
	"tenant_cancel":             {in: withTenants, line: "tenant cancel cloudy -y"},
	"tenant_ambiguous":          {in: withTenants, line: "tenant show l"},
	"show":                      {in: withTenants, line: "show local_1 --at 1"},

	// Profiles, secrets and sessions.
	"profile_create":           {in: withProfiles, line: "profile create new --tenant second -y"},
	"profile_create_exists":    {in: withProfiles, line: "profile create dev -y"},
	"profile_list":             {in: withProfiles, before: chosen, line: "profile list --all"},
	"profile_list_none":        {in: withProfiles, before: []string{"profile delete dev -y", "profile delete prod -y"}, line: "profile list"},
	"profile_show":             {in: withProfiles, before: chosen, line: "profile show"},
	"profile_show_both":        {in: withProfiles, line: "profile show dev --profile prod"},
	"profile_edit":             {in: withProfiles, before: chosen, line: "profile edit dev --name local --set server.port=8081"},
	"profile_default":          {in: withProfiles, before: chosen, line: "profile default"},
	"profile_default_set":      {in: withProfiles, before: chosen, line: "profile default prod"},
	"profile_default_clear":    {in: withProfiles, before: chosen, line: "profile default --clear"},
	"profile_default_none":     {in: withProfiles, line: "profile default"},
	"profile_delete":           {in: withProfiles, before: chosen, line: "profile delete dev -y"},
	"profile_delete_asks":      {in: withProfiles, line: "profile delete dev"},
	"secrets_list":             {in: withProfiles, before: chosen, line: "secrets list --profile prod"},
	"secrets_get":              {in: withProfiles, before: chosen, line: "secrets get database_url"},
	"secrets_get_reveal":       {in: withProfiles, before: []string{"secrets set openai --file value --profile dev"}, line: "secrets get openai --reveal --profile dev"},
	"secrets_get_nosuch":       {in: withProfiles, before: chosen, line: "secrets get nosuch"},
	"secrets_set":              {in: withProfiles, before: chosen, stdin: "sk-hidden\n", line: "secrets set openai"},
	"secrets_unset":            {in: withProfiles, before: chosen, line: "secrets unset jwt_secret"},
	"secrets_import":           {in: withProfiles, before: chosen, line: "secrets import secrets.json"},
	"session_list":             {in: withProfiles, before: loggedIn, line: "session list"},
	"session_list_none":        {in: withProfiles, line: "session list"},
	"session_show":             {in: withProfiles, before: loggedIn, line: "session show"},
	"session_show_no_token":    {in: withProfiles, before: chosen, line: "session show"},
	"session_show_none":        {in: withProfiles, before: []string{"tenant select a"}, line: "session show"},
	"session_switch":           {in: withProfiles, before: chosen, env: "dev", line: "session switch prod"},
	"session_login":            {in: withProfiles, before: chosen, stdin: "hidden-token", line: "session login --email a@example.com --issuer https://issuer.example"},
	"session_login_existing":   {in: withProfiles, before: loggedIn, line: "session login --profile dev"},
	"session_login_needs":      {in: withProfiles, before: chosen, line: "session login --email a@example.com"},
	"session_logout":           {in: withProfiles, before: loggedIn, line: "session logout"},
	"session_logout_all":       {in: withProfiles, before: loggedIn, line: "session logout --all -y"},
	"session_logout_ambiguous": {in: withProfiles, before: chosen, env: "prod", line: "session logout"},

	// Files.
	"init":             {in: withFiles, line: "init"},
	"init_again":       {in: withFiles, before: []string{"init"}, line: "init"},
	"import":           {in: withFiles, before: known, line: "import new.json"},
	"import_prune":     {in: withFiles, before: []string{"import old.json", "profile create p --tenant b", "session switch p", "profile default p"}, line: "import --prune -y new.json"},
	"import_directory": {in: withFiles, line: "import theirs"},
	"import_dry_run":   {in: withFiles, before: known, line: "import --dry-run theirs"},
	"import_own":       {in: withFiles, before: edited(followed), line: "import"},
	"import_conflict":  {in: withFiles, before: edited(renamed), line: "import"},
	"import_ours":      {in: withFiles, before: edited(renamed), line: "import --ours"},
	"import_refused":   {in: withFiles, line: "import old.json --duplicates last"},
	"export":           {in: withFiles, before: known, line: "export"},
	"export_path":      {in: withFiles, before: known, line: "export --path copy.json"},
	"export_refused":   {in: withFiles, before: known, line: "export --path new.json"},
	"export_check":     {in: withFiles, before: followed, line: "export --check"},
	"export_behind":    {in: withFiles, before: renamed, line: "export --check"},
	"export_stop":      {in: withFiles, before: known, line: "export --stop"},
	"trust":            {in: withFiles, before: known, line: "trust"},
	"trust_copy":       {in: withFiles, before: known, line: "trust --copy -y"},

	// The history.
	"log":       {in: withHistory, before: historyBefore, line: "log"},
	"log_purge": {in: withHistory, before: historyBefore, line: "log purge -y"},
	"undo":      {in: withHistory, before: historyBefore, line: "undo"},
	"backup":    {in: withHistory, before: historyBefore, line: "backup b.db"},
	"restore":   {in: withHistory, before: append(slices.Clone(historyBefore), "backup b.db", "tenant select b"), line: "restore b.db -y"},
	"log_none":  {line: "log", before: []string{"init"}},

	// Servers, of which none can be reached.
	"db_status":      {in: withServers, line: "db status"},
	"db_list":        {in: withServers, line: "db list"},
	"db_down":        {in: withServers, line: "db down"},
	"db_logs":        {in: withServers, line: "db logs"},
	"db_unit":        {in: withServers, line: "db unit"},
	"db_restart":     {in: withServers, line: "db restart -y"},
	"db_psql":        {in: withServers, line: "db psql a"},
	"db_use":         {in: withServers, line: "db use --none"},
	"db_remove":      {in: withServers, line: "db remove local -y"},
	"db_up":          {in: withServers, line: "db up"},
	"db_status_none": {before: []string{"init"}, line: "db status"},
	"db_list_none":   {line: "db list"},

	// Which database, and why.
	"resolve":            {in: withWork, line: "resolve"},
	"resolve_tenant":     {in: withWork, line: "resolve --tenant cloudy"},
	"resolve_masked":     {in: withWork, line: "resolve --profile masked"},
	"resolve_ambiguous":  {in: withWork, line: "resolve --tenant twin"},
	"explain":            {in: withWork, line: "explain", env: "production"},
	"explain_unresolved": {in: withWork, line: "explain", env: "masked"},
	"status":             {in: withWork, line: "status"},
	"status_untrusted":   {in: withWork, line: "status --dir copy/.systemprompt"},
	"doctor":             {in: withWork, line: "doctor"},
	"doctor_nothing":     {in: withWork, line: "doctor --dir nowhere"},
	"psql":               {in: withWork, line: "psql"},
	"exec":               {in: withWork, line: "exec"},
	"env":                {in: withSecrets, line: "env"},
	"env_unresolved":     {in: withWork, line: "env masked"},
	"version":            {in: withWork, line: "version"},
	"explain_deleted":    {in: withWork, before: []string{"tenant delete local_1 -y"}, line: "explain"},
	"explain_nothing":    {before: []string{"init"}, line: "explain"},
	"status_deleted":     {in: withWork, before: []string{"tenant delete local_1 -y"}, line: "status"},
	"status_nothing":     {before: []string{"init"}, line: "status"},
	"status_none":        {line: "status"},
	"help":               {line: "help version"},

	// The account at a control plane, which nothing here asks.
	"login":         {line: "login"},
	"login_url":     {stdin: "hidden", line: "login --token-stdin"},
	"login_offline": {stdin: "hidden", line: "login https://cloud.example --token-stdin"},
	"logout":        {in: withLogin, line: "logout"},
	"logout_none":   {line: "logout"},
	"whoami":        {in: withLogin, line: "whoami"},
	"whoami_none":   {line: "whoami"},
	"auth_login":    {line: "auth login"},
	"auth_logout":   {line: "auth logout"},
	"auth_whoami":   {line: "auth whoami"},
	"cloud_status":  {in: withLogin, line: "cloud status"},
	"sync_push":     {in: withTenants, line: "sync push cloudy"},
	"sync_pull":     {in: withTenants, line: "sync pull local_1"},
	"sync_nowhere":  {in: withProfiles, line: "sync pull b"},

	// What belongs to the application.
	"deploy":           {line: "deploy"},
	"infra_db_migrate": {line: "infra db migrate"},
}

// What was done before.
var (
	chosen   = []string{"session switch prod", "session switch dev", "profile default dev"}
	loggedIn = []string{"session switch prod", "session login --profile dev --token-file value --email dev@example.com"}
	known    = []string{"import old.json"}
	followed = []string{"import old.json", "export"}
	renamed  = []string{"import old.json", "export", "tenant edit a --name ours --no-export"}
)

// edited ends in another program's change: it gives a tenant of the tenants.json that follows the name theirs.
func edited(before []string) []string { return append(slices.Clone(before), "edit") }

// withTenants has a local tenant with all that a deletion takes, a cloud tenant, and one that is gone.
func withTenants(s *sandbox) {
	s.mustImport("2026-02-01T10:00:00Z", `{"id": "local_1", "name": "one", "database_url": "postgres://u:s3cret@127.0.0.1:1/one", "sync_token": "s3cret", "colour": "red"},
		{"id": "cloudy", "name": "cloud", "tenant_type": "cloud", "hostname": "cloudy.example"},
		{"id": "local_2", "name": "two"}, {"id": "gone", "name": "gone", "sync_token": "s3cret"}`)
	s.must("tenant", "delete", "gone", "-y", "--purge")
	s.must("tenant", "select", "local_1")
	s.must("profile", "create", "dev", "-y")
	s.must("profile", "default", "dev")
	s.must("session", "switch", "dev")
}

func withProfiles(s *sandbox) {
	s.write("value", "sk-hidden\n")
	s.write("secrets.json", `{"openai": "sk-hidden", "database_url": "postgres://h/hidden", "number": 7, "empty": ""}`)
	s.must("import", s.write("given.json", `{"synced_at": "2026-02-01T10:00:00Z", "tenants": [
	  {"id": "a", "name": "first", "database_url": "postgres://u:hidden@h/a"},
	  {"id": "b", "name": "second", "tenant_type": "cloud", "internal_database_url": "postgres://u:hidden@i/b", "sync_token": "hidden"}]}`))
	s.must("profile", "create", "dev", "--tenant", "a", "-y")
	s.must("profile", "create", "prod", "--tenant", "b", "-y")
}

func withFiles(s *sandbox) {
	for path, text := range filesGiven {
		s.write(path, text)
	}
}

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

// historyBefore are changes of every kind, and an undo.
var historyBefore = []string{
	"import in.json", "profile create p --tenant a", "session switch p", "profile default p", "tenant edit a --name uno --sync-token s3cret",
	"tenant select b", "tenant delete b -y", "tenant create --id c --name third --no-database", "undo", "undo",
}

const historyFile = `{"synced_at": "2026-02-01T10:00:00Z", "tenants": [
  {"id": "a", "name": "first", "tenant_type": "cloud", "internal_database_url": "postgres://u:pw@h/a"},
  {"id": "b", "name": "second", "database_url": "postgres://u:pw@h/b"}]}`

func withHistory(s *sandbox) { s.write("in.json", historyFile) }

func withServers(s *sandbox) {
	s.must("import", s.write("in.json", historyFile))
	s.must("tenant", "delete", "b", "-y")
	s.sql(`INSERT INTO servers (name, provider, admin_url, chosen, place, identity, withheld) VALUES
	  ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0, '` + thePlace + `', '1:2', 'foreign'),
	  ('db.example:5432', 'server', 'postgres://admin:s3cret@db.example:5432/postgres', 1, NULL, NULL, NULL)`)
	s.sql(`INSERT INTO databases VALUES ('a', 'ready', 'local', 'sp_first', 'a', 1770000000000000), ('b', 'dropping', 'db.example:5432', 'sp_second', 'a', NULL)`)
	data := s.env["SP_DATA_DIR"] + "/postgres/" + thePlace
	require.NoError(s.t, os.MkdirAll(data+"/data", 0o700))
	require.NoError(s.t, os.WriteFile(data+"/data/PG_VERSION", []byte("15\n"), 0o600))
}

// withWork has a session, a default of another tenant, a profile that can't be used, two tenants
// alike, and a copy of it all that nobody vouches for.
func withWork(s *sandbox) {
	s.mustImport("2026-01-20T10:00:00Z", `{"id": "local_1", "name": "my-project", "database_url": "postgres://u:s3cret@localhost/dev"},
		{"id": "cloudy", "name": "my-project-prod", "tenant_type": "cloud", "region": "iad", "sync_token": "s3cret", "internal_database_url": "postgres://u:s3cret@internal:5432/prod"},
		{"id": "masked", "name": "masked", "database_url": "postgres://u:***@h/masked"}, {"id": "twin-a", "name": "a"}, {"id": "twin-b", "name": "b"}`)
	for profile, tenant := range map[string]string{"local": "local_1", "production": "cloudy", "masked": "masked"} {
		s.must("profile", "create", profile, "--tenant", tenant, "-y")
	}
	s.must("tenant", "select", "local_1")
	s.must("profile", "default", "production")
	s.must("session", "switch", "local")
	require.NoError(s.t, os.CopyFS(s.dir+"/copy/.systemprompt", os.DirFS(s.dir+"/.systemprompt")))
	makePrivate(s.t, s.dir+"/copy")
}

// withSecrets has secrets too, one of which is given to no program.
func withSecrets(s *sandbox) {
	withWork(s)
	s.write("secrets.json", `{"openai": "s3cret", "ld_preload": "hidden"}`)
	s.must("secrets", "import", "secrets.json")
}

// withLogin has a login, and no registry.
func withLogin(s *sandbox) {
	s.write(".systemprompt/credentials.json", `{"api_token": "e30.eyJleHAiOjE3Njk5NTA4MDB9.hidden", "api_url": "https://cloud.example", "authenticated_at": "2026-02-01T10:00:00Z",
	  "user_email": "a@example.com", "last_validated_at": null, "refresh_token": "hidden"}`)
}

// ask asks what a row of the table asks.
func (a asked) ask(t *testing.T) (outcome, *sandbox) {
	t.Helper()
	s := newSandbox(t)
	if a.in != nil {
		a.in(s)
	}
	for _, line := range a.before {
		if line == "edit" {
			const file = ".systemprompt/tenants.json"
			s.write(file, strings.Replace(s.read(file), `"first"`, `"theirs"`, 1))
			continue
		}
		s.must(strings.Fields(line)...)
	}
	s.stdin = a.stdin
	if a.env != "" {
		s.env["SYSTEMPROMPT_PROFILE"] = a.env
	}
	return s.run(append(strings.Fields(a.line), "--json")...), s
}

func goldenOf(name string) string { return filepath.Join("testdata/json", name+".json") }

// TestCommandsAnswerJSON compares what each command answers with its file in testdata/json.
func TestCommandsAnswerJSON(t *testing.T) {
	t.Parallel()
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, s := a.ask(t)
			require.NoError(t, checkDocument(o.stdout, false), "%s%s", o.stdout, o.stderr)
			if !strings.Contains(a.line, "--reveal") && !strings.HasPrefix(a.line, "resolve") && a.line != "env" {
				require.NotRegexp(t, "s3cret|hidden", o.stdout)
			}
			var document any
			require.NoError(t, json.Unmarshal([]byte(o.stdout), &document))
			switch code := harness.Member(document, "error.code"); {
			case code != nil:
				require.Contains(t, contract[o.exit], code, "sp %s", a.line)
			case name != "tenant_check_all" && name != "cloud_status": // whose answers hold the errors
				require.Zero(t, o.exit, "sp %s", a.line)
			}
			got := strings.NewReplacer(s.dir, "$DIR", s.env["SP_DATA_DIR"], "$DATA", runtime.Version(), "$GO").Replace(o.stdout)
			if *update {
				require.NoError(t, os.WriteFile(goldenOf(name), []byte(got), 0o644)) //nolint:gosec // it is a part of the source
			}
			want, err := os.ReadFile(goldenOf(name))
			require.NoError(t, err)
			require.Equal(t, string(want), got, "sp %s", a.line)
		})
	}
}

// commandOf is the command that a row asks, by its words.
func commandOf(t *testing.T, a asked) string {
	t.Helper()
	tree := commands(t)
	words := strings.Fields(a.line)
	for n := len(words); n > 0; n-- {
		if command := tree[strings.Join(words[:n], " ")]; command != nil && !command.IsGroup() {
			return strings.Join(words[:n], " ")
		}
	}
	require.Fail(t, "no command", a.line)
	return ""
}

// TestEveryCommandHasItsAnswer: whoever adds a command adds a row above. No file is left of one that is gone.
func TestEveryCommandHasItsAnswer(t *testing.T) {
	t.Parallel()
	for words, command := range commands(t) {
		first, _, _ := strings.Cut(words, " ")
		if command.IsGroup() || first == "cloud" || first == "admin" { // the same commands again
			continue
		}
		row, there := answers[strings.ReplaceAll(words, " ", "_")]
		require.True(t, there, "sp %s has no row", words)
		require.Equal(t, words, commandOf(t, row))
	}
	files, err := filepath.Glob("testdata/json/*.json")
	require.NoError(t, err)
	require.Len(t, files, len(answers))
}

// TestEveryCommandAnswersOneDocument whether it works or fails: in a project, in a corrupt one, and where there is none.
func TestEveryCommandAnswersOneDocument(t *testing.T) {
	t.Parallel()
	for place, in := range map[string]func(*sandbox){
		"nothing": func(*sandbox) {},
		"project": withWork,
		"corrupt": func(s *sandbox) {
			s.must("init")
			s.write(".systemprompt/sp.db", "this is no database")
		},
	} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			for words, command := range commands(t) {
				if command.IsGroup() {
					continue
				}
				line := append(strings.Fields(words), "--json")
				for _, arg := range command.Args {
					if !arg.Optional {
						line = append(line, "masked")
					}
				}
				if slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return f.Name == "yes" }) {
					line = append(line, "-y")
				}
				s := newSandbox(t)
				in(s)
				o := s.run(line...)
				told := strings.HasSuffix(words, "doctor") && place != "project" // it shows what is wrong
				require.NoError(t, checkDocument(o.stdout, o.exit != 0 && !told), "sp %v: %s%s", line, o.stdout, o.stderr)
				require.NoError(t, checkNotes(o.stderr), "sp %v", line)
				require.NotEqual(t, 1, o.exit, "sp %v: %s", line, o.stdout)
			}
		})
	}
}

// member is a member of an object in an answer: of which command, under which names, and beside what.
type member struct {
	golden, command, path, name string
	value                       any
	object                      map[string]any
}

// eachMember calls fn for every member of every answer in testdata/json. What the log shows of a row of the
// registry is the registry's, and is left out.
func eachMember(t *testing.T, fn func(member)) {
	t.Helper()
	for name, a := range answers {
		text, err := os.ReadFile(goldenOf(name))
		require.NoError(t, err)
		var document any
		require.NoError(t, json.Unmarshal(text, &document))
		command := commandOf(t, a)
		var walk func(path string, value any)
		walk = func(path string, value any) {
			switch value := value.(type) {
			case []any:
				for _, v := range value {
					walk(path+"[]", v)
				}
			case map[string]any:
				for _, key := range slices.Sorted(maps.Keys(value)) {
					fn(member{name, command, path, key, value[key], value})
					if key != "before" && key != "after" {
						walk(path+"."+key, value[key])
					}
				}
			}
		}
		walk("", document)
	}
}

// shape is what kind of value a member has; null says nothing.
func shape(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case []any:
		return "list"
	case map[string]any:
		return "object"
	case string:
		return "text"
	case bool:
		return "truth"
	default:
		_ = value
		return "number"
	}
}

// TestAMemberMeansOneThing: a name has one kind of value in all answers, and what has a name has no other.
func TestAMemberMeansOneThing(t *testing.T) {
	t.Parallel()
	refs := map[string][]string{ // what names a thing, and the members that it has
		"tenant": {"id", "name", "type"}, "selected_tenant": {"id", "name", "type"}, "deleted_tenant": {"id", "name", "type"},
		"session_profile": {"name"}, "default_profile": {"name"},
		"error": {"candidates", "code", "hint", "message", "next_steps"},
	}
	instead := map[string]string{ // what would be a second name
		"why": "message", "text": "message", "kind": "type", "tenant_id": "tenant", "tenant_name": "tenant", "profile_name": "profile",
		"email": "user_email", "url_masked": "url", "count": "…_count", "timestamp": "…_at", "time": "…_at",
	}
	shapes, lists := map[string]map[string]string{}, map[string]bool{}
	eachMember(t, func(m member) {
		if shapes[m.name] == nil {
			shapes[m.name] = map[string]string{}
		}
		if is := shape(m.value); is != "" {
			shapes[m.name][is] = m.golden
			lists[m.name] = lists[m.name] || is == "list"
		}
		require.NotContains(t, instead, m.name, "%s: it is called %s", m.golden, instead[m.name])
		if object, is := m.value.(map[string]any); is && refs[m.name] != nil {
			require.Equal(t, refs[m.name], slices.Sorted(maps.Keys(object)), "%s%s.%s", m.golden, m.path, m.name)
		}
		switch m.name {
		case "profile":
			require.True(t, m.value == nil || harness.Member(m.value, "name") != nil, "%s%s", m.golden, m.path)
		case "code", "reason":
			require.Contains(t, m.object, "message", "%s%s: a code stands beside a sentence", m.golden, m.path)
			require.Regexp(t, "^[a-z_]+$", m.value, "%s%s.%s", m.golden, m.path, m.name)
		case "state", "result", "action", "source":
			require.Regexp(t, "^[a-z_]+$", m.value, "%s%s.%s", m.golden, m.path, m.name)
		}
	})
	for name, kinds := range shapes {
		require.LessOrEqual(t, len(kinds), 1, "%s is %v", name, kinds)
	}
	eachMember(t, func(m member) {
		if lists[m.name] {
			require.NotNil(t, m.value, "%s%s.%s: an empty list is []", m.golden, m.path, m.name)
		}
	})
}

// TestAnswersWriteTimesAlike: RFC 3339 in UTC with microseconds; synced_at is as the file has it.
func TestAnswersWriteTimesAlike(t *testing.T) {
	t.Parallel()
	looks, is := regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]`), regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
	found := 0
	eachMember(t, func(m member) {
		text, _ := m.value.(string)
		timed := m.value != nil && (strings.HasSuffix(m.name, "_at") || m.name == "at" || m.name == "last_used" || m.name == "date")
		if m.name == "synced_at" || m.name == "message" || !timed && !looks.MatchString(text) {
			return
		}
		found++
		require.Regexp(t, is, text, "%s%s.%s", m.golden, m.path, m.name)
	})
	require.Greater(t, found, 20, "are these all?")
}

// TestNothingIsLeftOutOfAnAnswer: what is absent is null, so that every answer of a command has the same members.
func TestNothingIsLeftOutOfAnAnswer(t *testing.T) {
	t.Parallel()
	seen := map[string]member{}
	eachMember(t, func(m member) {
		if _, failed := m.object["error"]; failed && len(m.object) == 1 {
			return
		}
		at := m.command + ": " + strings.ReplaceAll(m.path, ".commands[]", "")
		first, there := seen[at]
		if !there {
			seen[at] = m
			return
		}
		require.Equal(t, slices.Sorted(maps.Keys(first.object)), slices.Sorted(maps.Keys(m.object)), "%s%s, and %s", m.golden, m.path, first.golden)
	})
	for _, s := range sources(t) {
		text, err := os.ReadFile(s.path)
		require.NoError(t, err)
		if strings.HasPrefix(s.pkg, "internal/cli") || s.pkg == "internal/doctor" {
			require.NotRegexp(t, `json:"[^"]*,omit`, string(text), s.path)
		}
	}
}

// TestAChangeOfATenantAnswersLikeShow holds both to one record.
func TestAChangeOfATenantAnswersLikeShow(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"tenant create --id new --name new --database-url postgres://h/new --no-check", "tenant create --id new --name new --no-database", "tenant select new",
		"tenant provision new", "tenant rotate-sync-token new -y",
	} {
		s := newSandbox(t)
		withTenants(s)
		if !strings.Contains(line, "create") {
			s.must("tenant", "create", "--id", "new", "--name", "new", "--database-url", "postgres://h/new", "--no-check")
		}
		changed := s.must(append(strings.Fields(line), "--json")...).stdout
		shown := strings.Replace(s.must("tenant", "show", "new", "--json").stdout, ",\n  \"live\": null,\n  \"unfinished\": false", "", 1) // which only show tells
		require.Equal(t, changed, shown, line)
	}
}

// TestTwoAnswersAboutOneFactAgree: what one command says of a thing, every other says too.
func TestTwoAnswersAboutOneFactAgree(t *testing.T) {
	t.Parallel()
	servers, profiles, work := newSandbox(t), newSandbox(t), newSandbox(t)
	withServers(servers)
	withProfiles(profiles)
	for _, line := range loggedIn {
		profiles.must(strings.Fields(line)...)
	}
	profiles.must("profile", "default", "dev")
	withWork(work)
	work.must("tenant", "edit", "local_1", "--region", "iad")
	undone := strings.Replace(work.must("undo", "--json").stdout, ",\n  \"database\": null,\n  \"database_dropped\": false", "", 1) // which the log doesn't know
	for _, c := range []struct {
		s                        *sandbox
		line, at, other, otherAt string
	}{
		{servers, "tenant show a", "database.old_login_ends_at", "db status", "servers.1.databases.0.old_login_ends_at"},
		{servers, "tenant show a", "database.state", "db status", "servers.1.databases.0.state"},
		{servers, "tenant show a", "name", "db status", "servers.1.databases.0.tenant.name"},
		{profiles, "session show --profile dev", "", "session list", "sessions.0"},
		{profiles, "profile show dev", "", "profile list --all", "profiles.0"},
		{profiles, "profile show dev", "", "profile default", "profile"},
		{profiles, "secrets list --profile prod", "secrets.0.tenant", "profile show prod", "tenant"},
		{work, "status", "resolved", "explain", "resolved"},
		{work, "status", "selected_tenant", "explain", "selected_tenant"},
		{work, "status", "session_profile", "session show", "profile"},
		{work, "resolve", "tenant", "explain", "resolved.tenant"},
		{work, "tenant show local_1", "database_url", "tenant list", "tenants.0.database_url"},
		{work, "log", "changes.0", "", ""},
	} {
		member := func(text, at string) any {
			var document any
			require.NoError(t, json.Unmarshal([]byte(text), &document))
			if at == "" {
				return document
			}
			return harness.Member(document, at)
		}
		other := undone
		if c.other != "" {
			other = c.s.must(append(strings.Fields(c.other), "--json")...).stdout
		}
		got := member(c.s.must(append(strings.Fields(c.line), "--json")...).stdout, c.at)
		require.NotNil(t, got, "sp %s: %s", c.line, c.at)
		require.Equal(t, member(other, c.otherAt), got, "sp %s: %s", c.line, c.at)
	}
}
