package live

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// TestSecretsAreOnlyWhereTheyHaveToBe watches the commands that have to do with databases:
// no password of an administrator, of a database that was adopted, or of sp's making is in
// an answer, an error, a file that is not meant for it, or the log of the server, which has
// every statement in it. And all files are closed to others.
func TestSecretsAreOnlyWhereTheyHaveToBe(t *testing.T) {
	t.Parallel()
	s := newScene(t, "canary").withAdmin("live_canary")
	adopted, err := adoptable(s.super, "live_canary_adopted")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dropAdopted(s.super, "live_canary_adopted")) })
	w := &watch{scene: s, secrets: map[string]bool{}}
	w.keep(s.admin)
	w.keep(adopted)
	w.keep(secret.New("postgres://x:wrongmark1234@127.0.0.1:1/x"))
	begin := sizeOfLog(t) // what stands there already are the test's own passwords
	u, err := pgurl.Parse(s.admin)
	require.NoError(t, err)
	wrong := "postgres://live_canary:wrongmark1234@" + u.Addresses()[0].Name + "/postgres"

	for _, line := range watched {
		w.say(strings.Fields(strings.NewReplacer("ADOPTED", adopted.Reveal(), "WRONG", wrong, "ADMIN", s.admin.Reveal()).Replace(line))...)
	}
	require.Greater(t, len(w.secrets), 8, "are these all?")
	w.files()
	if begin >= 0 {
		w.never(pgtest.Log(t), begin)
	}
}

// watched are the commands, of which some are to fail.
var watched = []string{
	"init", "export", "tenant create --name made --id made", "profile create p --tenant made", "tenant rotate-credentials made -y",
	"tenant rotate-credentials made -y --now --json", "tenant create --name adopted --id adopted --database-url ADOPTED",
	"tenant create --name closed --database-url WRONG", "tenant create --name closed --id closed --no-check --database-url WRONG",
	"tenant create --name mine --id mine --provider local", "db use --server WRONG", "db use --server ADMIN",
	"tenant create --name silent --database-url postgres://x:wrongmark1234@127.0.0.1:1/x --json",
	"tenant rotate-credentials adopted -y", "tenant rotate-credentials closed -y", "tenant rotate-credentials mine -y --now",
	"tenant check --all", "tenant check --all --json", "tenant check closed", "db status", "db status --json", "db up --json",
	"tenant list --json", "tenant show made --json", "tenant provision made", "exec made -- ls", "log", "log --json", "log made --json", "status --json", "doctor --json",
	"tenant create --name kept --id kept", "tenant delete kept -y --keep-database", "tenant create --name gone --id gone --json", "undo", "undo -y --json",
	"tenant create --name gone --id gone",
	"tenant delete gone -y --json", "backup copy.db", "tenant delete adopted -y", "db down --json", "tenant check mine", "db up",
}

// sizeOfLog is how much of the server's log is there, -1 where it can't be read.
func sizeOfLog(t *testing.T) int64 {
	t.Helper()
	if os.Getenv(liveVariable) != "start" {
		return -1
	}
	info, err := os.Stat(pgtest.Log(t))
	require.NoError(t, err)
	return info.Size()
}

// TestSecretsOfAContainerAreOnlyWhereTheyHaveToBe: not in what docker is called with either.
// It is not run beside others: a machine has one such container, at the port that docker.txt
// has it at, too.
func TestSecretsOfAContainerAreOnlyWhereTheyHaveToBe(t *testing.T) {
	s := newScene(t, "canary-docker").withDocker()
	w := &watch{scene: s, secrets: map[string]bool{}}
	for _, line := range []string{
		"init", "export", "tenant create --name made --id made", "profile create p --tenant made", "tenant rotate-credentials made -y --now",
		"tenant check made", "db status --json", "db down", "tenant check made", "tenant rotate-credentials made -y", "doctor --json",
	} {
		w.say(strings.Fields(line)...)
	}
	require.Greater(t, len(w.secrets), 3)
	w.never(filepath.Join(s.fake, "calls"), 0)
	require.NoError(t, os.RemoveAll(filepath.Join(s.fake, "engine"))) // what the engine itself was told
	w.files()
}

// watch is a scene in which passwords are looked for.
type watch struct {
	*scene
	secrets map[string]bool
}

func (w *watch) keep(url secret.Secret) { w.secrets[passwordOf(url).Reveal()] = true }

// say runs a command, and remembers the passwords that are recorded behind it.
func (w *watch) say(args ...string) {
	w.T.Helper()
	o := w.Run(args...)
	require.Contains(w.T, []int{0, 2, 4, 9}, o.Exit, "%s%s", o.Stdout, o.Stderr)
	w.learn()
	for secret := range w.secrets {
		require.NotContains(w.T, o.Stdout+o.Stderr, secret, "sp %s", args[0])
	}
}

var inURLs = regexp.MustCompile(`postgres(?:ql)?://[^:@/"\s]+:([^@"\s*]{8,})@`)

// learn looks for passwords in the files that have them.
func (w *watch) learn() {
	w.T.Helper()
	for _, name := range []string{"sp.db", "tenants.json", "profiles/p/secrets.json"} {
		text, err := os.ReadFile(filepath.Join(w.Dir, ".systemprompt", name))
		if err == nil {
			for _, found := range inURLs.FindAllSubmatch(text, -1) {
				w.secrets[string(found[1])] = true
			}
		}
	}
}

// meant tells the files that hold secrets.
func meant(path string) bool {
	return slices.Contains([]string{"sp.db", "sp.db-journal", "tenants.json", "secrets.json", "shared.env", "copy.db"}, filepath.Base(path)) ||
		strings.HasSuffix(path, ".db") && strings.Contains(path, "/backups/")
}

func (w *watch) files() {
	w.T.Helper()
	seen := map[string]bool{}
	root := filepath.Join(w.Dir, ".systemprompt")
	require.NoError(w.T, filepath.WalkDir(w.Dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil // the server removes files of its own
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		shared := entry.Name() == ".gitignore" || entry.Name() == "profile.yaml" // they are for git
		if strings.HasPrefix(path, root) && !shared || entry.Name() == "copy.db" {
			require.Zero(w.T, info.Mode().Perm()&0o077, "%s has mode %v", path, info.Mode())
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		if meant(path) {
			seen[entry.Name()] = true
			return nil
		}
		w.never(path, 0)
		return nil
	}))
	for _, name := range []string{"sp.db", "tenants.json", "secrets.json"} {
		require.True(w.T, seen[name], name)
	}
}

// never wants none of the passwords to be in a file, from there on.
func (w *watch) never(path string, from int64) {
	w.T.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(w.T, err)
	text = text[from:]
	for secret := range w.secrets {
		if at := bytes.Index(text, []byte(secret)); at >= 0 {
			require.Fail(w.T, "a password", "%s: %s", path, fmt.Sprintf("%q", text[max(0, at-80):at]))
		}
	}
}
