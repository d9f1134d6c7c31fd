package live

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
)

// browser is what a person uses to answer about a login: it has cookies, and follows redirects.
type browser struct {
	t require.TestingT
	*http.Client
}

func newBrowser(t require.TestingT) browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return browser{t, &http.Client{Jar: jar}}
}

// page is a page and where it is.
type page struct{ url, text string }

func (b browser) read(response *http.Response, err error) page {
	require.NoError(b.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	require.Equal(b.t, http.StatusOK, response.StatusCode, "%s", text)
	return page{response.Request.URL.String(), string(text)}
}

func (b browser) open(url string) page {
	return b.read(b.Get(url)) //nolint:noctx // of a test
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// press sends the form of a page: pairs of a name and what is entered, or of the button.
func (b browser) press(p page, pairs ...string) page {
	form := url.Values{}
	for _, input := range hidden.FindAllStringSubmatch(p.text, -1) {
		form.Set(input[1], input[2])
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.read(b.PostForm(p.url, form)) //nolint:noctx // of a test
}

// loginByDevice logs in with a code that is entered elsewhere.
func (c *client) loginByDevice(joinCode string) {
	c.T.Helper()
	cmd := c.Command("login", "--device", c.plane.plane.url)
	stderr, err := cmd.StderrPipe()
	require.NoError(c.T, err)
	require.NoError(c.T, cmd.Start())
	said := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said += lines.Text() + "\n"
		_, to, found := strings.Cut(lines.Text(), "or open ")
		if !found {
			continue
		}
		b := newBrowser(c.T)
		require.Contains(c.T, b.press(b.open(to), "action", "sign-in", "code", joinCode).text, "You are done here")
	}
	require.NoError(c.T, cmd.Wait(), said)
}

// expire puts a token into the login whose time is over.
func (c *client) expire() {
	c.T.Helper()
	path := c.Store("credentials.json")
	text, err := os.ReadFile(path)
	require.NoError(c.T, err)
	var login struct {
		Token string `json:"api_token"`
	}
	require.NoError(c.T, json.Unmarshal(text, &login))
	over := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1}`)) + ".x"
	require.NoError(c.T, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), login.Token, over)), 0o600))
}

// TestManyCommandsAtOnceRefreshALoginOnce, and each of them works.
func TestManyCommandsAtOnceRefreshALoginOnce(t *testing.T) {
	t.Parallel()
	pgtest.Server(t)
	c := newStranger(t, "cloud_refresh")
	c.loginByDevice(c.plane.command("user", "code", "anna", "--json").member("join_code"))
	require.Contains(t, c.must("whoami"), "token\trenewed as needed")
	refreshed := func() []string {
		used, err := askedOf(c.plane.dir()+"/serve.db", `SELECT used FROM logins`)
		require.NoError(t, err)
		return used
	}
	require.Equal(t, []string{"0"}, refreshed())
	c.Env = append(c.Env, "SP_TRUST="+c.Store("")) // there is no receipt for the token that expire puts there
	const many = 16
	for round := range 3 {
		c.expire()
		ended := make(chan harness.Outcome, many)
		for range many {
			go func() {
				o, err := harness.Run(c.Command("tenant", "list", "--prune"))
				if err != nil {
					o = harness.Outcome{Exit: -1, Stderr: err.Error()}
				}
				ended <- o
			}()
		}
		for range many {
			o := <-ended
			require.Zero(t, o.Exit, o.Stderr)
			require.Empty(t, o.Stderr)
		}
		require.Equal(t, []string{string(rune('1' + round))}, refreshed())
	}
	c.must("cloud", "status")
}
