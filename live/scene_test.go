package live

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/registry"
)

// scene is a project whose databases are made on the tests' server as an administrator of
// its own, or by a server of its own.
type scene struct {
	t            *testing.T
	dir          string
	env          []string
	super, admin registry.Secret
}

func newScene(t *testing.T, name string) *scene {
	t.Helper()
	s := &scene{t: t, super: pgtest.Server(t), dir: filepath.Join(workRoot(t), name)}
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "home"), 0o755))
	s.env = plainEnvironment(s.dir)
	t.Cleanup(func() { require.NoError(t, endServers(s.dir)) })
	return s
}

// withAdmin has the databases made on the tests' server.
func (s *scene) withAdmin(role string) *scene {
	s.t.Helper()
	admin, err := makeAdmin(s.super, role)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, dropAll(s.super, role)) })
	s.admin, s.env = admin, append(s.env, "SP_POSTGRES_ADMIN_URL="+admin.Reveal())
	return s
}

// outcome is what a process left behind; exit is -1 for one that a signal ended.
type outcome struct {
	exit           int
	stdout, stderr string
}

func (s *scene) run(program string, args ...string) outcome {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); !errors.As(err, &ended) {
		require.NoError(s.t, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func sp() string { return filepath.Join(os.Getenv(homeVariable), "bin", "sp") }

func (s *scene) sp(args ...string) outcome {
	s.t.Helper()
	return s.run(sp(), args...)
}

func (s *scene) must(args ...string) string {
	s.t.Helper()
	o := s.sp(args...)
	require.Zero(s.t, o.exit, "sp %s: %s%s", strings.Join(args, " "), o.stdout, o.stderr)
	return strings.TrimSuffix(o.stdout, "\n")
}

// agree wants the servers to hold what the registry knows, and nothing else.
func (s *scene) agree() {
	s.t.Helper()
	require.NoError(s.t, checkAgreement(s.dir, s.admin))
}

func (s *scene) isThere(id string) bool {
	s.t.Helper()
	o := s.sp("tenant", "show", id)
	require.Contains(s.t, []int{0, 3}, o.exit, o.stderr)
	return o.exit == 0
}

// url is the URL that is recorded for a tenant.
func (s *scene) url(id string) registry.Secret {
	s.t.Helper()
	return registry.NewSecret(s.must("resolve", "--tenant", id))
}

// opens tells whether a URL leads to a database.
func opens(url registry.Secret) bool {
	_, err := pgtest.Try(url, `SELECT 1`)
	return err == nil
}

// isExported wants tenants.json to have a tenant's URL.
func (s *scene) isExported(id string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, ".systemprompt", "tenants.json"))
	require.NoError(s.t, err)
	require.Contains(s.t, string(text), s.url(id).Reveal())
}

// point is a system call of a command: the n-th of its name in its thread.
type point struct {
	name string
	n    int
}

// writing are the system calls that change what others see.
const writing = "write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate,fallocate,connect,sendto,fchmod"

// oneThread keeps Go from moving a command that strace slows down to another thread at
// every turn.
var oneThread = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=32", "GOGC=off"}

// strace runs sp with its writing calls told, and tampered with as the options say.
func (s *scene) strace(options []string, args []string) (outcome, string) {
	s.t.Helper()
	log := filepath.Join(s.dir, "strace.log")
	traced := *s
	traced.env = append(append([]string{}, s.env...), oneThread...)
	line := append([]string{"-f", "-qq", "-s", "0", "-o", log, "-e", "trace=" + writing}, options...)
	o := traced.run("strace", append(append(line, sp()), args...)...)
	text, err := os.ReadFile(log)
	require.NoError(s.t, err)
	return o, string(text)
}

func needStrace(t *testing.T) {
	t.Helper()
	pgtest.Server(t) // skips where there is none
	out, err := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, sp(), "version").CombinedOutput()
	if err != nil && os.Getenv("SP_REQUIRE_POSTGRES") != "1" {
		t.Skipf("strace can't trace here: %v %s", err, out)
	}
	require.NoError(t, err, "%s", out)
}

var callLine = regexp.MustCompile(`(?m)^(\d+) +(\w+)\(`)

// points lists the calls of a run that nothing happened to, in their order.
func points(log string) (found []point) {
	counted := map[string]int{}
	for _, line := range callLine.FindAllStringSubmatch(log, -1) {
		counted[line[1]+line[2]]++
		found = append(found, point{line[2], counted[line[1]+line[2]]})
	}
	return found
}

// sweep kills a command at every stride-th of its writing calls. There is a fresh begin to
// each, which returns the command; judge is told which one it is, and looks at what is left.
type sweep struct {
	*scene
	stride int
	signal string // KILL without
	begin  func(i int) (args []string)
	judge  func(i int)
}

func (w sweep) run() {
	w.t.Helper()
	args := w.begin(0)
	o, log := w.strace(nil, args)
	require.Zero(w.t, o.exit, o.stderr)
	w.judge(0)
	signal := cmp.Or(w.signal, "KILL")
	all, killed, places := points(log), 0, map[string]bool{}
	stride := w.stride
	if every, err := strconv.Atoi(os.Getenv("SP_LIVE_STRIDE")); err == nil && every > 0 {
		stride = every
	}
	asked := 0
	for i := 0; i < len(all); i += stride {
		asked++
		args := w.begin(asked)
		p := all[i]
		o, log := w.strace([]string{"-e", fmt.Sprintf("inject=%s:signal=%s:when=%d", p.name, signal, p.n)}, args)
		if o.exit == -1 || signal == "INT" && o.exit == 130 {
			killed++
			places[fmt.Sprint(len(callLine.FindAllString(log, -1)))] = true
		}
		w.t.Logf("killed at %s %d: exit %d, %s", p.name, p.n, o.exit, o.stderr)
		require.Contains(w.t, []int{0, -1, 130}, o.exit, "%s %d: %s", p.name, p.n, o.stderr)
		w.judge(asked)
	}
	w.t.Logf("%d of %d points, killed at %d, at %d places", asked, len(all), killed, len(places))
	require.GreaterOrEqual(w.t, 2*killed, asked, "points that no run met")
}
