package login

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// device is a login that waits without a browser.
type device struct{ secret, user string }

func (w *world) device(pairs ...string) device {
	w.t.Helper()
	got := w.post(w.client, "/oauth/device_authorization", values(append([]string{"client_id", "sp_cli", "hostname", "laptop"}, pairs...)...))
	require.Equal(w.t, http.StatusOK, got.status, got.body)
	var answer struct {
		Secret string `json:"device_code"`
		User   string `json:"user_code"`
		Page   string `json:"verification_uri"`
		Whole  string `json:"verification_uri_complete"`
		Life   int    `json:"expires_in"`
		Every  int    `json:"interval"`
	}
	require.NoError(w.t, json.Unmarshal([]byte(got.body), &answer))
	require.Regexp(w.t, regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`), answer.User)
	require.Equal(w.t, w.url+"/device", answer.Page)
	require.Equal(w.t, answer.Page+"?user_code="+answer.User, answer.Whole)
	require.Equal(w.t, []int{600, 5}, []int{answer.Life, answer.Every})
	return device{answer.Secret, answer.User}
}

func (w *world) poll(d device) tokens {
	w.t.Helper()
	return w.ask("/oauth/token", "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", d.secret)
}

// answer signs a user in and answers about a device.
func (w *world) answer(d device, user, action string) reply {
	w.t.Helper()
	b := w.browser()
	page := w.enter(b, w.get(b, "/device?user_code="+d.user), w.joinCode(user))
	require.Contains(w.t, page.body, "You are signed in as")
	return w.post(b, "/device", form(page, "action", action))
}

func TestADeviceWaitsUntilItIsAllowedAndGetsItsTokensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	d := w.device("scope", "read write admin")
	w.requireRefused(w.poll(d), "authorization_pending")
	w.wait(5 * time.Second)
	w.requireRefused(w.poll(d), "authorization_pending")
	require.Contains(t, w.answer(d, "ann", "allow").body, "You are done here")
	got := w.poll(d)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "read write", got.Scope)
	require.Equal(t, "laptop", w.row(got.Access).Name)
	require.Equal(t, http.StatusOK, w.refresh(got.Refresh).status)
	w.requireRefused(w.poll(d), "invalid_grant")
	require.Contains(t, w.get(w.browser(), "/device?user_code="+d.user).body, noDevice)
}

func TestALostAnswerToADeviceIsGivenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	d := w.device()
	w.answer(d, "ann", "allow")
	lost := w.poll(d)
	w.wait(30 * time.Second)
	alsoLost := w.poll(d)
	w.wait(3 * time.Second)
	told := len(w.told())
	w.requireRefused(w.poll(d), "slow_down")
	require.Len(t, w.told(), told)
	w.wait(2 * time.Second)
	require.Equal(t, http.StatusOK, w.poll(d).status)
	w.wait(25 * time.Second)
	got := w.poll(d)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, w.row(lost.Access).Session, w.row(got.Access).Session, "it is the same login")
	require.NotEqual(t, alsoLost.Refresh, got.Refresh)
	next := w.refresh(got.Refresh)
	require.Equal(t, http.StatusOK, next.status)
	w.requireRefused(w.poll(d), "invalid_grant")
	require.Equal(t, http.StatusOK, w.refresh(next.Refresh).status, "that ended nobody's login")
}

func TestADeviceIsNotAnsweredAgainLaterOrForWhoIsLockedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	late, out := w.device(), w.device()
	w.answer(late, "ann", "allow")
	w.answer(out, "ann", "allow")
	got := w.poll(late)
	w.wait(time.Minute + time.Microsecond)
	w.requireRefused(w.poll(late), "invalid_grant")
	require.Equal(t, http.StatusOK, w.refresh(got.Refresh).status)
	require.Equal(t, http.StatusOK, w.poll(out).status)
	w.change("ann", "member", false)
	w.requireRefused(w.poll(out), "invalid_grant")
}

func TestADeviceThatPollsTooOftenIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.device()
	w.requireRefused(w.poll(d), "authorization_pending")
	w.wait(3 * time.Second)
	w.requireRefused(w.poll(d), "slow_down")
	w.wait(5 * time.Second)
	w.requireRefused(w.poll(d), "slow_down")
	w.wait(15 * time.Second)
	w.requireRefused(w.poll(d), "authorization_pending")
}

func TestADeviceIsDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	d := w.device()
	require.Contains(t, w.answer(d, "ann", "deny").body, "Nothing was allowed")
	w.requireRefused(w.poll(d), "access_denied")
	told := w.told()
	require.Equal(t, Event{UserID: "ann", UserName: "ann", Address: "127.0.0.1", Action: "allow device", Outcome: "denied"}, told[len(told)-1])
}

func TestADeviceExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	d, allowed := w.device(), w.device()
	w.answer(allowed, "ann", "allow")
	b := w.browser()
	page := w.get(b, "/device?user_code="+d.user)
	w.wait(10 * time.Minute)
	w.requireRefused(w.poll(d), "expired_token")
	w.requireRefused(w.poll(allowed), "expired_token")
	require.Contains(t, w.enter(b, page, w.joinCode("ann")).body, noDevice)
	w.requireRefused(w.poll(device{secret: "unknown"}), "invalid_grant")
	w.requireRefused(w.poll(device{}), "invalid_request")
}

func TestADeviceNeedsTheClientAndAScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.ask("/oauth/device_authorization", "client_id", "other")
	require.Equal(t, http.StatusUnauthorized, got.status)
	require.Equal(t, "invalid_client", got.Error)
	w.requireRefused(w.ask("/oauth/device_authorization", "scope", "openid"), "invalid_scope")
}

func TestTheCodeOfADeviceIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.device()
	typed := " " + string(d.user[0]+'a'-'A') + d.user[1:4] + " " + d.user[5:]
	page := w.get(w.browser(), "/device?"+values("user_code", typed).Encode())
	require.Contains(t, page.body, "sp on <bdi>laptop</bdi> wants to act for you")
	require.Contains(t, page.body, "It asked from <bdi>127.0.0.1</bdi> at 12:00:00 UTC, and shows the code <b>"+d.user+"</b>")
	require.Contains(t, page.body, "Go on only if you ran <code>sp login</code> yourself")
	for _, unknown := range []string{"BCDF-GHJK", "x", "' OR 1=1"} {
		page = w.get(w.browser(), "/device?"+values("user_code", unknown).Encode())
		require.Equal(t, http.StatusNotFound, page.status)
		require.Contains(t, page.body, noDevice)
	}
	require.Contains(t, w.get(w.browser(), "/device").body, "Enter the code that sp shows")
}

func TestSomebodyElseMayAnswerAboutADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	w.user("bob", "reader")
	d, b := w.device(), w.browser()
	page := w.enter(b, w.get(b, "/device?user_code="+d.user), w.joinCode("ann"))
	page = w.post(b, "/device", form(page, "action", "sign-out"))
	require.NotContains(t, page.body, "You are signed in as")
	require.Contains(t, w.post(b, "/device", form(page, "action", "allow")).body, notSignedIn)
	require.Contains(t, page.body, meaning["admin"])
	page = w.enter(b, page, w.joinCode("bob"))
	require.NotContains(t, page.body, meaning["write"], "it says what bob may give")
	require.Contains(t, page.body, meaning["read"])
	told := w.told()
	require.Equal(t, Event{UserID: "bob", UserName: "bob", Address: "127.0.0.1", Action: "sign in", Outcome: "done"}, told[len(told)-1])
	w.post(b, "/device", form(page, "action", "allow"))
	require.Equal(t, "read", w.poll(d).Scope)
}

func TestADeviceWhoseScopesAUserLacksIsNotAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "reader")
	d := w.device("scope", "admin")
	require.Contains(t, w.answer(d, "bob", "allow").body, "this user may use none of the scopes asked for")
	w.requireRefused(w.poll(d), "authorization_pending")
}
