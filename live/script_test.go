package live

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata/script")

// TestScripts runs the manual of databases, from the outside.
func TestScripts(t *testing.T) {
	t.Parallel()
	number := pgtest.Exec(t, pgtest.Server(t), "SELECT current_setting('server_version_num')::int / 10000")[0]
	major, err := strconv.Atoi(number)
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(os.Getenv(homeVariable), "testdata", "script"),
		WorkdirRoot:         workRoot(t),
		Setup:               func(env *testscript.Env) error { return hermetic(t, env) },
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition(major),
		Cmds:                scriptCommands(),
	})
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := harness.ScriptCommands()
	maps.Copy(all, map[string]func(*testscript.TestScript, bool, []string){
		"adopted":   makeAdopted,
		"agree":     agrees,
		"ask":       ask,
		"call":      call,
		"docker":    fakeDocker,
		"fail-last": failLast,
		"interrupt": interrupt,
		"keep":      keep,
		"placed":    placed,
		"plane":     runPlane,
		"refuses":   isRefused,
		"same":      isSame,
		"session":   openSession,
		"ended":     sessionEnded,
		"secret":    isSecret,
		"sign-in":   signIn,
		"typed":     typed,
	})
	return all
}

// condition knows [start]: the tests started their server, and have its log and another
// that checks no passwords; and [before:N]: the server is of an older version.
func condition(major int) func(string) (bool, error) {
	return func(name string) (bool, error) {
		if name == "start" {
			return os.Getenv(liveVariable) == "start", nil
		}
		if version, found := strings.CutPrefix(name, "before:"); found {
			n, err := strconv.Atoi(version)
			return major < n, err
		}
		return false, fmt.Errorf("there is no condition %s", name)
	}
}

func workRoot(t *testing.T) string {
	t.Helper()
	root := filepath.Join(os.Getenv(dataVariable), "work")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// hermetic gives a script an environment that owes nothing to the machine's, but the
// programs of PostgreSQL and the URLs of the tests' server: of ADMIN, who may make
// databases and roles there and no more, of SUPER, who may do anything, and of TRUST, a
// superuser where nobody checks a password. What ADMIN has made goes at the end.
func hermetic(t *testing.T, env *testscript.Env) error {
	name := "live_" + regexp.MustCompile(`\W`).ReplaceAllString(filepath.Base(env.WorkDir), "_")
	super := pgtest.Server(t)
	admin, err := makeAdmin(super, name)
	if err != nil {
		return err
	}
	home := os.Getenv(homeVariable)
	env.Vars = append(plainEnvironment(env.WorkDir), "SPD_DIR="+filepath.Join(env.WorkDir, "spd"), "ADMIN="+admin.Reveal(), "ADMIN_ROLE="+name, "SUPER="+super.Reveal(), "DOCKER="+filepath.Join(home, "docker"))
	if os.Getenv(liveVariable) == "start" {
		env.Vars = append(env.Vars, "LOG="+pgtest.Log(t), "TRUST="+pgtest.Trust(t).Reveal())
	}
	env.Values[sessionKey{}], env.Values[planeKey{}] = new(*pgconn.PgConn), new(plane)
	env.Defer(func() {
		if err := errors.Join(endServers(env.WorkDir), dropAll(super, name)); err != nil {
			t.Error(err)
		}
	})
	return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o755)
}

// plainEnvironment is that of somebody who has PostgreSQL's programs and nothing else.
func plainEnvironment(dir string) []string {
	return harness.Environment(filepath.Join(dir, "home"),
		"PATH="+filepath.Join(os.Getenv(homeVariable), "bin"),
		"TMPDIR="+os.Getenv(dataVariable),
		"WORK="+dir,
		"SP_POSTGRES_BIN="+programs(),
		"SP_LOCK_TIMEOUT=60s", // where two commands meet on a busy machine
	)
}
