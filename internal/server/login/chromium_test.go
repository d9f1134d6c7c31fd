package login

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// chromium is a real browser, in a window as narrow as a phone's, with a profile of its own.
// SP_TEST_CHROMIUM is its program, and SP_TEST_SCREENSHOTS a directory for what it shows.
type chromium struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // what it complains of
}

func newChromium(t *testing.T, scripts bool) *chromium {
	t.Helper()
	program := os.Getenv("SP_TEST_CHROMIUM")
	if program == "" {
		t.Skip("SP_TEST_CHROMIUM is not the program of a Chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	c := &chromium{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, c.listen))
	command(c, log.Enable, cdp.Empty{})
	command(c, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	command(c, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	c.do(chromedp.EmulateViewport(360, 740))
	return c
}

// listen keeps what the console says, and what only a script that got through could do.
func (c *chromium) listen(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if !strings.Contains(e.Entry.Text, "status of 40") { // a page that says no is none
			c.problems = append(c.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *cdpage.EventJavascriptDialogOpening:
		c.problems = append(c.problems, "dialog: "+e.Message)
	}
}

// within bounds how long one step takes.
func (c *chromium) within() context.Context {
	ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
	c.t.Cleanup(cancel)
	return ctx
}

func (c *chromium) do(actions ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	require.NoError(c.t, chromedp.Do(c.within(), actions...), "%q", c.problems)
}

func run[T any](c *chromium, action chromedp.Action[T]) T {
	c.t.Helper()
	got, err := chromedp.Run(c.within(), action)
	require.NoError(c.t, err)
	return got
}

func command[P, R any](c *chromium, cmd cdp.Command[P, R], params P) R {
	c.t.Helper()
	got, err := chromedp.Call(c.within(), cmd, params)
	require.NoError(c.t, err)
	return got
}

// look waits for something that only the page has that comes now, and takes a picture of it. It has to
// be as narrow as the window.
func (c *chromium) look(name, what string) {
	c.t.Helper()
	c.do(chromedp.WaitVisible(what))
	width := command(c, cdpage.GetLayoutMetrics, cdp.Empty{}).CSSContentSize.Width
	if directory := os.Getenv("SP_TEST_SCREENSHOTS"); directory != "" {
		require.NoError(c.t, os.WriteFile(filepath.Join(directory, name+".png"), run(c, chromedp.FullScreenshot(100)), 0o600))
	}
	require.LessOrEqual(c.t, width, 360.0, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Empty(c.t, c.problems, name)
}

// program is what waits for a browser at a loopback address.
func program(t *testing.T, address string) (string, <-chan url.Values) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Skip(err)
	}
	got := make(chan url.Values, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			got <- r.URL.Query()
		}
		_, _ = w.Write([]byte(`<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><h1 id="back">Back at sp</h1>`))
	}))
	require.NoError(t, s.Listener.Close())
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	return "http://" + listener.Addr().String() + "/callback", got
}

// worlds are a control plane behind TLS, and one on one's own machine, which remembers no browser.
var worlds = map[string]func(*testing.T) *world{"tls": newWorld, "plain": newPlainWorld}

func scriptsOrNot(scripts bool) string {
	if scripts {
		return "scripts"
	}
	return "noscripts"
}

func TestChromiumLogsIn(t *testing.T) {
	for kind, newWorld := range worlds {
		for _, scripts := range []bool{true, false} {
			for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
				t.Run(kind+" "+scriptsOrNot(scripts)+" "+address, func(t *testing.T) {
					c, w := newChromium(t, scripts), newWorld(t)
					w.user("Ann <b>Example</b>", "member")
					redirect, got := program(t, address)
					start := chromedp.Navigate(w.url + "/oauth/authorize?" + asks("redirect_uri", redirect, "hostname", "<b>ann</b>'s "+strings.Repeat("long", 20)).Encode())
					name := kind + scriptsOrNot(scripts) + strings.Trim(address, "[]:01.")

					c.do(start)
					c.look(name+"-login", "#code:focus")
					c.do(chromedp.KeyEvent("wrong" + kb.Enter)) // its field has the focus
					c.look(name+"-wrong", `#code[aria-invalid="true"]:focus`)
					c.do(chromedp.KeyEvent(w.joinCode("Ann <b>Example</b>") + kb.Enter))
					c.look(name+"-back", "#back")
					require.Equal(t, http.StatusOK, w.exchange((<-got).Get("code"), "redirect_uri", redirect).status)

					c.do(start)
					if w.login.remembers() {
						c.look(name+"-again", `button[value="continue"]`)
						c.do(chromedp.Click(`button[value="continue"]`))
					} else {
						c.look(name+"-again", "#code:focus")
						c.do(chromedp.KeyEvent(w.joinCode("Ann <b>Example</b>") + kb.Enter))
					}
					c.look(name+"-back", "#back")
					require.Equal(t, http.StatusOK, w.exchange((<-got).Get("code"), "redirect_uri", redirect).status)

					c.do(start, chromedp.Click(`button[value="cancel"]`))
					c.look(name+"-back", "#back")
					require.Equal(t, "access_denied", (<-got).Get("error"))
				})
			}
		}
	}
}

func TestChromiumAllowsADevice(t *testing.T) {
	for kind, newWorld := range worlds {
		for _, scripts := range []bool{true, false} {
			t.Run(kind+" "+scriptsOrNot(scripts), func(t *testing.T) {
				c, w := newChromium(t, scripts), newWorld(t)
				w.user("ann", "member")
				d, name := w.device("hostname", hostile), kind+scriptsOrNot(scripts)
				command(c, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
				c.do(chromedp.Navigate(w.url + "/device"))
				c.look(name+"-code", "#user_code:focus")
				c.do(chromedp.KeyEvent("XXXX" + kb.Enter))
				c.look(name+"-no-device", `#user_code[aria-invalid="true"]:focus`)
				c.do(chromedp.KeyEvent(strings.ToLower(d.user) + kb.Enter))
				c.look(name+"-device", "#code:focus")
				c.do(chromedp.KeyEvent(w.joinCode("ann") + kb.Enter))
				if w.login.remembers() {
					c.look(name+"-allow", `button[value="allow"]`)
					c.do(chromedp.KeyEvent(kb.Tab + kb.Enter))
				}
				c.look(name+"-done", `//h1[text()="You are done here"]`)
				require.Equal(t, http.StatusOK, w.poll(d).status)
			})
		}
	}
}
