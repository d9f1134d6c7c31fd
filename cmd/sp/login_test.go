package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/cli"
)

// online is a sandbox that may ask its control plane.
func online(t *testing.T) (*sandbox, *plane) {
	t.Helper()
	s := newSandbox(t)
	delete(s.env, "SP_OFFLINE")
	return s, newPlane(t)
}

func (s *sandbox) login(p *plane) outcome {
	s.t.Helper()
	s.stdin = "sp_pat_good\n"
	return s.must("login", "--token-stdin", p.URL)
}

func TestLoginByTokenMakesTheDirectoryAndSaysWhoOneIs(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"one","external_db_access":false,"database_url":""}]`
	o := s.login(p)
	require.Contains(t, o.stderr, "sp: made "+s.dir+"/.systemprompt\n")
	require.Contains(t, o.stderr, "sp: logged in at "+strings.TrimPrefix(p.URL, "http://")+" as ada@example.com\nsp: 1 tenant: sp tenant list\n")
	require.Equal(t, "account\tada@example.com\nurl\t"+p.URL+"\ntoken\tvalid\nfile\t"+s.dir+"/.systemprompt/credentials.json\n", o.stdout)
	require.Equal(t, `{
  "api_token": "sp_pat_good",
  "api_url": "`+p.URL+`",
  "authenticated_at": "2026-02-01T12:00:00Z",
  "user_email": "ada@example.com",
  "last_validated_at": "2026-02-01T12:00:00Z"
}`, s.read(".systemprompt/credentials.json"))
	info, err := os.Stat(s.dir + "/.systemprompt/credentials.json")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoFileExists(t, s.dir+"/.systemprompt/sp.db")

	require.Equal(t, o.stdout, s.must("whoami").stdout)
	require.Equal(t, o.stdout, s.must("cloud", "auth", "whoami").stdout)
	s.must("init")
	require.Equal(t, o.stdout, s.must("cloud", "whoami").stdout, "the registry came to the login")
	s.must("login", "--token-stdin") // the URL is that of the login
}

// Whoever types localhost where spd says 127.0.0.1 is told what to type.
func TestALoginByAnotherNameLeadsToTheRightOne(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	o := s.run("login", "--device", strings.Replace(p.URL, "127.0.0.1", "localhost", 1))
	require.Equal(t, 9, o.exit, o.stderr)
	require.Contains(t, o.stderr, "its login is of another issuer, "+p.URL+"\n")
	require.Contains(t, o.stderr, "log in by the URL that it calls itself: sp login "+p.URL+"\n")
	require.NoDirExists(t, s.dir+"/.systemprompt")
}

// In a container there may be no home, and so no place for a receipt: a registry vouches for the login.
func TestALoginWithoutAHomeCanBeUsed(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	delete(s.env, "HOME")
	delete(s.env, "SP_TRUST")
	s.login(p)
	require.Contains(t, s.must("whoami").stdout, "ada@example.com")
	s.must("tenant", "list")
	s.login(p) // once more, beside it
}

func TestLoginThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.stdin = "sp_pat_bad"
	o := s.run("login", "--token-stdin", p.URL, "--json")
	require.Equal(t, 9, o.exit)
	require.Equal(t, "denied", o.code(t))
	require.NotContains(t, o.stdout+o.stderr, "sp_pat_bad")
	require.NoDirExists(t, s.dir+"/.systemprompt")

	p.Close()
	o = s.run("login", "--token-stdin", p.URL, "--json")
	require.Equal(t, "unavailable", o.code(t))
	o = s.run("login", "--token-stdin", "127.0.0.1:8787")
	require.Contains(t, o.stderr, "or on this machine with http://")
	for _, url := range []string{"http://cloud.example", "cloud.example", "https://u:pw@cloud.example", "postgres://u:pw@h/d"} {
		o = s.run("login", "--token-stdin", url, "--json")
		require.Equal(t, 2, o.exit, url)
		require.NotContains(t, o.stdout, "pw@")
	}
	require.NoDirExists(t, s.dir+"/.systemprompt")
}

func TestLoginTakesTheURLFromItsArgumentThenTheVariableThenTheFile(t *testing.T) {
	t.Parallel()
	s, first := online(t)
	second, third := newPlane(t), newPlane(t)
	s.login(first)
	s.stdin = "sp_pat_good"
	require.Contains(t, s.must("login", "--token-stdin").stdout, first.URL)
	s.env["SP_CLOUD_URL"] = second.URL
	require.Contains(t, s.must("login", "--token-stdin").stdout, second.URL)
	require.Contains(t, s.must("login", "--token-stdin", third.URL).stdout, third.URL)

	// A token goes to nobody but its own control plane.
	second.asked = nil
	o := s.run("cloud", "status", "--json")
	require.Equal(t, "denied", o.code(t))
	require.Contains(t, o.stdout, "SP_CLOUD_URL names http:")
	require.Empty(t, second.asked)
}

func TestLoginWithoutATerminalAsksNothing(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	for _, line := range [][]string{{"login", p.URL}, {"auth", "login", p.URL}, {"cloud", "login", p.URL}, {"cloud", "auth", "login", p.URL}} {
		o := s.run(line...)
		require.Equal(t, 2, o.exit)
		require.Contains(t, o.stderr, "there is no terminal")
		require.Contains(t, o.stderr, "sp login "+p.URL+" --device")
		require.Contains(t, o.stderr, "sp login "+p.URL+" --token-stdin")
		require.Contains(t, o.stderr, "SP_TOKEN")
	}
	require.Empty(t, p.asked)
	require.Contains(t, s.run("login").stderr, "sp login URL --device")
	s.env["SP_CLOUD_URL"] = p.URL
	require.Contains(t, s.run("login").stderr, "sp login --device")
}

// What a hint says can be pasted: it has the URL, if anybody knows it.
func TestAHintToLogInSaysWhere(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.stdin = "sp_pat_bad"
	require.Contains(t, s.run("login", "--token-stdin", p.URL).stderr, "hint: sp login "+p.URL+" logs in again\n")
	require.Contains(t, s.run("whoami").stderr, "hint: sp login URL logs in")
	s.login(p)
	p.tenants = `[{"id":"t-1","name":"one","external_db_access":false,"database_url":""}]`
	s.must("tenant", "list")
	p.access["sp_pat_good"] = false
	require.Contains(t, s.run("tenant", "list", "--prune").stderr, "hint: sp login "+p.URL+" logs in again\n")
	require.NoError(t, os.Chmod(s.dir+"/.systemprompt/credentials.json", 0o644))
	require.Contains(t, s.run("whoami").stderr, "sp logout, then sp login "+p.URL+"\n")
	s.must("logout")
	require.Contains(t, s.run("tenant", "provision", "t-1").stderr, "hint: sp login "+p.URL+" logs in; in CI", "its tenants are from there")
	s.env["SP_CLOUD_URL"] = "https://other.example"
	require.Contains(t, s.run("whoami").stderr, "hint: sp login https://other.example logs in; in CI")
	s.env["SP_CLOUD_URL"], s.env["SP_TOKEN"] = p.URL, "sp_pat_bad"
	require.Contains(t, s.run("cloud", "status").stdout+s.run("tenant", "list", "--prune").stderr, "hint: SP_TOKEN has to be another token; without it, sp login "+p.URL+" logs in\n")
}

// Before there is a registry, a login leads to one.
func TestALoginWithoutARegistryLeadsOn(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.login(p)
	o := s.run("status")
	require.Equal(t, 6, o.exit)
	require.Contains(t, o.stderr, "hint: you are logged in to a control plane: sp tenant list makes a registry of your tenants there; if you have none, sp tenant create --type cloud makes one\n")
	p.tenants = `[{"id":"t-1","name":"one","external_db_access":false,"database_url":""}]`
	require.Equal(t, "id\tt-1\n", s.must("tenant", "show", "one").stdout[:7])
}

// In CI there is no login, no directory and no registry, and the first command may name a tenant.
func TestTheFirstCommandInCIMakesTheRegistry(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"tenant list", "tenant show shop --json", "tenant provision shop", "tenant select shop"} {
		s, p := online(t)
		p.tenants = `[{"id":"t-1","name":"shop","external_db_access":false,"database_url":""}]`
		s.env["SP_CLOUD_URL"], s.env["SP_TOKEN"] = p.URL, "sp_pat_good"
		o := s.run(strings.Fields(line)...)
		require.Contains(t, o.stderr, "sp: tenant t-1 (shop) is new at ", line)
		require.NotContains(t, o.stderr, "sp init", line)
		require.Contains(t, s.must("tenant", "list", "--offline").stdout, "t-1", line)
	}
	s, p := online(t)
	require.Equal(t, 6, s.run("tenant", "show", "shop").exit)
	require.NoDirExists(t, s.dir+"/.systemprompt", "nobody is logged in")
	s.env["SP_CLOUD_URL"], s.env["SP_TOKEN"] = p.URL, "sp_pat_good"
	require.Contains(t, s.run("resolve").stderr, "hint: you are logged in to a control plane: sp tenant list makes a registry of your tenants there; if you have none, sp tenant create --type cloud makes one\n")
	p.down = true
	o := s.run("tenant", "provision", "shop")
	require.NotZero(t, o.exit)
	require.Contains(t, o.stderr, "closed for today")
}

func TestLoginByDeviceNeedsNoTerminal(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.pending = 1
	o := s.must("login", "--device", p.URL)
	require.Contains(t, o.stderr, "sp: open "+p.URL+"/device and enter the code BCDF-GHJK\nsp: or open "+p.URL+"/device?user_code=BCDF-GHJK\n")
	require.Contains(t, o.stderr, "no tenants yet: sp tenant create --type cloud\n")
	require.Contains(t, o.stdout, "token\trenewed as needed\n")
	require.NotContains(t, o.stdout+o.stderr, "s3cret")
	require.Contains(t, s.read(".systemprompt/credentials.json"), `"refresh_token": "refresh-s3cret"`)
}

// withBrowser gives a sandbox a terminal, a display, and an opener that does as script says.
func (s *sandbox) withBrowser(script string) {
	s.terminal = true
	bin := s.t.TempDir()
	require.NoError(s.t, os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\n"+script+"\n"), 0o700)) //nolint:gosec // a program
	s.env["DISPLAY"], s.env["PATH"] = ":1", bin
}

func TestLoginByBrowserComesBackToThisMachine(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh")
	}
	s, p := online(t)
	told := filepath.Join(s.t.TempDir(), "url")
	s.withBrowser(`echo "$1" > ` + told + `.new; /bin/mv ` + told + `.new ` + told)
	visited := make(chan error, 1)
	go func() {
		for range 500 {
			if url, err := os.ReadFile(told); err == nil {
				response, err := http.Get(strings.TrimSpace(string(url))) //nolint:gosec,noctx // of this test
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
				visited <- err
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		visited <- os.ErrDeadlineExceeded
	}()
	o := s.must("login", p.URL)
	require.NoError(t, <-visited)
	require.Contains(t, o.stderr, "log in with the browser")
	require.NotContains(t, o.stdout+o.stderr, "s3cret")
	require.True(t, p.asks("GET /oauth/authorize"))
	require.Contains(t, s.read(".systemprompt/credentials.json"), `"refresh_token": "refresh-s3cret"`)
}

func TestLoginGoesOnWithACodeWhereNoBrowserOpens(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sandbox){
		"no display":      func(s *sandbox) { delete(s.env, "DISPLAY") },
		"over ssh":        func(s *sandbox) { s.env["SSH_CONNECTION"] = "192.0.2.1 1 192.0.2.2 22" },
		"no opener":       func(s *sandbox) { s.env["PATH"] = "" },
		"it fails":        func(s *sandbox) { s.withBrowser("exit 3") },
		"BROWSER is none": func(s *sandbox) { s.env["PATH"], s.env["BROWSER"] = "", "/nonexistent/browser:no-such" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := online(t)
			s.withBrowser("exit 0")
			change(s)
			o := s.must("login", p.URL)
			require.Contains(t, o.stderr, "enter the code BCDF-GHJK")
			require.False(t, p.asks("GET /oauth/authorize"))
		})
	}
}

func TestTheProgramOfBROWSERNeedsNoDisplay(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.withBrowser("exit 3")
	delete(s.env, "DISPLAY")
	s.env["BROWSER"] = filepath.Join(s.env["PATH"], "xdg-open")
	require.Contains(t, s.must("login", p.URL).stderr, "log in with the browser", "it was tried")
	s.env["SSH_CONNECTION"] = "192.0.2.1 1 192.0.2.2 22"
	o := s.must("login", p.URL)
	require.NotContains(t, o.stderr, "log in with the browser")
	require.Contains(t, o.stderr, "sp: over SSH a browser would open at the other end; BROWSER is not used\n")
}

func TestWhoamiSaysHowLongATokenIsGood(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	token := "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, s.now.Add(24*time.Hour).Unix())) + ".s3cret"
	p.access[token] = true
	s.stdin = token
	require.Contains(t, s.must("login", "--token-stdin", p.URL).stdout, "token\tvalid until 2026-02-02T12:00:00Z\n")
	s.now = s.now.Add(48 * time.Hour)
	require.Contains(t, s.must("whoami").stdout, "token\texpired at 2026-02-02T12:00:00Z\n")
}

func TestSPTokenReplacesTheLogin(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.env["SP_TOKEN"] = "sp_pat_good"
	o := s.run("whoami", "--json")
	require.Equal(t, 2, o.exit)
	require.Contains(t, o.stdout, "SP_CLOUD_URL does not say")
	s.env["SP_CLOUD_URL"] = p.URL + "/"
	o = s.must("whoami")
	require.Equal(t, "account\tada@example.com\nurl\t"+p.URL+"\ntoken\tthat of SP_TOKEN\n", o.stdout)
	o = s.must("login")
	require.Contains(t, o.stderr, "SP_TOKEN is the login; nothing was stored")
	require.NoDirExists(t, s.dir+"/.systemprompt")

	s.stdin = "sp_pat_good"
	o = s.must("login", "--token-stdin")
	require.Contains(t, o.stderr, "SP_TOKEN is set, and counts instead of this login")
	require.FileExists(t, s.dir+"/.systemprompt/credentials.json")
	s.env["SP_TOKEN"] = "sp_pat_bad"
	require.Equal(t, "denied", s.run("whoami", "--json").code(t))
	require.Contains(t, s.must("logout").stderr, "SP_TOKEN is set")
}

func TestLogoutRevokesAndKeepsWhatIsElse(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.mustImport("2026-02-01T12:00:00Z", `{"id": "t-1", "name": "one", "tenant_type": "cloud"}`)
	s.must("login", "--device", p.URL)
	o := s.must("logout")
	require.Contains(t, o.stderr, "logged out; the tenants stay")
	require.Equal(t, []string{"refresh-s3cret"}, p.revoked)
	require.NoFileExists(t, s.dir+"/.systemprompt/credentials.json")
	require.Contains(t, s.must("tenant", "list").stdout, "t-1")
	require.Equal(t, 9, s.run("whoami").exit)
	require.Contains(t, s.must("logout").stderr, "you are not logged in")

	// Another login ends the one before, of which nothing here has the tokens any more.
	p.revoked = nil
	s.must("login", "--device", p.URL)
	s.must("login", "--device")
	require.Equal(t, []string{"refresh-s3cret"}, p.revoked)
	s.login(p)
	require.Len(t, p.revoked, 2)
	s.login(p)
	require.Len(t, p.revoked, 2, "a personal token is the user's")
	s.must("logout")

	// Where the control plane is away, the login is gone here all the same.
	s.must("login", "--device", p.URL)
	p.Close()
	o = s.must("logout")
	require.Contains(t, o.stderr, "warning: the control plane did not end the login")
	require.NotContains(t, o.stderr, "s3cret")
	require.NoFileExists(t, s.dir+"/.systemprompt/credentials.json")
}

// TestNoPushTakesTheLoginAlong: whoever has the sync token of the tenant would get the whole account.
func TestNoPushTakesTheLoginAlong(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"one","external_db_access":false,"database_url":""}]`
	s.must("login", "--device", p.URL)
	s.must("tenant", "list")
	s.stdin = "sp_sync_a"
	s.must("tenant", "edit", "t-1", "--sync-token-stdin")
	sent := p.answers(http.MethodPut, "/api/v1/tenants/t-1/files", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, nil) })
	p.answers(http.MethodGet, "/api/v1/tenants/t-1/files", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/gzip")
		w.Header().Set("ETag", `"v0"`)
		_ = archive.Write(w, nil)
	})
	login := s.read(".systemprompt/credentials.json")
	for name, text := range map[string]string{
		"whole": login, "token": regexp.MustCompile(`e30[^"]+`).FindString(login), "refresh": "x: refresh-s3cret",
	} {
		s.write("services/"+name, text)
		o := s.run("sync", "push", "t-1")
		require.Equal(t, 2, o.exit, o.stderr)
		require.Contains(t, o.stderr, "services/"+name+": it holds a token of your login: refused")
		require.NotContains(t, o.stderr, "s3cret")
		require.NoError(t, os.Remove(s.dir+"/services/"+name))
	}
	require.Empty(t, *sent)
}

func TestALoginThatIsNotSafeIsNotUsed(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.login(p)
	path := s.dir + "/.systemprompt/credentials.json"
	require.NoError(t, os.Chmod(path, 0o644))
	p.asked = nil
	for _, line := range []string{"whoami", "cloud status"} {
		o := s.run(strings.Fields(line)...)
		require.Equal(t, 6, o.exit)
		require.Contains(t, o.stderr, "mode 0644")
		require.Contains(t, o.stderr, "chmod 600 "+path)
	}
	require.Empty(t, p.asked)
	s.must("logout")
	require.NoFileExists(t, path)

	s.write(".systemprompt/credentials.json", `{"api_token": "s3cret"`)
	o := s.run("whoami")
	require.Equal(t, 6, o.exit)
	require.NotContains(t, o.stderr, "s3cret")
	require.Contains(t, o.stderr, "sp logout removes it")
	s.login(p)

	require.NoError(t, os.Rename(path, path+"2"))
	require.NoError(t, os.Symlink(path+"2", path))
	require.Equal(t, 6, s.run("whoami").exit)
	o = s.run("login", "--token-stdin", p.URL)
	require.Equal(t, 6, o.exit, o.stderr)
	require.Contains(t, o.stderr, "move it away")
}

// A login that came with an archive would fill the registry with a stranger's tenants.
func TestALoginThatCameFromElsewhereIsNotUsed(t *testing.T) {
	t.Parallel()
	s, strangers := online(t)
	s.login(strangers)
	delete(s.env, "SP_TRUST")
	home := s.t.TempDir()
	s.env["XDG_STATE_HOME"] = home
	strangers.asked = nil
	s.must("init") // that the registry is ours says nothing of the login
	for _, line := range []string{"whoami", "cloud status"} {
		o := s.run(strings.Fields(line)...)
		require.Equal(t, 6, o.exit)
		require.Contains(t, o.stderr, "not trusted: nothing shows that this login is yours")
		require.Contains(t, o.stderr, "sp logout")
	}
	o := s.run("login", "--token-stdin", "--json")
	require.Equal(t, 2, o.exit, "its URL is not taken")
	s.must("logout")
	require.Empty(t, strangers.asked)

	// One's own goes where the project goes, and stays when its tokens change.
	s.login(strangers)
	s.must("whoami")
	s.must("login", "--device", strangers.URL)
	s.must("whoami")
	require.NoError(t, os.CopyFS(s.dir+"/copy/.systemprompt", os.DirFS(s.dir+"/.systemprompt")))
	makePrivate(t, s.dir+"/copy")
	require.NoError(t, os.Remove(s.dir+"/copy/.systemprompt/sp.db"))
	s.must("whoami", "--dir", s.dir+"/copy/.systemprompt")
	s.env["XDG_STATE_HOME"] = s.t.TempDir()
	require.Equal(t, 6, s.run("whoami", "--dir", s.dir+"/copy/.systemprompt").exit)
	s.env["SP_TRUST"] = s.dir + "/copy/.systemprompt"
	s.must("whoami", "--dir", s.dir+"/copy/.systemprompt")

	// Where there can be no receipt, the registry vouches for it.
	delete(s.env, "XDG_STATE_HOME")
	require.Equal(t, 0, s.run("whoami").exit)
}

// TestALoginWithTheTokenOfAnotherIsNotUsed, though URL and e-mail are one's own: what is done with it is
// done in the other's account.
func TestALoginWithTheTokenOfAnotherIsNotUsed(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	delete(s.env, "SP_TRUST")
	s.env["XDG_STATE_HOME"] = s.t.TempDir()
	s.must("init")
	s.must("login", "--device", p.URL)
	mine := s.read(".systemprompt/credentials.json")
	p.access["sp_pat_of_mallory"] = true
	p.asked = nil
	token := strings.Split(mine, `"`)[3]
	for what, theirs := range map[string]string{
		"token":   strings.Replace(mine, token, "sp_pat_of_mallory", 1),
		"refresh": strings.Replace(mine, "refresh-s3cret", "refresh-of-mallory", 1),
	} {
		s.write(".systemprompt/credentials.json", theirs)
		for _, line := range []string{
			"whoami", "cloud status", "tenant create --type cloud --name n --region iad", "tenant list --prune", "tenant cancel x -y", "tenant provision x",
		} {
			o := s.run(strings.Fields(line)...)
			require.NotEqual(t, 0, o.exit, line)
			require.Contains(t, o.stderr, "nothing shows that this login is yours", "%s: %s", what, line)
		}
		require.Empty(t, p.asked)
	}
}

// TestARenewedLoginKeepsItsReceipt, one and not one of each token.
func TestARenewedLoginKeepsItsReceipt(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	delete(s.env, "SP_TRUST")
	home := s.t.TempDir()
	s.env["XDG_STATE_HOME"] = home
	s.must("login", "--device", p.URL)
	before := s.read(".systemprompt/credentials.json")
	for token := range p.access {
		p.access[token] = false
	}
	s.must("cloud", "status")
	require.NotEqual(t, before, s.read(".systemprompt/credentials.json"))
	s.must("whoami")
	receipts, err := os.ReadDir(home + "/sp/trust")
	require.NoError(t, err)
	require.Len(t, receipts, 1)
	s.write(".systemprompt/credentials.json", before)
	require.Equal(t, 6, s.run("whoami").exit)
}

func TestALoginThatGitTracksIsNotUsed(t *testing.T) {
	t.Parallel()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	s, p := online(t)
	s.git = git
	s.environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1"}
	s.login(p)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-f", ".systemprompt/credentials.json"}} {
		cmd := exec.CommandContext(t.Context(), git, args...)
		cmd.Dir, cmd.Env = s.dir, s.environ
		require.NoError(t, cmd.Run())
	}
	p.asked = nil
	for _, line := range []string{"whoami", "cloud status", "login --token-stdin " + p.URL} {
		o := s.run(append(strings.Fields(line), "--json")...)
		require.Equal(t, 6, o.exit, o.stderr)
		require.Contains(t, o.stdout, "git tracks it")
		require.Contains(t, o.stdout, "rm --cached -f -- credentials.json")
	}
	require.Empty(t, p.asked)
}

func TestCloudStatusAsksAboutEachTenant(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.login(p)
	p.tenants = `[{"id":"t-1","name":"one","status":"active","external_db_access":false,"database_url":""},
	  {"id":"t-2","name":"two","status":"pending","region":"iad","external_db_access":false,"database_url":""},
	  {"id":"t-3","name":"three","external_db_access":false,"database_url":""}]`
	o := s.must("cloud", "status")
	require.Equal(t, "account\tada@example.com\nurl\t"+p.URL+"\ntoken\tvalid\nfile\t"+s.dir+"/.systemprompt/credentials.json\ncontrol plane\tanswers\n"+
		"tenant\tt-1 (one): ready\ntenant\tt-2 (two): failed, no room in iad\ntenant\tt-3 (three), "+strings.TrimPrefix(p.URL, "http://")+": there is no such tenant\n", o.stdout)
	require.Equal(t, 6, s.run("status").exit, "sp status is about the registry")
	require.Contains(t, s.must("cloud", "status", "--help").stdout, "sp cloud status - ask the control plane")
	require.Contains(t, s.must("help", "cloud", "status").stdout, "sp cloud status - ask the control plane")

	delete(p.access, "sp_pat_good")
	o = s.run("cloud", "status")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stdout, "the token is not known")
}

func TestTheProxyOfTheEnvironmentHasToBeOne(t *testing.T) {
	t.Parallel()
	s, _ := online(t)
	s.stdin = "sp_pat_good"
	s.env["HTTPS_PROXY"] = "http://u:s3cret@\x7f"
	o := s.run("login", "--token-stdin", "https://cloud.example")
	require.Equal(t, 2, o.exit)
	require.Contains(t, o.stderr, "HTTPS_PROXY is not the URL of a proxy")
	require.NotContains(t, o.stderr, "s3cret")
}

func TestProxiesAreThoseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		env  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"HTTPS_PROXY": "http://p.example:1"}, "http://p.example:1"},
		{map[string]string{"HTTPS_PROXY": "http://p.example:1", "https_proxy": "q.example:2"}, "http://q.example:2"},
		{map[string]string{"HTTPS_PROXY": "http://p.example:1", "NO_PROXY": "cloud.example"}, ""},
		{map[string]string{"HTTPS_PROXY": "http://p.example:1", "no_proxy": ".example"}, ""},
		{map[string]string{"HTTP_PROXY": "http://p.example:1"}, ""},
	} {
		c := &cli.Context{World: cli.World{LookupEnv: func(name string) (string, bool) { value, ok := row.env[name]; return value, ok }}}
		proxy, err := c.Proxy()
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://cloud.example/", nil)
		require.NoError(t, err)
		got, err := proxy(r.URL)
		require.NoError(t, err)
		if row.want == "" {
			require.Nil(t, got)
			continue
		}
		require.Equal(t, row.want, got.String())
	}
}

func TestWhatIsNoControlPlaneIsOneSentence(t *testing.T) {
	t.Parallel()
	s, _ := online(t)
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>s3cret") }
	plain, others := httptest.NewServer(http.HandlerFunc(page)), httptest.NewUnstartedServer(http.HandlerFunc(page))
	others.Config.ErrorLog = log.New(io.Discard, "", 0)
	others.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(others.Close)
	s.stdin = "sp_pat_good"
	host := strings.TrimPrefix(plain.URL, "http://")
	for url, said := range map[string]string{
		plain.URL:              host + " does not answer as a control plane does: it answers with text/html",
		"https://" + host:      host + " does not answer as a control plane does: it does not speak https",
		others.URL:             strings.TrimPrefix(others.URL, "https://") + ": its certificate is by an authority that this machine does not know",
		"http://127.0.0.1:1/x": "127.0.0.1:1: connection refused",
	} {
		o := s.run("login", "--token-stdin", url)
		require.Equal(t, 9, o.exit, url)
		first, _, _ := strings.Cut(o.stderr, "\n")
		require.Equal(t, "sp: "+said, first)
		require.Contains(t, o.stderr, "\nsp: hint: see that the ", "what helps")
		require.NotContains(t, o.stderr, "s3cret")
	}
	require.NoDirExists(t, s.dir+"/.systemprompt")
}
