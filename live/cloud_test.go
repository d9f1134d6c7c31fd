package live

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// client is a project of somebody who is logged in to a control plane.
type client struct {
	*scene
	plane *host
	who   account
}

// newClient has a control plane with a region, and a project that is logged in there and exports.
func newClient(t *testing.T, name string) *client {
	t.Helper()
	c := newStranger(t, name)
	cmd := c.Command("login", "--token-stdin", c.plane.plane.url)
	cmd.Stdin = strings.NewReader(c.who.token)
	o := c.Ran(cmd)
	require.Zero(t, o.Exit, o.Stderr)
	return c
}

// newStranger is that without the login.
func newStranger(t *testing.T, name string) *client {
	t.Helper()
	h := newHost(t, name+"_plane")
	h.addRegion("iad", h.admin)
	c := &client{scene: newScene(t, name), plane: h, who: h.user("anna", "member", "read,write,secrets")}
	h.start()
	c.begun()
	return c
}

// calls are those that a control plane may have to be asked again.
func (c *client) calls() []string {
	c.T.Helper()
	calls, err := askedOf(c.Store("sp.db"), `SELECT kind FROM cloud_calls`)
	require.NoError(c.T, err)
	return calls
}

// has wants exactly one tenant with a name, here and at the control plane, whose credentials here open
// its database; it returns its id.
func (c *client) has(name string) (id string) {
	c.T.Helper()
	query := `SELECT id FROM tenants WHERE name = '` + name + `'`
	here, err := askedOf(c.Store("sp.db"), query)
	require.NoError(c.T, err)
	there, err := askedOf(c.plane.registry(), query)
	require.NoError(c.T, err)
	require.Len(c.T, here, 1)
	require.Equal(c.T, there, here)
	id = here[0]
	require.True(c.T, c.plane.url(c.who, id).Equal(c.url(id)), "the control plane has other credentials")
	require.True(c.T, opens(c.url(id)))
	return id
}

// tokenWorks wants the sync token that is here to be the tenant's at the control plane.
func (c *client) tokenWorks(id string) {
	c.T.Helper()
	tokens, err := askedOf(c.Store("sp.db"), `SELECT sync_token FROM tenants WHERE id = '`+id+`'`)
	require.NoError(c.T, err)
	require.Len(c.T, tokens, 1)
	a, err := callPlane(c.T.Context(), c.plane.plane.url, tokens[0], "GET", "/api/v1/tenants/"+id+"/files", "")
	require.NoError(c.T, err)
	require.Less(c.T, a.status, 300, "%s", a.text)
}

// isWhole wants that nothing of a command is left over: no call, no orphan, no file behind the registry.
func (c *client) isWhole(id string) {
	c.T.Helper()
	require.Empty(c.T, c.calls())
	c.tokenWorks(id)
	c.isExported(id)
	c.plane.agree()
}

// TestAListWaitsThreeSecondsForTheControlPlaneAndHoldsNoLock where that is there and says nothing.
func TestAListWaitsThreeSecondsForTheControlPlaneAndHoldsNoLock(t *testing.T) {
	t.Parallel()
	pgtest.Server(t)
	c := newClient(t, "cloud_stopped")
	require.NoError(t, syscall.Kill(-c.plane.plane.cmd.Process.Pid, syscall.SIGSTOP))
	defer func() { require.NoError(t, syscall.Kill(-c.plane.plane.cmd.Process.Pid, syscall.SIGCONT)) }()
	begun := time.Now()
	listed := make(chan harness.Outcome, 1)
	go func() {
		o, _ := harness.Run(c.Command("tenant", "list"))
		listed <- o
	}()
	for i := range 3 { // at least one of them comes while the list waits
		c.must("tenant", "create", "--no-database", "--name", id(i))
	}
	require.Less(t, time.Since(begun), 3*time.Second, "they had to wait, or the machine is too slow to tell")
	o := <-listed
	require.Less(t, time.Since(begun), 10*time.Second) // 3, on a busy machine
	require.Zero(t, o.Exit, o.Stderr)
	require.Contains(t, o.Stdout, id(0))
	require.Contains(t, o.Stderr, "no answer in time; this list may be out of date")
}

// TestACreationThatIsInterruptedIsGoneOnWith by the same command: the tenant is made meanwhile.
func TestACreationThatIsInterruptedIsGoneOnWith(t *testing.T) {
	t.Parallel()
	pgtest.Server(t)
	c := newClient(t, "cloud_interrupt")
	pgtest.Exec(t, c.plane.super, `ALTER ROLE live_cloud_interrupt_plane NOCREATEDB`)
	create := []string{"tenant", "create", "--region", "iad", "--name", "shop"}
	cmd := c.Command(create...)
	ended := make(chan harness.Outcome, 1)
	go func() {
		o, _ := harness.Run(cmd)
		ended <- o
	}()
	var noted []string
	c.plane.await(func() bool {
		noted, _ = askedOf(c.Store("sp.db"), `SELECT tenant_id FROM cloud_calls WHERE tenant_id IS NOT NULL`)
		return len(noted) == 1
	})
	c.plane.awaitTrouble(c.who, noted[0], "no CREATEDB")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	o := <-ended
	require.Equal(t, 130, o.Exit, o.Stderr)
	require.Contains(t, o.Stderr, "sp: tenant "+noted[0]+" (shop) is still being made; run the same command again to go on\n")
	require.Contains(t, o.Stderr, "ended by SIGINT")
	require.Empty(t, o.Stdout)
	require.Equal(t, 3, c.Run("resolve", "--tenant", "shop").Exit, "none is here without its credentials")
	require.Contains(t, c.Run("tenant", "show", "shop").Stderr, "sp tenant create --region iad --name shop goes on with it")

	pgtest.Exec(t, c.plane.super, `ALTER ROLE live_cloud_interrupt_plane CREATEDB`)
	require.Equal(t, noted[0], c.must(create...))
	require.Equal(t, noted[0], c.has("shop"))
	c.isWhole(noted[0])
}

// TestACreationInTheCloudThatIsKilledMakesOneTenant, wherever it is: the same command goes on with it.
func TestACreationInTheCloudThatIsKilledMakesOneTenant(t *testing.T) {
	needStrace(t)
	t.Parallel()
	c := newClient(t, "cloud_kill_create")
	command := func(i int) []string { return []string{"tenant", "create", "--region", "iad", "--name", id(i)} }
	d := deed{scene: c.scene, begin: command, judge: func(i int, o harness.Outcome) {
		if o.Exit != 0 {
			o = c.Run(command(i)...)
			require.Contains(t, []int{0, 4}, o.Exit, o.Stderr)
		}
		made := c.has(id(i))
		if o.Exit == 4 { // it was stored, and killed behind that
			require.Contains(t, o.Stderr, made)
			c.must("tenant", "provision", made)
		}
		c.isWhole(made)
		c.must("tenant", "delete", made, "-y")
	}}
	d.sweep(d.killing(), 7)
	c.plane.await(func() bool { return agreesWith(c.plane.registry(), c.plane.admin) == nil })
}

// TestARotationInTheCloudThatIsKilledLosesNoCredential: what is here after the same command again is
// what the control plane has.
func TestARotationInTheCloudThatIsKilledLosesNoCredential(t *testing.T) {
	needStrace(t)
	for what, words := range map[string][]string{
		"credentials": {"rotate-credentials", "--now", "-y"},
		"token":       {"rotate-sync-token", "-y"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, "cloud_kill_"+what)
			made := c.must("tenant", "create", "--region", "iad", "--name", "k")
			command := append([]string{"tenant", words[0], made}, words[1:]...)
			var before secret.Secret
			d := deed{scene: c.scene, begin: func(int) []string { before = c.url(made); return command }, judge: func(i int, o harness.Outcome) {
				if o.Exit != 0 {
					c.must(command...)
				}
				require.Equal(t, made, c.has("k"))
				require.Equal(t, what == "token", c.url(made).Equal(before))
				if what == "credentials" {
					c.plane.await(func() bool { return !opens(before) })
				}
				c.isWhole(made)
			}}
			d.sweep(d.killing(), 7)
		})
	}
}
