package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeDocker is a project's Docker by the program of testdata, and what that keeps.
type fakeDocker struct {
	Docker
	t    *testing.T
	keep string
}

func newFakeDocker(t *testing.T) fakeDocker {
	t.Helper()
	dir := t.TempDir()
	program, err := filepath.Abs("testdata/docker")
	require.NoError(t, err)
	f := fakeDocker{t: t, keep: filepath.Join(dir, "engine of tests")}
	require.NoError(t, os.Mkdir(f.keep, 0o700))
	f.Docker = Docker{
		Dir: filepath.Join(dir, "docker"), Program: program, Port: mustFreePort(t), Password: password, Owner: dir,
		Env: []string{"PATH=" + os.Getenv("PATH"), "FAKE_DOCKER=" + f.keep},
	}
	return f
}

// has puts a file into what the program keeps, which makes it behave otherwise.
func (f fakeDocker) has(name, text string) {
	f.t.Helper()
	mustWrite(f.t, filepath.Join(f.keep, name), text)
}

func (f fakeDocker) hasNot(name string) {
	f.t.Helper()
	require.NoError(f.t, os.RemoveAll(filepath.Join(f.keep, name)))
}

// hasContainer is one that is there already, and its volume.
func (f fakeDocker) hasContainer(state, owner string) {
	f.t.Helper()
	f.has("engine/state", state+"\n")
	f.has("engine/label", owner+"\n")
	f.has("engine/volume", owner+"\n")
}

// calls are what docker was called with since the last look, without what only asks.
func (f fakeDocker) calls() []string {
	f.t.Helper()
	text := mustRead(f.t, filepath.Join(f.keep, "calls"))
	f.hasNot("calls")
	require.NotContains(f.t, text, password.Reveal(), "in an argument")
	var did []string
	for _, call := range strings.Split(strings.TrimSpace(text), "\n") {
		switch {
		case strings.HasPrefix(call, "ps "), strings.Contains(call, " inspect "), strings.HasPrefix(call, "volume ls "), strings.HasPrefix(call, "network ls "), call == "compose version":
		default:
			did = append(did, call)
		}
	}
	return did
}

// volumeCreate is the call that makes the volume.
func (f fakeDocker) volumeCreate() string {
	return "volume create --label io.systemprompt.directory=" + f.owner() +
		" --label com.docker.compose.project=systemprompt-shared-db --label com.docker.compose.volume=data systemprompt-shared-db-data"
}

func (f fakeDocker) up() error {
	f.t.Helper()
	err := f.Up(soon(f.t), answering)
	requireNoSecret(f.t, err)
	return err
}

func answering(context.Context) error { return nil }
