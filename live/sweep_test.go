package live

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

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
// each, which returns the command; judge is told which one it is, what it said,
// and looks at what is left.
type sweep struct {
	*scene
	stride int
	signal string // KILL without
	begin  func(i int) (args []string)
	judge  func(i int, o outcome)
}

func (w sweep) run() {
	w.t.Helper()
	args := w.begin(0)
	o, log := w.strace(nil, args)
	require.Zero(w.t, o.exit, o.stderr)
	w.judge(0, o)
	all, killed, asked, places := points(log), 0, 0, map[string]bool{}
	for i := 0; i < len(all); i += w.every() {
		asked++
		args := w.begin(asked)
		p := all[i]
		o, log := w.strace([]string{"-e", fmt.Sprintf("inject=%s:signal=%s:when=%d", p.name, cmp.Or(w.signal, "KILL"), p.n)}, args)
		if o.exit == -1 || o.exit == 130 {
			killed++
			places[fmt.Sprint(len(callLine.FindAllString(log, -1)))] = true
		}
		w.t.Logf("killed at %s %d: exit %d, %s", p.name, p.n, o.exit, o.stderr)
		require.Contains(w.t, []int{0, -1, 130, 9}, o.exit, "%s %d: %s", p.name, p.n, o.stderr) // 9: it was a child of its
		w.judge(asked, o)
	}
	w.t.Logf("%d of %d points, killed at %d, at %d places", asked, len(all), killed, len(places))
	require.GreaterOrEqual(w.t, 2*killed, asked, "points that no run met")
}

// every is the stride; SP_LIVE_STRIDE names another one, 1 for every point.
func (w sweep) every() int {
	if stride, err := strconv.Atoi(os.Getenv("SP_LIVE_STRIDE")); err == nil && stride > 0 {
		return stride
	}
	return w.stride
}
