package live

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/secret"
)

// TestACreationWhosePlaneIsKilledMakesOneDatabase wherever that is: who asked asks again with the
// same key, and has a tenant whose credentials open its database. Nothing else is left on the server.
func TestACreationWhosePlaneIsKilledMakesOneDatabase(t *testing.T) {
	needStrace(t)
	t.Parallel()
	h := newHost(t, "kill_plane_create")
	h.addRegion("iad", h.admin)
	anna := h.user("anna", "member", "read,write,secrets")
	h.sweep(7, func(i int) {
		name := fmt.Sprint("k", i)
		made := h.insist(anna, "POST", "/api/v1/tenants", `{"name":"`+name+`","region":"iad"}`, "Idempotency-Key: a-key-to-create-"+name)
		require.Equal(t, 202, made.status, "%s", made.text)
		id := made.member("data.id")
		h.insistReady(anna, id)
	}, func(i int) {
		brief := string(h.insist(anna, "GET", "/api/v1/tenants", "").text)
		require.Equal(t, 1, strings.Count(brief, fmt.Sprintf(`"name":"k%d"`, i)), brief)
		require.Equal(t, i+1, strings.Count(brief, `"id":`), brief)
		ids, err := askedOf(h.registry(), fmt.Sprintf(`SELECT id FROM tenants WHERE name = 'k%d'`, i))
		require.NoError(t, err)
		require.Len(t, ids, 1)
		require.True(t, opens(h.url(anna, ids[0])))
		h.agree()
	})
}

// TestARotationWhosePlaneIsKilledLosesNoCredential: at every moment one that is known opens the
// database, and what is answered in the end does, and nothing else.
func TestARotationWhosePlaneIsKilledLosesNoCredential(t *testing.T) {
	needStrace(t)
	for _, grace := range []string{"600", "0"} {
		t.Run("grace "+grace, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "kill_plane_rotate_"+grace)
			h.addRegion("iad", h.admin)
			anna := h.user("anna", "member", "read,write,secrets")
			h.start()
			id := h.ready(anna, "k")
			path := "/api/v1/tenants/" + id
			var before, after secret.Secret
			h.killed = func() {
				require.True(t, opens(before) || opens(h.recorded()), "no credential that is known works")
			}
			before = h.url(anna, id)
			h.sweep(7, func(i int) {
				a := h.insist(anna, "POST", path+"/rotate-credentials", `{"grace_seconds":`+grace+`}`, fmt.Sprint("Idempotency-Key: a-key-to-rotate-", i))
				require.Equal(t, 200, a.status, "%s", a.text)
				after = secret.New(a.member("internal_database_url"))
				require.True(t, opens(after), "what was answered does not work")
			}, func(i int) {
				require.False(t, after.Equal(before))
				require.True(t, opens(after), "what was answered does not work any more")
				require.True(t, h.url(anna, id).Equal(after), "another one is published")
				if grace == "0" {
					h.await(func() bool { return !opens(before) })
				}
				h.agree()
				if before = after; grace != "0" { // else the next one is refused
					a := h.insist(anna, "POST", path+"/rotate-credentials", `{"grace_seconds":0}`, fmt.Sprint("Idempotency-Key: a-key-to-end-it-", i))
					before = secret.New(a.member("internal_database_url"))
				}
			})
		})
	}
}

// recorded is the URL of the only tenant in the registry, as whoever goes on with it reads it: what a
// process left that was killed is played back in a copy.
func (h *host) recorded() secret.Secret {
	h.t.Helper()
	dir := h.t.TempDir()
	for _, name := range []string{"sp.db", "sp.db-journal"} {
		text, err := os.ReadFile(filepath.Join(h.dir(), name))
		require.NoError(h.t, err)
		require.NoError(h.t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	urls, err := harness.Column(harness.OpenSQLite(h.t, filepath.Join(dir, "sp.db")), `SELECT database_url FROM tenants`)
	require.NoError(h.t, err)
	require.Len(h.t, urls, 1)
	return secret.New(urls[0])
}

// TestASyncTokenWhosePlaneIsKilledIsTheOneThatWasAnsweredLast.
func TestASyncTokenWhosePlaneIsKilledIsTheOneThatWasAnsweredLast(t *testing.T) {
	needStrace(t)
	t.Parallel()
	h := newHost(t, "kill_plane_token")
	h.addRegion("iad", h.admin)
	anna := h.user("anna", "member", "read,write,secrets")
	h.start()
	id := h.ready(anna, "k")
	var token string
	h.sweep(7, func(i int) {
		a := h.insist(anna, "POST", "/api/v1/tenants/"+id+"/rotate-sync-token", "", fmt.Sprint("Idempotency-Key: a-key-for-a-token-", i))
		require.Equal(t, 200, a.status, "%s", a.text)
		token = a.member("sync_token")
	}, func(int) {
		hash := sha256.Sum256([]byte(token))
		good, err := askedOf(h.dir()+"/serve.db", `SELECT hash FROM tokens WHERE kind = 'sync'`)
		require.NoError(t, err)
		require.Equal(t, []string{hex.EncodeToString(hash[:])}, good)
	})
}

// sweep has something asked of a control plane that is killed at every stride-th system call from
// then on, until that has an answer. judge looks at what is there in the end.
func (h *host) sweep(stride int, act, judge func(i int)) {
	h.t.Helper()
	h.startDoomed()
	h.prepare(0)
	h.doom.Store(0)
	act(0)
	calls := int(-h.doomNow())
	judge(0)
	i, met := 0, 0
	for n := 1; n <= calls; n += every(stride) {
		i++
		doomed := h.plane
		h.prepare(i)
		h.doom.Store(int64(n))
		act(i)
		killed := h.doomNow() <= 0
		if killed && h.plane == doomed { // behind the last answer
			h.startAgain()
		}
		judge(i)
		if killed {
			met++
			h.startDoomed()
		}
	}
	h.t.Logf("%d calls, killed at %d of %d", calls, met, i)
	require.Greater(h.t, calls, 20)
	require.GreaterOrEqual(h.t, 10*met, 9*i, "calls that no run met")
}

// prepare does what is to be there before something is asked, and has all its calls be over.
func (h *host) prepare(i int) {
	h.t.Helper()
	if h.prepared != nil {
		h.prepared(i)
		h.doomNow()
	}
}

// spared is the doom of a control plane that nobody is about to kill.
const spared = int64(1) << 32

// caughtUp is what the test tells itself, in the line of what strace tells.
const caughtUp = "caught up"

// doomNow tells how many calls are left, once follow has seen all that were made, and spares
// the control plane from now on.
func (h *host) doomNow() int64 {
	h.t.Helper()
	_, err := h.calls.WriteString(caughtUp + "\n")
	require.NoError(h.t, err)
	<-h.followed
	return h.doom.Swap(spared)
}

// startDoomed has spd serve under strace. As soon as it has made as many of the calls that change what
// others see as doom says, it is killed.
func (h *host) startDoomed() {
	h.t.Helper()
	if h.plane != nil && h.runs() {
		require.NoError(h.t, h.plane.stop())
	}
	h.doom.Store(spared)
	read, write, err := os.Pipe()
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = write.Close() })
	h.calls, h.followed = write, make(chan struct{})
	go h.follow(read, h.followed)
	cmd := harness.Strace(h.t, h.serving("--listen", "127.0.0.1:0"), "/dev/fd/3", "--seccomp-bpf", "-s", "0", "-e", "trace="+writing, "-e", "signal=none")
	cmd.ExtraFiles = []*os.File{write}
	h.startAs(cmd)
	h.doomNow() // what it did to start is no call that was asked for
}

// follow counts the calls of which strace tells, and kills who makes them in time.
func (h *host) follow(calls *os.File, caught chan<- struct{}) {
	defer func() { _ = calls.Close() }()
	for lines := bufio.NewScanner(calls); lines.Scan(); {
		if strings.HasSuffix(lines.Text(), caughtUp) { // strace may be in the middle of a line
			caught <- struct{}{}
			continue
		}
		thread, call, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(thread)
		if err != nil || strings.Contains(call, "resumed>") {
			continue // the rest of a line
		}
		if h.doom.Add(-1) == 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // a thread of it stands for all
		}
	}
}

// insist asks until there is an answer. Where spd has ended, it is started again.
func (h *host) insist(who account, method, path, body string, headers ...string) answer {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		a, err := callPlane(h.t.Context(), h.plane.url, who.token, method, path, body, headers...)
		if err == nil && !slices.Contains([]int{http.StatusConflict, http.StatusLocked, http.StatusServiceUnavailable}, a.status) {
			return a
		}
		if err == nil {
			require.NotEmpty(h.t, a.header.Get("Retry-After"), "%s", a.text)
			time.Sleep(20 * time.Millisecond)
			continue
		}
		h.startAgain()
	}
	require.Fail(h.t, "busy for a minute", "%s %s", method, path)
	return answer{}
}

// startAgain starts a control plane that is being killed, once it has ended.
func (h *host) startAgain() {
	h.t.Helper()
	select {
	case <-h.plane.end:
	case <-time.After(time.Minute):
		require.Fail(h.t, "no answer, and it has not ended", "%s", h.plane.said)
	}
	if h.killed != nil {
		h.killed()
	}
	h.start()
}

func (h *host) insistReady(who account, id string) {
	h.t.Helper()
	h.await(func() bool {
		return h.insist(who, "GET", "/api/v1/tenants/"+id+"/status", "").member("data.status") == "ready"
	})
}
