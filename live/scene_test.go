package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// scene is a project whose databases are made on the tests' server as an administrator of
// its own, or by a server of its own.
type scene struct {
	harness.Place
	root         string // where all of it is, also what is not the project
	fake         string // where an engine of Docker would keep what it has, if there is one
	super, admin secret.Secret
}

func newScene(t *testing.T, name string) *scene {
	t.Helper()
	root := filepath.Join(workRoot(t), name)
	s := &scene{Place: harness.Place{T: t, SP: sp(), Dir: root, Env: plainEnvironment(root)}, root: root, super: pgtest.Server(t)}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "home"), 0o755))
	t.Cleanup(func() { require.NoError(t, endServers(s.root)) })
	return s
}

// withAdmin has the databases made on the tests' server.
func (s *scene) withAdmin(role string) *scene {
	s.T.Helper()
	admin, err := makeAdmin(s.super, role)
	require.NoError(s.T, err)
	s.T.Cleanup(func() { require.NoError(s.T, dropAll(s.super, role)) })
	s.admin, s.Env = admin, append(s.Env, "SP_POSTGRES_ADMIN_URL="+admin.Reveal())
	return s
}

// withDocker gives it a docker whose containers are servers of this machine's programs.
func (s *scene) withDocker() *scene {
	s.T.Helper()
	s.fake = filepath.Join(s.root, "fake")
	bin := filepath.Join(s.fake, "bin")
	require.NoError(s.T, os.MkdirAll(bin, 0o755))
	require.NoError(s.T, os.Symlink(filepath.Join(os.Getenv(homeVariable), "docker"), filepath.Join(bin, "docker")))
	s.Env = append(s.Env, "FAKE_DOCKER="+s.fake, "FAKE_DOCKER_POSTGRES="+programs(),
		"PATH="+bin+":"+filepath.Join(os.Getenv(homeVariable), "bin"))
	return s
}

// start is Run for an sp that is to be killed. What it left comes when it has ended.
func (s *scene) start(args ...string) (kill func(), ended <-chan harness.Outcome) {
	s.T.Helper()
	cmd := s.Command(args...)
	require.NoError(s.T, cmd.Start())
	end := make(chan harness.Outcome, 1)
	go func() {
		_ = cmd.Wait()
		end <- harness.Outcome{Exit: cmd.ProcessState.ExitCode()}
	}()
	return func() { _ = cmd.Process.Kill() }, end
}

func sp() string { return filepath.Join(os.Getenv(homeVariable), "bin", "sp") }

func (s *scene) must(args ...string) string {
	s.T.Helper()
	return strings.TrimSuffix(s.Must(args...), "\n")
}

// agree wants the servers to hold what the registry knows, and nothing else.
func (s *scene) agree() {
	s.T.Helper()
	require.NoError(s.T, checkAgreement(s.Dir, s.admin))
}

func (s *scene) isThere(id string) bool {
	s.T.Helper()
	o := s.Run("tenant", "show", id)
	require.Contains(s.T, []int{0, 3}, o.Exit, o.Stderr)
	return o.Exit == 0
}

// url is the URL that is recorded for a tenant.
func (s *scene) url(id string) secret.Secret {
	s.T.Helper()
	return secret.New(s.must("resolve", "--tenant", id))
}

// passwords are all that the registry knows, and the administrator's.
func (s *scene) passwords() (all []string) {
	s.T.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, ".systemprompt", "sp.db"))
	if !os.IsNotExist(err) {
		require.NoError(s.T, err)
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
	s.T.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, ".systemprompt", "tenants.json"))
	require.NoError(s.T, err)
	require.Contains(s.T, string(text), s.url(id).Reveal())
}
