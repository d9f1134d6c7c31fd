package main

import (
	"bufio"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newCalmLife is a life without harm, whose tenant is id; nothing for one that is not made yet.
func newCalmLife(t *testing.T, name string) (l *life, id string) {
	t.Helper()
	p := newRealPlane(t)
	l = &life{sandbox: newSandbox(t), plane: p, token: p.mustToken("anna")}
	l.patience = 10 * time.Second // so that a key is used once
	delete(l.env, "SP_OFFLINE")
	l.stdin = l.token
	l.must("login", "--token-stdin", p.http.URL)
	l.must("init")
	if name == "" {
		return l, ""
	}
	id = strings.TrimSpace(l.must("tenant", "create", "--region", "iad", "--name", name).stdout)
	l.check(0, id)
	return l, id
}

// beside is the project as another command sees it at the same time. What it says goes to told.
func (l *life) beside() (other *sandbox, told *os.File) {
	l.t.Helper()
	told, screen, err := os.Pipe()
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _, _ = told.Close(), screen.Close() })
	o := *l.sandbox
	o.screen, o.chance = screen, rand.NewChaCha8([32]byte{1})
	return &o, told
}

// waitsIn tells when what a command says, says that it waits for another one.
func waitsIn(told *os.File) <-chan bool {
	waits := make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(told); lines.Scan(); {
			if strings.Contains(lines.Text(), "waiting for another command") {
				waits <- true
			}
		}
	}()
	return waits
}

// race runs two commands at once. The second begins when the control plane has served the request of the
// first that is named, and the first gets the answer when the second waits for it, or has got as far, or has
// ended. If the second gets as far, it gets its answer once the first has ended.
func (l *life) race(method, path string, first, second []string) (a, b outcome) {
	l.t.Helper()
	other, told := l.beside()
	waits, far, over, firstOver := waitsIn(told), make(chan bool, 1), make(chan bool), make(chan bool)
	var mu sync.Mutex
	met, inner := 0, l.plane.http.Config.Handler
	l.plane.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nth := 0
		if r.Method == method && strings.HasSuffix(r.URL.Path, path) {
			mu.Lock()
			met++
			nth = met
			mu.Unlock()
		}
		answer := httptest.NewRecorder()
		inner.ServeHTTP(answer, r)
		switch nth {
		case 1:
			go func() { defer close(over); b = other.run(second...) }()
			select {
			case <-waits:
			case <-far:
			case <-over:
			}
		case 2:
			if method == http.MethodPost {
				far <- true
				<-firstOver
			}
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
	a = l.run(first...)
	close(firstOver)
	<-over
	return a, b
}

// TestOfTwoCommandsAtOnceTheRegistryHasWhatTheControlPlaneGaveLast, whichever of them ends first.
func TestOfTwoCommandsAtOnceTheRegistryHasWhatTheControlPlaneGaveLast(t *testing.T) {
	t.Parallel()
	for what, one := range map[string]struct{ method, path, first, second string }{
		"two new tokens":               {"POST", "/rotate-sync-token", "tenant rotate-sync-token ID -y", "tenant rotate-sync-token ID -y"},
		"two new passwords":            {"POST", "/rotate-credentials", "tenant rotate-credentials ID -y", "tenant rotate-credentials ID -y"},
		"a fetch and a new password":   {"GET", "/credentials", "tenant provision ID", "tenant rotate-credentials ID -y --now"},
		"an edit and a new password":   {"GET", "/credentials", "tenant edit ID --external-db-access", "tenant rotate-credentials ID -y --now"},
		"two creations, at the tenant": {"POST", "/api/v1/tenants", "tenant create --region iad --name shop", "tenant create --region iad --name shop"},
		"two creations, at the token":  {"POST", "/rotate-sync-token", "tenant create --region iad --name shop", "tenant create --region iad --name shop --select"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := "shop"
			if strings.Contains(one.first, "create") {
				name = ""
			}
			l, id := newCalmLife(t, name)
			line := func(text string) []string { return strings.Fields(strings.ReplaceAll(text, "ID", id)) }
			a, b := l.race(one.method, one.path, line(one.first), line(one.second))
			require.Zero(t, a.exit, a.stderr)
			require.Zero(t, b.exit, "the second: %s", b.stdout)
			if name == "" {
				id = strings.TrimSpace(a.stdout)
				require.Equal(t, a.stdout, b.stdout)
			}
			l.check(0, id)
			require.Len(t, l.there(`SELECT id FROM tenants`), 1)
		})
	}
}

// TestWhoReachesNobodyEndsNoCallThatAnotherCommandHasSent: the control plane may have made the tenant, and
// nobody would know the key any more.
func TestWhoReachesNobodyEndsNoCallThatAnotherCommandHasSent(t *testing.T) {
	t.Parallel()
	l, _ := newCalmLife(t, "")
	var mu sync.Mutex
	keys := map[string]bool{}
	l.plane.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		keys[r.Header.Get("Idempotency-Key")] = true
		answer(w, http.StatusServiceUnavailable, map[string]any{"title": "closed for today"})
	})
	online, told := l.beside()
	waits, over := waitsIn(told), make(chan bool)
	offline := *l.sandbox
	offline.env = maps.Clone(l.env)
	offline.env["SP_OFFLINE"] = "1"
	offline.asking = func(string) {
		if len(l.here(`SELECT key FROM cloud_calls`)) == 0 {
			return
		}
		offline.asking = nil
		go func() { defer close(over); online.run(createShop...) }()
		select {
		case <-waits:
		case <-over:
		}
	}
	require.Equal(t, 9, offline.run(createShop...).exit)
	<-over
	require.Len(t, keys, 1)
	require.Equal(t, slices.Collect(maps.Keys(keys)), l.here(`SELECT key FROM cloud_calls`))
}
