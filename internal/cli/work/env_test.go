package work

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// shells are the programs that read a format, and how one reads a script that nothing else has touched.
var shells = []struct {
	format string
	words  []string
}{
	{"sh", []string{"sh", "-c"}},
	{"sh", []string{"bash", "--noprofile", "--norc", "-c"}},
	{"sh", []string{"bash", "--noprofile", "--norc", "-O", "extglob", "-e", "-u", "-c"}},
	{"sh", []string{"zsh", "-f", "-c"}},
	{"sh", []string{"zsh", "-f", "-o", "RC_QUOTES", "-o", "EXTENDED_GLOB", "-c"}},
	{"fish", []string{"fish", "--no-config", "-c"}},
}

// awkward are values that a secret may have: every character of ASCII alone, in the middle and at the ends, and what
// is quoted in one shell or another.
func awkward() []string {
	values := []string{
		"plain", " ", "'", "''", "'''", `\`, `\\`, `\'`, `'\''`, `"`, "$HOME", "${HOME}", "$(echo x)", "`echo x`", "!!", "!x", "a!b", "~", "~/x", "*", "?", "[a]",
		"{a,b}", "a b", " a ", "\n", "a\n", "\na", "a\nb", "a\n\n", "\r\n", "\t", "#", "a #b", "a;b", "a&b", "a|b", "a>b", "(", ")", "=", "=ls", "a=b", "-n", "--", "%s", "%d%",
		"é", "漢字", "🙂", "\u0080", "\u009b", "\u00ff", "‘’‚‛", "\u200b", "\u2028", "\ufeff", "\U0010ffff", "-----BEGIN KEY-----\nMII\\n+/=\n-----END KEY-----\n",
		"postgres://u:p%27w@h:1/d?a=b&c=d#e", strings.Repeat("'", 4096), strings.Repeat("\\'\n", 2048),
	}
	for c := rune(1); c < 0x80; c++ {
		values = append(values, string(c), "a"+string(c), string(c)+"b", "a"+string(c)+"b", strings.Repeat(string(c), 3))
	}
	chance := rand.New(rand.NewPCG(1, 2))
	const hard = "'\"\\$`!#;&|<>(){}[]*?~^=%@ \t\n\r\x01\x1b\x7fab é漢‘’\u009b"
	letters := []rune(hard)
	for range 500 {
		value := make([]rune, 1+chance.IntN(12))
		for i := range value {
			value[i] = letters[chance.IntN(len(letters))]
		}
		values = append(values, string(value))
	}
	return values
}

// mustHave is the path of a program. Without it the test is skipped, unless that is forbidden.
func mustHave(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err != nil && os.Getenv("SP_REQUIRE_SHELLS") == "1":
		t.Fatalf("this machine has no %s, and SP_REQUIRE_SHELLS demands it", program)
	case err != nil:
		t.Skipf("skipped: there is no %s", program)
	}
	return path
}

// TestShellsReadBackWhatEnvWrites: every value comes out of a real shell as it went in, and what would lead
// elsewhere is gone.
func TestShellsReadBackWhatEnvWrites(t *testing.T) {
	t.Parallel()
	e := environment{set: map[string]secret.Secret{}, removed: []string{"PGHOST", "PGSERVICE", "NEVER_THERE"}}
	want := []string{}
	for i, value := range awkward() {
		name := fmt.Sprintf("V%d", i)
		e.set[name] = secret.New(value)
		want = append(want, name+"="+value)
	}
	slices.Sort(want)
	for _, shell := range shells {
		t.Run(strings.Join(shell.words[:len(shell.words)-1], " "), func(t *testing.T) {
			t.Parallel()
			program := mustHave(t, shell.words[0])
			text, err := e.write(shell.format)
			require.NoError(t, err)
			script := t.TempDir() + "/script"
			require.NoError(t, os.WriteFile(script, []byte(text+"exec env -0\n"), 0o600))
			for _, read := range []string{". " + script, evaluates(shell.format, script)} {
				cmd := exec.CommandContext(t.Context(), program, append(slices.Clone(shell.words[1:]), read)...)
				cmd.Dir = t.TempDir()
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "PGHOST=elsewhere", "PGSERVICE=elsewhere", "LC_ALL=C.UTF-8"}
				var said bytes.Buffer
				cmd.Stderr = &said
				out, err := cmd.Output()
				require.NoError(t, err, said.String())
				require.Empty(t, said.String())
				var got []string
				for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
					if strings.HasPrefix(line, "V") {
						got = append(got, line)
					}
					require.NotContains(t, line, "elsewhere")
				}
				slices.Sort(got)
				require.Equal(t, want, got, read)
			}
		})
	}
}

// evaluates is the line that help gives for a format.
func evaluates(format, script string) string {
	if format == "fish" {
		return "cat " + script + " | source"
	}
	return `eval "$(cat ` + script + `)"`
}

// TestPowerShellIsWrittenLikeThis was compared with what PowerShell documents, and is not run: about_Quoting_Rules,
// and its tokenizer takes four more characters for a single quote.
func TestPowerShellIsWrittenLikeThis(t *testing.T) {
	t.Parallel()
	e := environment{removed: []string{"PGSERVICE", "PGHOSTADDR", "PGHOST"}, set: map[string]secret.Secret{
		"PGHOST": secret.New("h"), "A": secret.New(`it's $x "y" ` + "`n"), "B": secret.New("‘a’‚b‛"), "C": secret.New("two\nlines\\"),
	}}
	text, err := e.write("pwsh")
	require.NoError(t, err)
	require.Equal(t, `Remove-Item -ErrorAction Ignore Env:PGHOSTADDR, Env:PGSERVICE
$env:A = 'it''s $x "y" `+"`n"+`'
$env:B = '‘‘a’’‚‚b‛‛'
$env:C = 'two
lines\'
$env:PGHOST = 'h'
`, text)
}

func TestJSONIsOneObject(t *testing.T) {
	t.Parallel()
	e := environment{set: map[string]secret.Secret{}}
	want := map[string]string{}
	for i, value := range awkward() {
		name := fmt.Sprintf("V%d", i)
		e.set[name], want[name] = secret.New(value), value
	}
	text, err := e.write("json")
	require.NoError(t, err)
	got := map[string]string{}
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Equal(t, want, got)
}

// TestADotenvFileHoldsWhatItsReadersReadAlike, and names the key of anything else.
func TestADotenvFileHoldsWhatItsReadersReadAlike(t *testing.T) {
	t.Parallel()
	write := func(value string) (string, error) {
		return (&environment{set: map[string]secret.Secret{"KEY": secret.New(value)}}).write("dotenv")
	}
	for _, value := range []string{"plain", "postgres://u:p%27w@h:1/d?a=b&c=d", "a b", "é漢", "a=b", "!%^*(){}[]<>|;,:+-~@"} {
		text, err := write(value)
		require.NoError(t, err, value)
		require.Equal(t, "KEY="+value+"\n", text)
	}
	for _, value := range []string{"'", `"`, "`", `\`, "$", "#", "a\nb", "a\r", "a\tb", " a", "a ", "\u200b", "\x1b"} {
		_, err := write(value)
		require.ErrorContains(t, err, "KEY: ", "%q", value)
	}
}

// TestSecretsBecomeVariables under their names in capitals, and some under those that programs look for.
func TestSecretsBecomeVariables(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"anthropic": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY", "openai": "OPENAI_API_KEY", "github": "GITHUB_TOKEN",
		"jwt_secret": "JWT_SECRET", "stripe-key": "STRIPE_KEY", "a.b": "A_B", "STRIPE": "STRIPE", "pgp_key": "PGP_KEY", "pg_pass": "PG_PASS",
		"cargo_registry_token": "CARGO_REGISTRY_TOKEN", "uv_index_x_password": "UV_INDEX_X_PASSWORD", "node_auth_token": "NODE_AUTH_TOKEN", "google_api_key": "GOOGLE_API_KEY",
		"aws_secret_access_key": "AWS_SECRET_ACCESS_KEY", "ldap_password": "LDAP_PASSWORD", "ssh_private_key": "SSH_PRIVATE_KEY", "http_basic_auth": "HTTP_BASIC_AUTH",
	} {
		require.Equal(t, want, variableOf(key))
		require.True(t, isVariable(want))
		require.False(t, isReserved(want), want)
	}
	for _, key := range []string{"9x", "a b", "é", "a=b", "a/b", "%", "ſ", "BASH_FUNC_x%%", "a\n"} {
		require.False(t, isVariable(variableOf(key)), "%q", key)
	}
	for _, key := range []string{
		"path", "Path", "ld_preload", "LD_LIBRARY_PATH", "ld-audit", "dyld_insert_libraries", "bash_env", "env", "ifs", "node_options", "pythonpath", "PERL5OPT",
		"rubyopt", "java_tool_options", "_java_options", "git_ssh_command", "pgpassword", "PGHOST", "pgoptions", "DATABASE_URL", "database-url", "sp_trust", "sp.dir",
		"systemprompt_profile", "home", "ps4", "prompt_command", "uid", "glibc_tunables", "npm_config_script-shell",
		"psqlrc", "psql_pager", "psql_editor", "psql_watch_pager", "lessopen", "lessclose", "manpager", "aws_pager", "hgeditor", "makeflags", "makefiles", "openssl_conf", "krb5_config",
		"perllib", "rubylib", "rustc", "rustflags", "rustc_wrapper", "cargo_home", "cargo_build_rustc_wrapper", "cargo_registry_credential_provider", "goflags", "goproxy", "maven_opts",
		"gradle_opts", "java_opts", "java_home", "lua_init_5_4", "erl_aflags", "elixir_erl_options", "gunicorn_cmd_args", "pytest_addopts", "pip_index_url", "tar_options",
		"fzf_default_command", "rsync_rsh", "coreclr_profiler_path", "prisma_query_engine_library", "prisma_engines_mirror", "https_proxy", "ssl_cert_file", "hostaliases",
		"sudo_askpass", "perl_mm_opt", "xz_opt",
	} {
		require.True(t, isReserved(variableOf(key)), key)
	}
}
