package main

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

// sandbox is a directory to run sp in, within this process: nothing of the machine
// but that directory, and a clock that stands still until a test moves it.
type sandbox struct {
	t        *testing.T
	dir      string
	env      map[string]string
	stdin    string
	terminal bool   // the streams count as a terminal
	stdout   string // the file to answer into, where that is not a fresh one
	now      time.Time
	patience time.Duration // with a control plane, whose tries then have no pauses
	step     time.Duration // by which the clock goes on whenever it is asked
	screen   *os.File      // stderr, where that is not a fresh file
	environ  []string      // what children inherit
	chance   *rand.ChaCha8
	git      string            // the path of the program; none at first
	asking   func(name string) // called before a variable is looked up, if set

	replaced, given []string // what the process was replaced with, and its environment
	service         string   // what it could read of PGSERVICEFILE
}

// noon is the time in every sandbox at first.
var noon = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// outcome is what a run of sp leaves behind.
type outcome struct {
	exit           int
	stdout, stderr string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	dir := t.TempDir() // also where a registry is copied into it, which is not this user's by itself
	return &sandbox{t: t, dir: dir, env: map[string]string{"SP_OFFLINE": "1", "SP_DATA_DIR": t.TempDir(), "SP_TRUST": dir}, now: noon}
}

// run runs `sp ARGUMENT...`. The streams are files, as a shell would redirect them.
func (s *sandbox) run(args ...string) outcome {
	s.t.Helper()
	streams := s.t.TempDir()
	open := func(name, text string) *os.File {
		path := filepath.Join(streams, name)
		require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(s.t, err)
		return file
	}
	stdin, stdout, stderr := open("stdin", s.stdin), open("stdout", ""), open("stderr", "")
	answer := stdout
	if s.stdout != "" {
		var err error
		answer, err = os.OpenFile(s.stdout, os.O_WRONLY, 0)
		require.NoError(s.t, err)
		defer func() { _ = answer.Close() }()
	}
	told := stderr
	if s.screen != nil {
		told = s.screen
	}
	exit := program().Run(s.t.Context(), append([]string{"sp"}, args...), cli.World{
		Stdin: stdin, Stdout: answer, Stderr: told,
		LookupEnv: func(name string) (string, bool) {
			if s.asking != nil {
				s.asking(name)
			}
			value, ok := s.env[name]
			return value, ok
		},
		WorkingDirectory: func() (string, error) { return s.dir, nil },
		Now: func() time.Time {
			s.now = s.now.Add(s.step)
			return s.now
		},
		Random:   s.random(),
		Sleep:    s.sleep(),
		Patience: s.patience,
		Terminal: func(int) bool { return s.terminal },
		Git:      func() string { return s.git },
		Start:    (*exec.Cmd).Start,
		Environ:  func() []string { return s.environ },
		Replace: func(program string, args, environ []string) error {
			s.replaced = append([]string{program}, args...)
			s.given, s.service = environ, ""
			for _, variable := range environ {
				if path, ok := strings.CutPrefix(variable, "PGSERVICEFILE="); ok {
					text, err := os.ReadFile(path)
					require.NoError(s.t, err)
					s.service = string(text)
				}
			}
			return nil
		},
		UntilSignal: func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
	})
	read := func(file *os.File) string {
		_, err := file.Seek(0, io.SeekStart)
		require.NoError(s.t, err)
		text, err := io.ReadAll(file)
		require.NoError(s.t, err)
		require.NoError(s.t, file.Close())
		return string(text)
	}
	_ = stdin.Close()
	return outcome{exit: exit, stdout: read(stdout), stderr: read(stderr)}
}

// random is the same in each run; with a control plane it goes on, since a key is used once there.
func (s *sandbox) random() io.Reader {
	if s.patience == 0 || s.chance == nil {
		s.chance = rand.NewChaCha8([32]byte{})
	}
	return s.chance
}

// sleep waits for nothing where a control plane is tried in many ways.
func (s *sandbox) sleep() func(context.Context, time.Duration) error {
	if s.patience == 0 {
		return nil
	}
	return func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
}

// must is run for what has to work.
func (s *sandbox) must(args ...string) outcome {
	s.t.Helper()
	o := s.run(args...)
	require.Zero(s.t, o.exit, "sp %s: %s%s", strings.Join(args, " "), o.stdout, o.stderr)
	return o
}

// write makes a file in the sandbox and returns its path.
func (s *sandbox) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// read returns what a file of the sandbox holds.
func (s *sandbox) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	require.NoError(s.t, err)
	return string(text)
}

// code returns the code word of a failure that was answered with --json.
func (o outcome) code(t *testing.T) string {
	t.Helper()
	require.NoError(t, checkDocument(o.stdout, true), "stdout: %s", o.stdout)
	var document struct{ Error cli.Failure }
	require.NoError(t, json.Unmarshal([]byte(o.stdout), &document))
	return document.Error.Code
}
