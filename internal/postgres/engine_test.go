package postgres

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newEngine is as much of an engine as a real docker needs to be asked: the container and
// the volume that it is told of. No machine of tests runs a whole one.
func newEngine(t *testing.T, containers, volumes []map[string]any) (host string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // a short path, for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket, err := net.Listen("unix", filepath.Join(dir, "docker.sock"))
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.50")
		var answer any
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/version"):
			answer = map[string]any{"Version": "28.2.2", "ApiVersion": "1.50", "MinAPIVersion": "1.24", "Os": "linux"}
		case strings.HasSuffix(path, "/containers/json"):
			answer = containers
		case strings.HasSuffix(path, "/volumes"):
			answer = map[string]any{"Volumes": volumes}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})}
	go func() { _ = server.Serve(socket) }()
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + socket.Addr().String()
}

// The templates in which docker is asked are read by docker itself.
func TestTheRealClientUnderstandsWhatItIsAsked(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("no docker here: the client alone would do")
	}
	ours, other := map[string]any{label: "/a b/.systemprompt"}, map[string]any{label: "/other"}
	engine := func(state string, volumes ...map[string]any) Docker {
		var containers []map[string]any
		if state != "" {
			containers = append(containers, map[string]any{"Id": "4f1d", "Names": []string{"/" + Container}, "State": state, "Labels": ours})
		}
		return Docker{Program: program, Owner: "/a b/.systemprompt", Env: []string{"HOME=" + t.TempDir(), "DOCKER_HOST=" + newEngine(t, containers, volumes)}}
	}
	version, err := engine("").Engine(soon(t))
	require.NoError(t, err)
	require.Equal(t, "28.2.2", version)
	for _, state := range []string{"running", "exited", ""} {
		d := engine(state)
		c, err := d.own(soon(t))
		require.NoError(t, err)
		require.Equal(t, state, c.state)
		d.Owner = "/other"
		_, err = d.own(soon(t))
		require.Equal(t, state != "", err != nil)
	}
	longer := map[string]any{"Name": volume + "-2", "Labels": other}
	found, err := engine("", longer, map[string]any{"Name": volume, "Labels": ours}).hasVolume(soon(t))
	require.NoError(t, err)
	require.True(t, found)
	found, err = engine("", longer).hasVolume(soon(t))
	require.NoError(t, err)
	require.False(t, found)
	for _, theirs := range []map[string]any{{"Name": volume, "Labels": other}, {"Name": volume}} {
		_, err = engine("", theirs).hasVolume(soon(t))
		require.ErrorIs(t, err, ErrTaken)
	}

	d := Docker{Program: program, Env: []string{"HOME=" + t.TempDir(), "DOCKER_HOST=unix:///nowhere/docker.sock"}}
	_, err = d.Engine(soon(t))
	require.ErrorIs(t, err, ErrNone)
	require.NotContains(t, err.Error(), "/nowhere")
}
