package torture

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// outage is a directory, the calls that were made in it, and what it held before and behind them.
type outage struct {
	dir         string
	start, left tree
	calls       []event
	// acknowledges tells that a call told somebody of what was done.
	acknowledges func(event) bool
}

// states calls each with some of the states that differ of what a cut could leave, limit of them at most
// between two acknowledgements, and with how many of those there were.
func (o outage) states(t *testing.T, limit int, each func(x tree, acknowledged int)) {
	t.Helper()
	stride, judged := 1, 0
	for _, judges := range []bool{false, true} {
		seen, acknowledged := map[string]bool{}, 0
		r := &replay{disk: newDisk(o.start), dir: o.dir, offsets: map[string]int{}}
		for _, e := range o.calls {
			require.NoError(t, r.follow(e))
			told := o.acknowledges(e)
			if told {
				acknowledged++
			} else if len(r.paths(e)) == 0 {
				continue // nothing has changed
			}
			r.afterCut(func(x tree, _ bool) {
				key := fmt.Sprint(acknowledged, x.digest())
				if seen[key] {
					return
				}
				seen[key] = true
				if judges && (len(seen)%stride == 0 || told) {
					judged++
					each(x, acknowledged)
				}
			})
		}
		if !judges {
			stride = len(seen)/limit + 1
			continue
		}
		t.Logf("%d calls, %d states that differ, %d judged, %d acknowledged", len(o.calls), len(seen), judged, acknowledged)
		running := tree{}
		r.root.running("", running)
		require.Equal(t, withoutShared(o.left).listing(), withoutShared(running).listing())
		require.Equal(t, withoutShared(o.left).digest(), withoutShared(running).digest(), "the replay went another way than the programs")
	}
}

// withoutShared leaves out what needs not outlast a power cut, and which no call shows that has its path: the
// memory that processes share, and their lock.
func withoutShared(x tree) tree {
	left := tree{}
	for path, n := range x {
		if !strings.HasSuffix(path, "-shm") && filepath.Base(path) != ".lock" {
			left[path] = node{mode: n.mode, data: n.data}
		}
	}
	return left
}

// traced has strace tell every byte that a command writes.
func traced(t *testing.T, cmd *exec.Cmd, log string) *exec.Cmd {
	t.Helper()
	return harness.Strace(t, cmd, log, "-y", "-xx", "-s", "100000000", "-e", "trace=exit_group,"+writes)
}

func mustParse(t *testing.T, log string) []event {
	t.Helper()
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	calls, err := parse(string(text))
	require.NoError(t, err)
	return calls
}

// planeIn is spd in a place of its own, which holds its program, its home and, in spd, what it keeps.
type planeIn string

func newPlane(t *testing.T, base string) planeIn {
	t.Helper()
	p := planeIn(base)
	require.NoError(t, harness.BuildPlane(p.program()))
	return p
}

func (p planeIn) program() string { return filepath.Join(string(p), "program") }
func (p planeIn) dir() string     { return filepath.Join(string(p), "spd") }

func (p planeIn) command(words ...string) *exec.Cmd {
	cmd := exec.Command(p.program(), append(words, "--dir", p.dir())...)
	cmd.Env = harness.Environment(string(p))
	return cmd
}

func (p planeIn) serving() *exec.Cmd { return p.command("--listen", "127.0.0.1:0") }

// token is a personal token of a new user.
func (p planeIn) token(t *testing.T, name string) string {
	t.Helper()
	require.NoError(t, p.command("user", "add", name).Run())
	said, err := p.command("token", "create", name, "--scopes", "read,write,secrets").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(said))
}

// start runs spd, and returns where it listens.
func start(t *testing.T, cmd *exec.Cmd) *url.URL {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines, all, at := bufio.NewReader(said), "", ""
	for at == "" {
		line, err := lines.ReadString('\n')
		all += line
		require.NoError(t, err, all)
		_, at, _ = strings.Cut(strings.TrimSpace(line), "listening on ")
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	target, err := url.Parse(at)
	require.NoError(t, err)
	return target
}

// end ends spd as its operator does.
func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

// TestPowerCutLosesNoTenantThatAControlPlaneAnswered: of sp.db and serve.db a cut may leave what it likes of what
// was not durable; the control plane starts, and whoever asks again with his key gets the one tenant, the
// same where he had an answer.
func TestPowerCutLosesNoTenantThatAControlPlaneAnswered(t *testing.T) {
	limit := sized(t, 50, 1_000_000)
	harness.NeedStrace(t)
	t.Parallel()
	p := newPlane(t, harness.QuickDir(t))
	o := outage{dir: p.dir(), acknowledges: func(e event) bool {
		return e.name == "write" && strings.HasPrefix(e.args[1].text, "HTTP/1.1 202")
	}}
	token := p.token(t, "anna")
	addRegion(t, o.dir)
	var err error
	o.start, err = readTree(o.dir)
	require.NoError(t, err)

	var made []string
	log := filepath.Join(t.TempDir(), "strace.log")
	cmd := traced(t, p.serving(), log)
	handler := asHandler(start(t, cmd))
	for i := range 2 {
		status, id := create(handler, token, i)
		require.Equal(t, http.StatusAccepted, status, id)
		made = append(made, id)
	}
	end(t, cmd)
	o.calls = mustParse(t, log)
	o.left, err = readTree(o.dir)
	require.NoError(t, err)
	o.states(t, limit, func(x tree, acknowledged int) {
		require.NoError(t, x.layOut(o.dir))
		cmd := p.serving()
		handler := asHandler(start(t, cmd))
		defer end(t, cmd)
		for i, id := range made {
			status, again := create(handler, token, i)
			require.Equal(t, http.StatusAccepted, status, "a cut after %d answers: %s", acknowledged, again)
			if i < acknowledged {
				require.Equal(t, id, again, "a cut after %d answers: tenant %d is another one", acknowledged, i)
			}
		}
		require.Len(t, tenantsOf(t, handler, token), len(made), "a cut after %d answers", acknowledged)
	})
}

// addRegion adds a region whose server nobody listens for.
func addRegion(t *testing.T, dir string) {
	t.Helper()
	reg, err := registry.Open(t.Context(), filepath.Join(dir, "sp.db"), registry.Options{
		Now: time.Now, Rand: rand.Reader, Wait: time.Minute, Command: "test", Trust: db.Trust{Named: true},
	})
	require.NoError(t, err)
	one, err := registry.ServerAt(secret.New("postgres://admin:pw@127.0.0.1:1/postgres"))
	require.NoError(t, err)
	require.NoError(t, reg.AddRegion(t.Context(), "iad", one))
	require.NoError(t, reg.Close())
}

// asHandler answers as a server elsewhere does.
func asHandler(target *url.URL) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host, out.Host = "", target.Scheme, target.Host, ""
		response, err := http.DefaultClient.Do(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = response.Body.Close() }()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
}

// create asks for a tenant with a key of its own, and returns its id, or what was said instead.
func create(handler http.Handler, token string, i int) (status int, id string) {
	got := ask(handler, token, http.MethodPost, fmt.Sprintf(`{"name":"t%d","region":"iad"}`, i), fmt.Sprintf("a-key-of-the-creation-%d", i))
	var answer struct {
		Data struct{ ID string }
	}
	if json.Unmarshal(got.Body.Bytes(), &answer) != nil || answer.Data.ID == "" {
		return got.Code, got.Body.String()
	}
	return got.Code, answer.Data.ID
}

func ask(handler http.Handler, token, method, body, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/v1/tenants", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	got := httptest.NewRecorder()
	handler.ServeHTTP(got, r)
	return got
}

func tenantsOf(t *testing.T, handler http.Handler, token string) []json.RawMessage {
	t.Helper()
	got := ask(handler, token, http.MethodGet, "", "")
	var answer struct{ Data []json.RawMessage }
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &answer), "%s", got.Body)
	return answer.Data
}

// TestPowerCutLeavesTheOldOrTheNewLogin: credentials.json is never half of one, and what is there can be used.
func TestPowerCutLeavesTheOldOrTheNewLogin(t *testing.T) {
	limit := sized(t, 30, 1_000_000)
	harness.NeedStrace(t)
	t.Parallel()
	base := harness.QuickDir(t)
	there := newPlane(t, filepath.Join(base, "there"))
	cmd := there.serving()
	at := start(t, cmd)
	defer end(t, cmd)
	p := placeIn(t, spPath, filepath.Join(base, "anna"))
	require.NoError(t, os.MkdirAll(filepath.Join(p.Dir, "home"), 0o700))       // what vouches for a login is on the same disk
	p.Env = harness.Environment(filepath.Join(p.Dir, "home"), "PATH=/nowhere") // git would end before sp
	for _, name := range []string{"anna", "bert"} {                            // the first login, and one in its place
		cutLogin(t, p, at.String(), there.token(t, name), limit)
	}
}

// cutLogin has power cuts come while a command logs in.
func cutLogin(t *testing.T, p place, at, token string, limit int) {
	t.Helper()
	o := outage{dir: p.Dir, acknowledges: func(e event) bool { return e.name == "exit_group" }}
	var err error
	o.start, err = readTree(p.Dir)
	require.NoError(t, err)
	log := filepath.Join(t.TempDir(), "strace.log")
	cmd := traced(t, p.Command("login", "--token-stdin", at), log)
	cmd.Stdin = strings.NewReader(token)
	told := p.Ran(cmd)
	require.Zero(t, told.Exit, told.Stderr)
	o.calls = mustParse(t, log)
	o.left, err = readTree(p.Dir)
	require.NoError(t, err)

	const path = ".systemprompt/credentials.json"
	before, after := o.start[path].data, o.left[path].data
	require.NotEqual(t, before, after)
	o.states(t, limit, func(x tree, acknowledged int) {
		is, there := x[path]
		require.True(t, bytes.Equal(is.data, before) || bytes.Equal(is.data, after), "it is neither: %q", is.data)
		require.True(t, acknowledged == 0 || bytes.Equal(is.data, after), "a login that was acknowledged is lost")
		if !there {
			return
		}
		require.Equal(t, fs.FileMode(0o600), is.mode.Perm())
		require.NoError(t, x.layOut(p.Dir))
		who := p.Run("whoami")
		require.Zero(t, who.Exit, "%s\n%s", who.Stderr, x.listing())
	})
	require.NoError(t, o.left.layOut(p.Dir))
}
