package torture

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call is a system call as strace tells it.
type call struct {
	name string
	text string // the whole line, without the process
	path string // in the project, from ".", chance taken out; or "stdout", "stderr"
	// How many of this name there were until now: in its thread, as strace counts for
	// when=, and in all; and the same of those with this path.
	nth, all, nthThere, rank int
}

var (
	callLine = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	chance   = regexp.MustCompile(`\d{4,}`)
)

// randomly stands in a path for what is drawn anew in each run.
const randomly = "RANDOM"

// needStrace is for tests that can't do without; some containers have it and forbid it.
func needStrace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command(need(t, "strace"), "-f", "-qq", "-o", os.DevNull, spPath, "version").CombinedOutput(); err != nil {
		missing(t, "strace can't trace here: "+string(out))
	}
}

// oneThread keeps Go from moving a command that strace slows down to another thread at
// every turn.
var oneThread = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=32", "GOGC=off"}

// strace runs sp with its system calls of these names told, or tampered with as the
// options say. Without --seccomp-bpf, under which strace 6.1 delivers no signals.
func (sc *scene) strace(names, line string, options ...string) (outcome, []call) {
	sc.t.Helper()
	log := sc.beside("strace.log")
	args := append([]string{"strace", "-f", "-qq", "-y", "-s", "16", "-o", log, "-e", "trace=" + names}, options...)
	cmd := sc.command(strings.Fields(line)...)
	cmd.Env = append(cmd.Env, oneThread...)
	cmd.Path, cmd.Args = need(sc.t, "strace"), append(append(args, sc.sp), cmd.Args[1:]...)
	var o outcome
	said := [2]*os.File{}
	for i, name := range []string{"stdout", "stderr"} { // files, so that they can be aimed at by their paths
		file, err := os.Create(sc.beside(name))
		require.NoError(sc.t, err)
		said[i] = file
	}
	cmd.Stdout, cmd.Stderr = said[0], said[1]
	err := cmd.Run()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		require.NoError(sc.t, err)
	}
	o.exit = cmd.ProcessState.ExitCode()
	for i, to := range []*string{&o.stdout, &o.stderr} {
		require.NoError(sc.t, said[i].Close())
		text, err := os.ReadFile(said[i].Name())
		require.NoError(sc.t, err)
		*to = string(text)
	}
	text, err := os.ReadFile(log)
	require.NoError(sc.t, err)
	return o, sc.calls(string(text))
}

// beside is the path of a file that is not part of the project.
func (sc *scene) beside(name string) string { return filepath.Join(filepath.Dir(sc.dir), name) }

// calls parses what strace told. A call that did not end before another thread's is
// told twice and counts where it began.
func (sc *scene) calls(text string) []call {
	var all []call
	counted := map[string]int{}
	next := func(key ...string) int {
		counted[strings.Join(key, " ")]++
		return counted[strings.Join(key, " ")]
	}
	for line := range strings.Lines(text) {
		found := callLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue // a signal, or the second half of a call
		}
		thread, c := found[1], call{name: found[2], text: found[2] + "(" + found[3]}
		c.path = sc.pathIn(c.text)
		c.nth = next("in", thread, c.name)
		c.all = next("all", c.name)
		c.nthThere = next("in", thread, c.name, c.path)
		c.rank = next(c.name, c.path)
		all = append(all, c)
	}
	return all
}

// pathIn says which file of the project a call concerns, or which stream.
func (sc *scene) pathIn(text string) string {
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(text, "<"+sc.beside(stream)+">") {
			return stream
		}
	}
	text = strings.ReplaceAll(text, "AT_FDCWD<"+sc.dir+">", "")
	at := strings.LastIndex(text, sc.dir)
	if at < 0 {
		return ""
	}
	path := text[at+len(sc.dir):]
	if end := strings.IndexAny(path, `">`); end >= 0 {
		path = path[:end]
	}
	return "." + chance.ReplaceAllString(path, randomly)
}

// aim returns the path that strace can be told to watch for such calls, or nothing.
func (sc *scene) aim(c call) string {
	switch {
	case strings.Contains(c.path, randomly):
		return ""
	case strings.HasPrefix(c.path, "."):
		return filepath.Join(sc.dir, c.path)
	}
	return sc.beside(c.path)
}

func (c call) opens() bool { return c.name == "open" || c.name == "openat" }
