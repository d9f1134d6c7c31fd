package torture

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// madeBy are the calls that give a file of the directory its name, with that.
var madeBy = regexp.MustCompile(`(?:openat?\(.*"([^"]+\.systemprompt/[^"]+)", [^,]*O_CREAT|(?:rename|link|mkdir)\w*\(.*"([^"]+\.systemprompt/[^"]+)")`)

// TestGitIgnoresEveryFileThatIsWritten gathers, with strace, every name that sp gives a file
// of its directory while it does what it can, and asks git about each, and about the data
// of a server: none may be taken, but .gitignore and profile.yaml. It begins without a
// .gitignore, with the original's, and with one that a checkout takes away.
func TestGitIgnoresEveryFileThatIsWritten(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedStrace(t)
	harness.Need(t, "git")
	t.Parallel()
	for name, before := range map[string]string{
		"none": "", "the original's": "credentials.json\ntenants.json\n**/secrets.json\ndocker/\nstorage/\n", "all": "*\n", "gone": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newGate(t)
			git := func(args ...string) string {
				cmd := exec.Command("git", args...)
				cmd.Dir, cmd.Env = p.Dir, p.Env
				out, err := cmd.Output()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 1 {
					require.NoError(t, err)
				}
				return string(out)
			}
			git("init", "-q")
			if before != "" {
				require.NoError(t, os.Mkdir(p.Store(""), 0o700))
				require.NoError(t, os.WriteFile(p.Store(".gitignore"), []byte(before), 0o644))
			}
			require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(manyTenants(3)), 0o600))
			made := map[string]bool{"postgres/data/PG_VERSION": true, "postgres/log": true, "docker/shared.yaml": true, "docker/shared.env": true}
			for _, line := range []string{
				"import in.json", "export", "tenant select t1", "profile create p", "session switch p", "secrets set openai --file in.json",
				"profile edit p --name q", "tenant edit t1 --database-url postgres://h/x", "undo", "backup " + filepath.Join(p.Dir, "b.db"), "restore b.db -y",
				"import --set-aside",
			} {
				if name == "gone" {
					_ = os.Remove(p.Store(".gitignore"))
				}
				if line == "import --set-aside" {
					require.NoError(t, os.WriteFile(p.Store("tenants.json"), []byte("{"), 0o600))
				}
				o, log := p.Traced(strings.Fields(line), "-s", "4096")
				require.Zero(t, o.Exit, "%s: %s", line, o.Stderr)
				for call := range strings.Lines(log) {
					for _, found := range madeBy.FindAllStringSubmatch(call, -1) {
						for _, path := range found[1:] {
							if _, inside, ok := strings.Cut(path, ".systemprompt/"); ok {
								made[inside] = true
							}
						}
					}
				}
			}
			require.Greater(t, len(made), 15, "what was gathered?")
			for _, path := range []string{"sp.db", "tenants.json", "profiles/p/secrets.json", "sessions/index.json"} {
				require.True(t, made[path], path)
			}
			for path := range made {
				public := path == ".gitignore" || strings.HasSuffix(path, "/profile.yaml")
				isDir := path == "profiles" || path == "sessions" || strings.Count(path, "/") == 1 && strings.HasPrefix(path, "profiles/")
				if public || isDir {
					continue
				}
				require.NotEmpty(t, git("check-ignore", "--no-index", "--", filepath.Join(".systemprompt", path)), "git would take %s", path)
			}
			taken := strings.Fields(strings.ReplaceAll(git("add", "-A", "-n", "--", ".systemprompt"), "add '", ""))
			for _, path := range taken {
				path = strings.TrimSuffix(path, "'")
				require.True(t, slices.Contains([]string{".systemprompt/.gitignore"}, path) || strings.HasSuffix(path, "/profile.yaml"), path)
			}
		})
	}
}
