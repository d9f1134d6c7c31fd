package live

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/harness/openapi"
	"github.com/sp-registry/sp/internal/pgtest"
)

// quick are the ways in which a request goes wrong without anybody having to wait for more than a second.
var quick = []string{"close", "close", "cut", "401", "429", "500", "502", "503", "504", "garbage", "redirect"}

// TestRotationsThroughABadNetworkLoseNoCredential: what is here after the command worked opens the database,
// and is what the control plane has.
func TestRotationsThroughABadNetworkLoseNoCredential(t *testing.T) {
	t.Parallel()
	pgtest.Server(t)
	c := newStranger(t, "cloud_weather")
	proxy := httptest.NewUnstartedServer(nil)
	t.Cleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	at := "http://" + proxy.Listener.Addr().String()
	behind, err := url.Parse(c.plane.plane.url)
	require.NoError(t, err)
	require.NoError(t, c.plane.plane.stop())
	c.plane.startAs(c.plane.serving("--listen", behind.Host, "--url", at))
	c.plane.plane.url = behind.String() // it names the proxy
	home := os.Getenv(homeVariable)
	described, err := openapi.Read(filepath.Join(home, "openapi.yaml"), filepath.Join(home, "contract.yaml"))
	require.NoError(t, err)
	weather := &harness.Weather{Behind: described.Check(t, httputil.NewSingleHostReverseProxy(behind)), Kinds: quick, Seen: map[string]int{}, RetryAfter: "1"}
	proxy.Config.Handler = weather
	proxy.Start()
	cmd := c.Command("login", "--token-stdin", at)
	cmd.Stdin = strings.NewReader(c.who.token)
	o := c.Ran(cmd)
	require.Zero(t, o.Exit, o.Stderr)
	for seed := range 4 {
		weather.Change(seed)
		made := strings.TrimSpace(c.persist("tenant", "create", "--region", "iad", "--name", id(seed)))
		require.Equal(t, made, c.has(id(seed)))
		before := c.url(made)
		if seed == 0 {
			weather.Next("429", "503", "stall") // which takes until sp gives up on that request
		}
		c.persist("tenant", "rotate-credentials", made, "-y", "--now")
		require.Equal(t, made, c.has(id(seed)))
		c.plane.await(func() bool { return !opens(before) })
		c.persist("tenant", "rotate-sync-token", made, "-y")
		c.isWhole(made)
		c.persist("tenant", "delete", made, "-y")
	}
	c.plane.await(func() bool { return agreesWith(c.plane.registry(), c.plane.admin) == nil })
	t.Log(weather.Seen)
	require.Positive(t, weather.Seen[harness.Cut], "no stream was cut while a tenant was made")
}

// persist runs a command until it works. Until then it says that it is the control plane's fault.
func (c *client) persist(args ...string) string {
	c.T.Helper()
	for range 30 {
		o := c.Run(args...)
		for _, never := range append(c.passwords(), c.who.token, "canary") {
			require.NotContains(c.T, o.Stdout+o.Stderr, never)
		}
		if o.Exit == 0 {
			return o.Stdout
		}
		require.Equal(c.T, 9, o.Exit, "%v: %s", args, o.Stderr)
	}
	require.Fail(c.T, "it never works", "%v", args)
	return ""
}
