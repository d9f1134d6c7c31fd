package postgres

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// realDocker is an engine that runs here, which SP_TEST_DOCKER allows: on a machine where
// sp has no container, for its only one is made and removed. It may have to fetch the image.
type realDocker struct {
	Docker
	t *testing.T
}

func newRealDocker(t *testing.T, compose bool) realDocker {
	t.Helper()
	if os.Getenv("SP_TEST_DOCKER") == "" {
		t.Skip("make test-docker runs it")
	}
	program, err := exec.LookPath("docker")
	require.NoError(t, err)
	dir := t.TempDir()
	if !compose {
		own := filepath.Join(dir, "bin", "docker")
		mustProgram(t, own, "[ \"$1\" != compose ] || exit 1\nexec '"+program+"' \"$@\"")
		program = own
	}
	d := realDocker{t: t, Docker: Docker{
		Dir: filepath.Join(dir, "docker"), Program: program, Port: mustFreePort(t), Password: password, Env: os.Environ(), Owner: dir,
	}}
	if _, err := d.ask(soon(t), "compose", "version"); compose && err != nil {
		t.Skip("this docker has no compose")
	}
	require.Empty(t, d.must("ps", "--all", "--quiet", "--filter", "name="+Container), "a container is there, and not the tests'")
	require.Empty(t, d.must("volume", "ls", "--quiet", "--filter", "name="+volume), "a volume is there, and not the tests'")
	t.Cleanup(func() {
		for _, args := range [][]string{
			{"rm", "--force", "--volumes", Container}, {"volume", "rm", "--force", volume}, {"network", "rm", Container + "_default"},
		} {
			_, _, _ = d.command(args...).run(context.Background()) // not all of it is there
		}
	})
	return d
}

// must has docker do what somebody does beside sp.
func (d realDocker) must(args ...string) string {
	d.t.Helper()
	out, said, err := d.command(args...).run(d.t.Context())
	require.NoError(d.t, err, said)
	return strings.TrimSpace(out)
}

// up brings the server up and answers with the rows of a query, by its published port.
func (d realDocker) up(query string) string {
	d.t.Helper()
	var rows string
	require.NoError(d.t, d.Up(d.t.Context(), func(context.Context) (err error) {
		rows, err = ask(d.t, DockerURL(d.Port, d.Password), query)
		return err
	}))
	return rows
}

func (d realDocker) down() {
	d.t.Helper()
	require.NoError(d.t, d.Down(soon(d.t)))
	runs, err := d.Running(soon(d.t))
	require.NoError(d.t, err)
	require.False(d.t, runs)
}

func TestARealDockerKeepsTheServer(t *testing.T) {
	for name, compose := range map[string]bool{"compose": true, "run": false} {
		t.Run(name, func(t *testing.T) {
			d := newRealDocker(t, compose)
			d.up("CREATE TABLE kept ()")
			require.Equal(t, "map[5432/tcp:[{127.0.0.1 "+strconv.Itoa(d.Port)+"}]]", d.must("inspect", "--format", "{{.HostConfig.PortBindings}}", Container))
			for trouble, happens := range map[string]func(){
				"stopped": d.down,
				"paused":  func() { d.must("pause", Container) },
				"killed":  func() { d.must("kill", Container) },
				"crashed": func() { _, _, _ = d.command("exec", Container, "sh", "-c", "kill -QUIT 1").run(t.Context()) }, // and perhaps this with it
				"removed": func() { d.must("rm", "--force", Container) },
			} {
				happens()
				require.Empty(t, d.up("TABLE kept"), trouble)
			}
			d.must("pause", Container)
			d.down()
			other, err := net.Listen("tcp4", address(d.Port))
			require.NoError(t, err)
			require.ErrorIs(t, d.Up(soon(t), answering), ErrTaken)
			require.NoError(t, other.Close())
			require.Empty(t, d.up("TABLE kept"))
			requireNothingLeft(t, d)
			requireNotOurs(t, d)
		})
	}
}

// requireNothingLeft wants all of it gone from the engine once it is removed, and that it can be made again.
func requireNothingLeft(t *testing.T, d realDocker) {
	t.Helper()
	require.NoError(t, d.Remove(t.Context()))
	for _, kind := range []string{"container", "volume", "network"} {
		require.Empty(t, d.must(kind, "ls", "--quiet", "--filter", "name="+Container), kind)
	}
	d.up("CREATE TABLE kept ()")
}

// requireNotOurs wants another project, and a container that sp has not made, kept apart.
func requireNotOurs(t *testing.T, d realDocker) {
	t.Helper()
	other := d
	other.Owner, other.Dir = "/other", filepath.Join(t.TempDir(), "docker")
	require.ErrorContains(t, other.Up(soon(t), answering), "container "+Container+": it belongs to "+d.Owner)
	d.must("rm", "--force", Container)
	require.ErrorContains(t, other.Up(soon(t), answering), "volume "+volume+": it belongs to "+d.Owner)
	d.must("create", "--name", Container, release)
	require.ErrorContains(t, d.Up(soon(t), answering), "something else than sp made it")
}
