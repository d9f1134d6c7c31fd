package torture

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// randomly stands in a path for what is drawn anew in each run.
const randomly = "RANDOM"

var chance = regexp.MustCompile(`\d{4,}`)

// strace runs sp with its system calls of these names told, or tampered with as the
// options say. Without --seccomp-bpf, under which strace 6.1 delivers no signals.
func (sc *scene) strace(names, line string, options ...string) (harness.Outcome, []harness.Call) {
	sc.T.Helper()
	log := sc.beside("strace.log")
	cmd := sc.Command(strings.Fields(line)...)
	cmd.Env = append(cmd.Env, harness.OneThread...)
	harness.Strace(sc.T, cmd, log, append([]string{"-y", "-s", "16", "-e", "trace=" + names}, options...)...)
	var o harness.Outcome
	said := [2]*os.File{}
	for i, name := range []string{"stdout", "stderr"} { // files, so that they can be aimed at by their paths
		file, err := os.Create(sc.beside(name))
		require.NoError(sc.T, err)
		said[i] = file
	}
	cmd.Stdout, cmd.Stderr = said[0], said[1]
	err := cmd.Run()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		require.NoError(sc.T, err)
	}
	o.Exit = cmd.ProcessState.ExitCode()
	for i, to := range []*string{&o.Stdout, &o.Stderr} {
		require.NoError(sc.T, said[i].Close())
		text, err := os.ReadFile(said[i].Name())
		require.NoError(sc.T, err)
		*to = string(text)
	}
	text, err := os.ReadFile(log)
	require.NoError(sc.T, err)
	return o, harness.Calls(string(text), func(_, args string, _ bool) string { return sc.pathIn(args) })
}

// beside is the path of a file that is not part of the project.
func (sc *scene) beside(name string) string { return filepath.Join(filepath.Dir(sc.Dir), name) }

// pathIn says which file of the project a call concerns, from ".", chance taken out; or which
// stream: "stdout" or "stderr".
func (sc *scene) pathIn(text string) string {
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(text, "<"+sc.beside(stream)+">") {
			return stream
		}
	}
	text = strings.ReplaceAll(text, "AT_FDCWD<"+sc.Dir+">", "")
	at := strings.LastIndex(text, sc.Dir)
	if at < 0 {
		return ""
	}
	path := text[at+len(sc.Dir):]
	if end := strings.IndexAny(path, `">`); end >= 0 {
		path = path[:end]
	}
	return "." + chance.ReplaceAllString(path, randomly)
}

// aim returns the path that strace can be told to watch for such calls, or nothing.
func (sc *scene) aim(c harness.Call) string {
	switch {
	case strings.Contains(c.On, randomly):
		return ""
	case strings.HasPrefix(c.On, "."):
		return filepath.Join(sc.Dir, c.On)
	}
	return sc.beside(c.On)
}

func opens(c harness.Call) bool { return c.Name == "open" || c.Name == "openat" }
