package login

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

func TestAJoinCodeHasNoLookAlikesAnd80Bits(t *testing.T) {
	t.Parallel()
	require.Len(t, joinLetters, 32)
	seen := map[string]bool{}
	for range 100 {
		shown, hash, err := JoinCode(rand.Reader)
		require.NoError(t, err)
		require.Regexp(t, regexp.MustCompile(`^([A-HJ-NP-Z2-9]{4}-){3}[A-HJ-NP-Z2-9]{4}$`), shown)
		require.Equal(t, hash, secret.Hash(plain(" "+strings.ToLower(shown)+"\n")))
		require.Equal(t, hash, secret.Hash(plain(strings.ReplaceAll(shown, "-", "–"))))
		require.False(t, seen[shown])
		seen[shown] = true
	}
	_, _, err := JoinCode(strings.NewReader("too short"))
	require.Error(t, err)
}

func TestAJoinCodeWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	typed, b := w.joinCode("ann"), w.browser()
	page := w.page(b)
	require.NotEmpty(t, w.code(strings.ToLower(strings.ReplaceAll(typed, "-", " "))))
	require.Contains(t, w.enter(b, page, typed).body, wrongCode)
}

func TestAJoinCodeIsWonByOneBrowserOfTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	typed := w.joinCode("ann")
	var wait sync.WaitGroup
	got := make([]reply, 8)
	for i := range got {
		b := w.browser()
		page := w.page(b)
		wait.Go(func() { got[i] = w.enter(b, page, typed) })
	}
	wait.Wait()
	won := slices.DeleteFunc(got, func(r reply) bool { return r.status == http.StatusForbidden })
	require.Len(t, won, 1)
	require.NotEmpty(t, won[0].location(t).Query().Get("code"))
}

// TestWrongCodesAreAnsweredAlike: unknown, used, expired, and of somebody who is not active.
func TestWrongCodesAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	w.user("bob", "member")
	expired, personal := w.joinCode("ann"), w.personal("ann", "old", "read", "", 24*time.Hour)
	w.wait(24 * time.Hour)
	used, inactive := w.joinCode("ann"), w.joinCode("bob")
	w.change("bob", "member", false)
	w.code(used)
	b := w.browser()
	page := w.page(b)
	want := w.enter(b, page, "AAAA-BBBB-CCCC-DDDD")
	require.Equal(t, http.StatusForbidden, want.status)
	for _, typed := range []string{expired, used, inactive, personal, "sp_pat_unknown", "", "'", strings.Repeat("x", 10000)} {
		got := w.enter(b, w.page(b), typed)
		got.body, want.body = hidden.ReplaceAllString(got.body, ""), hidden.ReplaceAllString(want.body, "")
		require.Equal(t, want.body, got.body)
		require.Equal(t, want.status, got.status)
		require.NotContains(t, got.body, "xxxx")
	}
}

func TestTooManyWrongCodesEndARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	page := w.page(b)
	for range 3 { // slowly, they don't
		for range wrongCodes - 1 {
			require.Contains(t, w.enter(b, page, "wrong").body, wrongCode)
		}
		w.wait(time.Minute)
	}
	for range wrongCodes - 1 {
		require.Contains(t, w.enter(b, page, "wrong").body, wrongCode)
	}
	at := w.enter(b, page, "wrong").location(t)
	require.Equal(t, "access_denied", at.Query().Get("error"))
	require.Equal(t, "the-state", at.Query().Get("state"))
	require.Contains(t, w.enter(b, page, w.joinCode("ann")).body, "This login is over")
}

func TestTooManyWrongCodesEndADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	d, b := w.device(), w.browser()
	page := w.get(b, "/device?user_code="+d.user)
	for range wrongCodes - 1 {
		require.Contains(t, w.enter(b, page, "wrong").body, wrongCode)
	}
	require.Contains(t, w.enter(b, page, "wrong").body, "too many wrong codes")
	w.requireRefused(w.poll(d), "access_denied")
	require.Contains(t, w.enter(b, page, w.joinCode("ann")).body, noDevice)
}

func TestABrowserRemembersWhoSignedInAndStillAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode("ann")).location(t)
	page := w.page(b)
	require.Contains(t, page.body, "Continue as <bdi>ann</bdi>")
	at := w.post(b, "/login", form(page, "action", "continue")).location(t)
	require.Equal(t, http.StatusOK, w.exchange(at.Query().Get("code")).status)
	require.Contains(t, w.post(b, "/login", form(page, "action", "continue")).body, "This login is over", "one answer each")
	require.NotContains(t, w.page(w.browser()).body, "Continue as")
	w.wait(browserLife)
	require.NotContains(t, w.page(b).body, "Continue as")
}

func TestSigningInChangesTheCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	page := w.page(b)
	at, err := url.Parse(w.url)
	require.NoError(t, err)
	before := b.Jar.Cookies(at)[0].Value
	got := w.enter(b, page, w.joinCode("ann"))
	require.NotEqual(t, before, b.Jar.Cookies(at)[0].Value)
	cookie := got.header.Get("Set-Cookie")
	require.Regexp(t, `^__Host-sp_login=[\w-]{43}; Path=/; Max-Age=28800; HttpOnly; Secure; SameSite=Lax$`, cookie)
	signedIn := b.Jar.Cookies(at)[0].Value
	w.enter(b, w.page(b), w.joinCode("ann"))
	for _, old := range []string{before, signedIn} {
		b.Jar.SetCookies(at, []*http.Cookie{{Name: "__Host-sp_login", Value: old, Path: "/", Secure: true}})
		require.NotContains(t, w.page(b).body, "Continue as")
	}
}

func TestACookieOverHTTPSIsForItsHostAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l, err := New(t.Context(), w.options("https://sp.example.com"))
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	l.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://sp.example.com/device?user_code=x", nil))
	require.Regexp(t, `^__Host-sp_login=[\w-]{43}; Path=/; Max-Age=28800; HttpOnly; Secure; SameSite=Lax$`, rec.Header().Get("Set-Cookie"))
}

// TestWithoutTLSNoBrowserIsRemembered: whatever else this machine serves gets the cookie, too, and can do
// nothing with it.
func TestWithoutTLSNoBrowserIsRemembered(t *testing.T) {
	t.Parallel()
	w := newPlainWorld(t)
	w.user("ann", "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode("ann")).location(t)
	d := w.device()
	require.Contains(t, w.enter(b, w.get(b, "/device?user_code="+d.user), w.joinCode("ann")).body, "You are done here")
	require.Equal(t, http.StatusOK, w.poll(d).status)
	require.Zero(t, w.counts()["browsers"])

	page := w.page(b)
	require.NotContains(t, page.body, "Continue as")
	require.Contains(t, w.post(b, "/login", form(page, "action", "continue")).body, notSignedIn)
	other := w.device()
	asked := w.get(b, "/device?user_code="+other.user)
	require.NotContains(t, asked.body, "You are signed in as")
	for _, action := range []string{"allow", "", "sign-out"} {
		require.NotContains(t, w.post(b, "/device", form(asked, "action", action)).body, "You are done here")
		asked = w.get(b, "/device?user_code="+other.user)
	}
	w.requireRefused(w.poll(other), "authorization_pending")
	require.Contains(t, w.enter(b, asked, "wrong").body, wrongCode)
	require.Contains(t, w.post(b, "/device", form(asked, "action", "deny")).body, "Nothing was allowed")
	told := w.told()
	require.Equal(t, Event{Address: "127.0.0.1", Action: "allow device", Outcome: "denied"}, told[len(told)-1])
	w.requireRefused(w.poll(other), "access_denied")
}

func TestCancelTellsTheProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := w.page(b, "redirect_uri", callback+"?kept=1")
	at := w.post(b, "/login", form(page, "action", "cancel")).location(t)
	require.Equal(t, "error=access_denied&kept=1&state=the-state", at.RawQuery)
	require.Contains(t, w.get(b, page.at.RequestURI()).body, "This login is over")
}

func TestARequestThatIsOverIsSaidToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	page := w.page(b)
	w.wait(requestLife)
	for _, got := range []reply{w.get(b, "/login"), w.get(b, "/login?request=unknown"), w.get(b, page.at.RequestURI()), w.enter(b, page, w.joinCode("ann"))} {
		require.Equal(t, http.StatusNotFound, got.status)
		require.Contains(t, got.body, "This login is over")
	}
}

func TestAFormFromElsewhereDoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode("ann")) // signed in: whoever can send a form here acts for ann
	page, other := w.page(b), w.page(b)
	d := w.device()
	asked := w.get(b, "/device?user_code="+d.user)
	stranger := w.browser()
	theirs := w.page(stranger)

	forged := form(page, "action", "continue")
	for _, token := range []string{"", "x", form(other).Get("token"), form(theirs).Get("token"), form(asked).Get("token")} {
		forged.Set("token", token)
		got := w.post(b, "/login", forged)
		require.Equal(t, http.StatusForbidden, got.status)
		require.Contains(t, got.body, "This page is out of date")
		forgedDevice := values("user_code", d.user, "token", token, "action", "allow")
		if token != form(asked).Get("token") {
			require.Contains(t, w.post(b, "/device", forgedDevice).body, "This page is out of date")
		}
	}
	require.Contains(t, w.post(w.browser(), "/login", form(page, "action", "continue")).body, "This page is out of date", "without the cookie")

	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/login", strings.NewReader(form(page, "action", "continue").Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		require.Equal(t, http.StatusForbidden, w.do(b, r).status, name)
	}
	w.requireRefused(w.poll(d), "authorization_pending")
	require.Len(t, w.told(), 1, "but the first login nothing was noted, nor done")
	require.Equal(t, http.StatusSeeOther, w.post(b, "/login", form(page, "action", "continue")).status, "the genuine one works")
}

const hostile = `<script>alert("x")</script>'"&{{.}}` + "\u202egnp.exe\x00\n"

func TestHostileNamesAreText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := strings.ReplaceAll(hostile, "\x00", "")
	w.user(name, "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode(name))
	d := w.device("hostname", hostile)
	pages := []reply{
		w.page(b, "hostname", hostile), w.get(b, "/device?user_code="+d.user), w.get(w.browser(), "/device?user_code="+d.user),
		w.get(b, "/device?"+values("user_code", hostile).Encode()), w.get(b, "/login?"+values("request", hostile).Encode()),
		w.post(b, "/login", values("request", hostile, "token", hostile)),
	}
	for _, page := range pages {
		require.NotContains(t, page.body, "<script")
		require.NotContains(t, page.body, "\x00")
	}
	for _, page := range pages[:3] {
		require.Contains(t, page.body, "sp on <bdi>&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;&#39;&#34;&amp;{{.}}gnp.exe</bdi> wants")
	}
	require.Contains(t, pages[0].body, "Continue as <bdi>&lt;script&gt;")
	require.Empty(t, cleanName("\u200b\n\t"))
	require.Len(t, []rune(cleanName(strings.Repeat("ü", 1000))), 64)
}

func TestPagesCarryTheirHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	d := w.device()
	for path, forms := range map[string]string{
		"/device": "'self'", "/device?user_code=" + d.user: "'self'", "/login": "'self'", "/nowhere": "'self'",
		"/oauth/authorize?" + asks().Encode():                                   "'self' http://127.0.0.1:9",
		"/oauth/authorize?" + asks("redirect_uri", "http://[::1]:9/x").Encode(): "'self' http:",
	} {
		got := w.get(b, path)
		require.Equal(t, "default-src 'none'; style-src 'self'; form-action "+forms+"; frame-ancestors 'none'; base-uri 'none'", got.header.Get("Content-Security-Policy"), path)
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
	}
	style := w.get(b, "/login/style.css")
	require.Equal(t, "text/css; charset=utf-8", style.header.Get("Content-Type"))
	require.Contains(t, style.body, "prefers-color-scheme: dark")
}

func TestPagesWorkWithoutScriptsAndWithLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode("ann"))
	d := w.device()
	for _, page := range []reply{w.page(b), w.enter(b, w.page(b), "wrong"), w.get(b, "/device"), w.get(w.browser(), "/device?user_code="+d.user), w.get(b, "/login")} {
		require.NotContains(t, page.body, "<script")
		require.NotContains(t, page.body, "style=")
		require.Contains(t, page.body, `<html lang="en">`)
		require.Contains(t, page.body, `content="width=device-width, initial-scale=1"`)
		for _, input := range regexp.MustCompile(`<input id="(\w+)"[^>]*>`).FindAllStringSubmatch(page.body, -1) {
			require.Contains(t, page.body, `<label for="`+input[1]+`">`)
			require.Regexp(t, `autocomplete="(off|one-time-code)"`, input[0])
		}
	}
}

// TestNoSecretIsTold searches what is noted, logged and shown for every secret of all that can happen.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	personal, typed := w.personal("ann", "canary", "read write", "", time.Hour), w.joinCode("ann")
	secrets := []string{personal, typed, plain(typed), strings.ToLower(typed), secret.Hash(plain(typed)), secret.Hash(personal), verifier, "the-state"}
	var shown []string
	b := w.browser()
	for _, word := range []string{personal, typed, "sp_pat_wrongcanary", typed} {
		page := w.page(b, "state", "the-state")
		got := w.enter(b, page, word)
		shown = append(shown, page.body, got.body)
		if code := got.header.Get("Location"); code != "" {
			at := got.location(t)
			secrets = append(secrets, at.Query().Get("code"))
			one := w.exchange(at.Query().Get("code"))
			two := w.refresh(one.Refresh)
			w.refresh(one.Refresh, "scope", "admin")
			w.wait(2 * time.Minute)
			w.refresh(one.Refresh)
			w.exchange(at.Query().Get("code"))
			w.ask("/oauth/revoke", "token", two.Access)
			secrets = append(secrets, one.Access, one.Refresh, two.Access, two.Refresh, secret.Hash(one.Access), secret.Hash(one.Refresh))
		}
	}
	secrets = append(secrets, "sp_pat_wrongcanary")
	d := w.device()
	w.poll(d)
	page := w.get(b, "/device?user_code="+d.user)
	shown = append(shown, page.body, w.post(b, "/device", form(page, "action", "allow")).body)
	got := w.poll(d)
	secrets = append(secrets, d.secret, got.Access, got.Refresh)
	w.get(b, "/oauth/authorize?"+asks("state", "the-state", "code_challenge", "short").Encode())
	at, err := url.Parse(w.url)
	require.NoError(t, err)
	secrets = append(secrets, b.Jar.Cookies(at)[0].Value)

	var noted strings.Builder
	for _, e := range w.told() {
		noted.WriteString(strings.Join([]string{e.UserID, e.UserName, e.TokenID, e.Address, e.Action, e.Outcome}, " ") + "\n")
	}
	require.Contains(t, noted.String(), "ann ann canary 127.0.0.1 allow login done")
	require.Contains(t, logged.String(), "authorization_pending")
	for _, word := range secrets {
		require.NotEmpty(t, word)
		require.NotContains(t, noted.String(), word)
		require.NotContains(t, strings.Join(shown, "\n"), word)
		if word != "the-state" { // which is none once it was refused
			require.NotContains(t, logged.String(), word)
		}
	}
}

func TestWhatGoesWrongIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := w.page(b)
	broken := errors.New("canary of what is broken")
	w.login.Random = brokenReader{broken}
	got := w.get(w.browser(), "/device?user_code=x")
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.NotContains(t, got.body, "canary")
	asked := w.ask("/oauth/device_authorization")
	require.Equal(t, http.StatusInternalServerError, asked.status)
	require.Equal(t, "server_error", asked.Error)
	require.NotContains(t, asked.Why, "canary")
	require.Contains(t, logged.String(), "canary of what is broken")

	w.login.Random = brokenReader{server.ErrFull} // there may be room again later
	got = w.get(w.browser(), "/device?user_code=x")
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "2", got.header.Get("Retry-After"))
	require.Equal(t, http.StatusServiceUnavailable, w.ask("/oauth/device_authorization").status)
	w.login.Random = brokenReader{broken}

	w.user("ann", "member")
	typed := w.joinCode("ann")
	require.Equal(t, http.StatusInternalServerError, w.enter(b, page, typed).status)
	w.login.Random = rand.Reader
	require.NotEmpty(t, w.code(typed), "the code was not used up")
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

func TestABodyIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.ask("/oauth/token", "grant_type", "refresh_token", "refresh_token", strings.Repeat("x", 1<<20))
	w.requireRefused(got, "invalid_request")
	b := w.browser()
	require.Contains(t, w.enter(b, w.page(b), strings.Repeat("x", 1<<20)).body, "This page is out of date")
}

// TestALoginIsAllowedByNoOtherWordThanContinue: who is signed in and sends anything else says no, as with a
// device.
func TestALoginIsAllowedByNoOtherWordThanContinue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode("ann")).location(t)
	for _, action := range []string{"", "cancel", "deny", "Continue"} {
		page := w.page(b)
		at := w.post(b, "/login", form(page, "action", action)).location(t)
		require.Equal(t, "access_denied", at.Query().Get("error"), action)
		require.Empty(t, at.Query().Get("code"), action)
		notes := w.told()
		require.Equal(t, Event{UserID: "ann", UserName: "ann", Address: "127.0.0.1", Action: "allow login", Outcome: "denied"}, notes[len(notes)-1])
		require.Contains(t, w.post(b, "/login", form(page, "action", "continue")).body, "This login is over")
	}
}

// TestWhoSignedOutWhileAFormCameAllowsNothing: it may take seconds to come.
func TestWhoSignedOutWhileAFormCameAllowsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	b := w.browser()
	w.enter(b, w.page(b), w.joinCode("ann")).location(t)
	d := w.device()
	for path, answer := range map[string]url.Values{
		"/login": form(w.page(b), "action", "continue"), "/device": form(w.get(b, "/device?user_code="+d.user), "action", "allow"),
	} {
		at, err := url.Parse(w.url)
		require.NoError(t, err)
		cookie := b.Jar.Cookies(at)[0].Value
		var signedIn server.Browser
		w.write(func(q *server.Queries) (err error) {
			signedIn, err = q.Browser(t.Context(), server.BrowserParams{Hash: secret.Hash(cookie), Now: w.clock().UnixMicro()})
			return err
		})
		body, rest := io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, body)
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		came := make(chan reply, 1)
		go func() { came <- w.do(b, r) }()
		text := answer.Encode()
		_, err = io.WriteString(rest, text[:1])
		require.NoError(t, err)
		time.Sleep(100 * time.Millisecond) // until it is known who asks; where it takes longer, that is looked at later
		w.write(func(q *server.Queries) error { return q.DeleteBrowser(t.Context(), secret.Hash(cookie)) })
		_, err = io.WriteString(rest, text[1:])
		require.NoError(t, errors.Join(err, rest.Close()))
		require.Contains(t, (<-came).body, notSignedIn, path)
		w.write(func(q *server.Queries) error {
			return q.InsertBrowser(t.Context(), server.InsertBrowserParams(signedIn))
		})
	}
}
