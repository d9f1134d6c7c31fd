package live

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// scene is a project whose databases are made on the tests' server as an administrator of
// its own, or by a server of its own.
type scene struct {
	t            *testing.T
	root, dir    string // where all of it is, and the project
	env          []string
	fake         string // where an engine of Docker would keep what it has, if there is one
	super, admin secret.Secret
}

func newScene(t *testing.T, name string) *scene {
	t.Helper()
	s := &scene{t: t, super: pgtest.Server(t), root: filepath.Join(workRoot(t), name)}
	s.dir = s.root
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "home"), 0o755))
	s.env = plainEnvironment(s.dir)
	t.Cleanup(func() { require.NoError(t, endServers(s.root)) })
	return s
}

// withAdmin has the databases made on the tests' server.
func (s *scene) withAdmin(role string) *scene {
	s.t.Helper()
	admin, err := makeAdmin(s.super, role)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, dropAll(s.super, role)) })
	s.admin, s.env = admin, append(s.env, "SP_POSTGRES_ADMIN_URL="+admin.Reveal())
	return s
}

// withDocker gives it a docker whose containers are servers of this machine's programs.
func (s *scene) withDocker() *scene {
	s.t.Helper()
	s.fake = filepath.Join(s.root, "fake")
	bin := filepath.Join(s.fake, "bin")
	require.NoError(s.t, os.MkdirAll(bin, 0o755))
	require.NoError(s.t, os.Symlink(filepath.Join(os.Getenv(homeVariable), "docker"), filepath.Join(bin, "docker")))
	s.env = append(s.env, "FAKE_DOCKER="+s.fake, "FAKE_DOCKER_POSTGRES="+programs(),
		"PATH="+bin+":"+filepath.Join(os.Getenv(homeVariable), "bin"))
	return s
}

// outcome is what a process left behind; exit is -1 for one that a signal ended.
type outcome struct {
	exit           int
	stdout, stderr string
}

func (s *scene) run(program string, args ...string) outcome {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); !errors.As(err, &ended) {
		require.NoError(s.t, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// start is run for an sp that is to be killed. What it left comes when it has ended.
func (s *scene) start(args ...string) (kill func(), ended <-chan outcome) {
	s.t.Helper()
	cmd := exec.Command(sp(), args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	require.NoError(s.t, cmd.Start())
	end := make(chan outcome, 1)
	go func() {
		_ = cmd.Wait()
		end <- outcome{exit: cmd.ProcessState.ExitCode()}
	}()
	return func() { _ = cmd.Process.Kill() }, end
}

func sp() string { return filepath.Join(os.Getenv(homeVariable), "bin", "sp") }

func (s *scene) sp(args ...string) outcome {
	s.t.Helper()
	return s.run(sp(), args...)
}

func (s *scene) must(args ...string) string {
	s.t.Helper()
	o := s.sp(args...)
	require.Zero(s.t, o.exit, "sp %s: %s%s", strings.Join(args, " "), o.stdout, o.stderr)
	return strings.TrimSuffix(o.stdout, "\n")
}

// agree wants the servers to hold what the registry knows, and nothing else.
func (s *scene) agree() {
	s.t.Helper()
	require.NoError(s.t, checkAgreement(s.dir, s.admin))
}

func (s *scene) isThere(id string) bool {
	s.t.Helper()
	o := s.sp("tenant", "show", id)
	require.Contains(s.t, []int{0, 3}, o.exit, o.stderr)
	return o.exit == 0
}

// url is the URL that is recorded for a tenant.
func (s *scene) url(id string) secret.Secret {
	s.t.Helper()
	return secret.New(s.must("resolve", "--tenant", id))
}

// passwords are all that the registry knows, and the administrator's.
func (s *scene) passwords() (all []string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, ".systemprompt", "sp.db"))
	if !os.IsNotExist(err) {
		require.NoError(s.t, err)
	}
	for _, found := range inURLs.FindAllSubmatch(text, -1) {
		all = append(all, string(found[1]))
	}
	if !s.admin.Empty() {
		all = append(all, passwordOf(s.admin).Reveal())
	}
	return all
}

// opens tells whether a URL leads to a database.
func opens(url secret.Secret) bool {
	_, err := pgtest.Try(url, `SELECT 1`)
	return err == nil
}

// isExported wants tenants.json to have a tenant's URL.
func (s *scene) isExported(id string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, ".systemprompt", "tenants.json"))
	require.NoError(s.t, err)
	require.Contains(s.t, string(text), s.url(id).Reveal())
}
