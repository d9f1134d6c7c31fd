package live

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// host is a machine on which a control plane runs, with an administrator of its own on the tests'
// server.
type host struct {
	t            *testing.T
	name, root   string
	env          []string
	super, admin secret.Secret
	plane        *plane
	doom         atomic.Int64  // how many calls it has yet to make until it is killed
	calls        *os.File      // where strace tells of them
	followed     chan struct{} // says that all of those have been counted
	killed       func()        // what is looked at when it was, before it is started again
	prepared     func(i int)   // what is done before something is asked of one that is about to be killed
}

// account is somebody who asks the control plane.
type account struct{ id, token string }

func newHost(t *testing.T, name string) *host {
	t.Helper()
	h := &host{t: t, name: name, root: filepath.Join(workRoot(t), name), super: pgtest.Server(t)}
	h.env = append(plainEnvironment(h.root), "SPD_DIR="+h.dir())
	require.NoError(t, os.MkdirAll(filepath.Join(h.root, "home"), 0o755))
	admin, err := makeAdmin(h.super, "live_"+name)
	require.NoError(t, err)
	h.admin = admin
	t.Cleanup(func() { require.NoError(t, dropAll(h.super, "live_"+name)) })
	t.Cleanup(func() {
		if h.plane != nil {
			require.NoError(t, h.plane.stop())
		}
	})
	return h
}

func (h *host) dir() string      { return filepath.Join(h.root, "spd") }
func (h *host) registry() string { return filepath.Join(h.dir(), "sp.db") }

// serving prepares `spd ARGUMENT...`.
func (h *host) serving(args ...string) *exec.Cmd {
	cmd := exec.Command(spd(), args...)
	cmd.Dir, cmd.Env = h.root, h.env
	return cmd
}

// start has spd serve.
func (h *host) start() {
	h.t.Helper()
	h.startAs(h.serving("--listen", "127.0.0.1:0"))
}

// startAs has it serve as a process that was prepared.
func (h *host) startAs(cmd *exec.Cmd) {
	h.t.Helper()
	started, err := startPlane(cmd)
	require.NoError(h.t, err)
	h.plane = started
}

// runs tells whether it serves still.
func (h *host) runs() bool {
	select {
	case <-h.plane.end:
		return false
	default:
		return true
	}
}

// command runs a command of spd, which has to work.
func (h *host) command(args ...string) answer {
	h.t.Helper()
	return h.told("", args...)
}

func (h *host) told(stdin string, args ...string) answer {
	h.t.Helper()
	cmd := h.serving(args...)
	cmd.Stdin = strings.NewReader(stdin)
	o, err := harness.Run(cmd)
	require.NoError(h.t, err)
	require.Zero(h.t, o.Exit, "spd %s: %s", strings.Join(args, " "), o.Stderr)
	return answer{text: []byte(o.Stdout)}
}

func (h *host) addRegion(code string, admin secret.Secret) {
	h.t.Helper()
	h.told(admin.Reveal(), "region", "add", code, "--server-stdin")
}

// user adds a user with a token.
func (h *host) user(name, role, scopes string) account {
	h.t.Helper()
	id := h.command("user", "add", name, "--role", role, "--json").member("user.id")
	return account{id, h.command("token", "create", name, "--scopes", scopes, "--json").member("token")}
}

// ask asks as somebody, and wants an answer with a status.
func (h *host) ask(who account, status int, method, path, body string, headers ...string) answer {
	h.t.Helper()
	a, err := callPlane(h.t.Context(), h.plane.url, who.token, method, path, body, headers...)
	require.NoError(h.t, err, "%s %s: %s", method, path, h.plane.said)
	require.Equal(h.t, status, a.status, "%s %s: %s", method, path, a.text)
	return a
}

// ready makes a tenant, and waits for its database.
func (h *host) ready(who account, name string) (id string) {
	h.t.Helper()
	id = h.ask(who, 202, "POST", "/api/v1/tenants", `{"name":"`+name+`","region":"iad"}`).member("data.id")
	h.awaitReady(who, id)
	return id
}

func (h *host) awaitReady(who account, id string) {
	h.t.Helper()
	h.await(func() bool {
		return h.ask(who, 200, "GET", "/api/v1/tenants/"+id+"/status", "").member("data.status") == "ready"
	})
}

// await waits until something is so.
func (h *host) await(isSo func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); !isSo(); time.Sleep(10 * time.Millisecond) {
		require.True(h.t, time.Now().Before(deadline), "not so within a minute: %s", h.plane.said)
	}
}

// url is what opens a tenant's database, by the control plane.
func (h *host) url(who account, id string) secret.Secret {
	h.t.Helper()
	return secret.New(h.ask(who, 200, "GET", "/api/v1/tenants/"+id+"/credentials", "").member("internal_database_url"))
}

// agree wants the server to hold what the registry knows, and nothing else, once the control plane has
// done the step that it is at.
func (h *host) agree() {
	h.t.Helper()
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = agreesWith(h.registry(), h.admin); err == nil {
			return
		}
	}
	require.NoError(h.t, err)
}
