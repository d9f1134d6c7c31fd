package login

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	got := w.loggedIn("ann")
	seen := map[string]bool{got.Refresh: true, got.Access: true}
	for range 5 {
		w.wait(23 * time.Hour)
		got = w.refresh(got.Refresh)
		require.Equal(t, http.StatusOK, got.status)
		require.False(t, seen[got.Refresh] || seen[got.Access])
		seen[got.Refresh], seen[got.Access] = true, true
		require.NotNil(t, w.row(got.Access))
	}
}

func TestALostAnswerEndsNobodysLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	first := w.loggedIn("ann")
	lost := w.refresh(first.Refresh)
	w.wait(30 * time.Second)
	alsoLost := w.refresh(first.Refresh)
	w.wait(30 * time.Second)
	got := w.refresh(first.Refresh)
	require.Equal(t, http.StatusOK, got.status)
	require.NotEqual(t, lost.Refresh, got.Refresh)
	require.NotEqual(t, alsoLost.Refresh, got.Refresh)
	w.wait(time.Hour)
	require.Equal(t, http.StatusOK, w.refresh(got.Refresh).status)
}

func TestAnOldTokenEndsItsLogin(t *testing.T) {
	t.Parallel()
	for name, replay := range map[string]func(w *world, first, second tokens) string{
		"a minute later": func(w *world, first, _ tokens) string {
			w.wait(time.Minute + time.Microsecond)
			return first.Refresh
		},
		"after the new one was used": func(w *world, first, second tokens) string {
			w.refresh(second.Refresh)
			return first.Refresh
		},
		"the twin of one that was used": func(w *world, first, second tokens) string {
			twin := w.refresh(first.Refresh)
			w.refresh(second.Refresh)
			return twin.Refresh
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.user("ann", "member")
			first, other := w.loggedIn("ann"), w.loggedIn("ann")
			second := w.refresh(first.Refresh)
			old := replay(w, first, second)
			w.requireRefused(w.refresh(old), "invalid_grant")
			require.Nil(t, w.row(first.Access))
			require.Nil(t, w.row(second.Access))
			w.requireRefused(w.refresh(second.Refresh), "invalid_grant")
			require.NotNil(t, w.row(other.Access))
			told := w.told()
			require.Equal(t, "ended: an old refresh token came back", told[len(told)-1].Outcome)
			require.Equal(t, "ann", told[len(told)-1].UserName)
		})
	}
}

func TestOneTokenAtOnceFromManyLeavesOneLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	first := w.loggedIn("ann")
	got := make([]tokens, 8)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() { got[i] = w.refresh(first.Refresh) })
	}
	wait.Wait()
	for _, one := range got {
		require.Equal(t, http.StatusOK, one.status)
	}
	require.Equal(t, http.StatusOK, w.refresh(got[3].Refresh).status)
	w.requireRefused(w.refresh(got[4].Refresh), "invalid_grant")
}

func TestALoginEndsWithoutRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	got := w.loggedIn("ann")
	w.wait(loginLife - time.Second)
	got = w.refresh(got.Refresh)
	require.Equal(t, http.StatusOK, got.status)
	w.wait(loginLife)
	w.requireRefused(w.refresh(got.Refresh), "invalid_grant")
	w.requireRefused(w.refresh("unknown"), "invalid_grant")
	w.requireRefused(w.refresh(""), "invalid_request")
}

func TestWhoIsNotActiveGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	got, code, typed, b := w.loggedIn("ann"), w.code(w.joinCode("ann")), w.joinCode("ann"), w.browser()
	device := w.device()
	page := w.enter(b, w.get(b, "/device?user_code="+device.user), w.joinCode("ann"))
	require.Contains(t, w.post(b, "/device", form(page, "action", "allow")).body, "You are done here")
	personal := w.personal("ann", "mine", "read", "", time.Hour)

	w.change("ann", "member", false)
	w.requireRefused(w.refresh(got.Refresh), "invalid_grant")
	require.Nil(t, w.row(got.Access))
	w.requireRefused(w.exchange(code), "invalid_grant")
	w.requireRefused(w.poll(device), "invalid_grant")
	asks := w.page(b)
	require.NotContains(t, asks.body, "Continue as")
	require.Contains(t, w.post(b, "/login", form(asks, "action", "continue")).body, notSignedIn)
	for _, secret := range []string{typed, personal} {
		require.Contains(t, w.enter(b, asks, secret).body, wrongCode)
	}
}

func TestARoleThatChangesCutsTheNextToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "admin")
	got, writes := w.loggedIn("ann"), w.loggedIn("ann", "scope", "write")
	w.change("ann", "reader", true)
	got = w.refresh(got.Refresh)
	require.Equal(t, "read", got.Scope)
	require.Equal(t, "read", w.row(got.Access).Scopes)
	w.requireRefused(w.refresh(writes.Refresh), "invalid_scope")
	w.change("ann", "member", true)
	require.Equal(t, "read write secrets", w.refresh(got.Refresh).Scope)
	require.Equal(t, "write", w.refresh(writes.Refresh).Scope, "it was refused, not ended")
}

func TestARefreshMayAskForLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	got := w.loggedIn("ann")
	w.requireRefused(w.refresh(got.Refresh, "scope", "read admin"), "invalid_scope")
	less := w.refresh(got.Refresh, "scope", "read")
	require.Equal(t, "read", w.row(less.Access).Scopes)
	require.Equal(t, "read write secrets", w.refresh(less.Refresh).Scope)
}
