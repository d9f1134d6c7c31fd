package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

// sandbox is a machine to run spd on, within this process: an empty home, and a clock that stands still.
type sandbox struct {
	t      *testing.T
	home   string
	env    map[string]string
	stdin  string
	people bool // the streams count as a terminal
	random *rand.ChaCha8
	asks   func(url string) // one that serves, before it ends; nil for nothing
}

// outcome is what a run of spd leaves behind.
type outcome struct {
	exit           int
	stdout, stderr string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	home := t.TempDir()
	return &sandbox{t: t, home: home, env: map[string]string{"HOME": home}, random: rand.NewChaCha8([32]byte{})}
}

// dir is where spd keeps its files, unless it is told otherwise.
func (s *sandbox) dir() string { return filepath.Join(s.home, ".local", "share", "spd") }

// run runs `spd ARGUMENT...`. One that serves ends once it says that it listens.
func (s *sandbox) run(args ...string) outcome {
	s.t.Helper()
	streams := s.t.TempDir()
	open := func(name, text string) *os.File {
		path := filepath.Join(streams, name)
		require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(s.t, err)
		s.t.Cleanup(func() { _ = file.Close() })
		return file
	}
	exit := program().Run(s.t.Context(), append([]string{"spd"}, args...), cli.World{
		Stdin: open("stdin", s.stdin), Stdout: open("stdout", ""), Stderr: open("stderr", ""),
		LookupEnv: func(name string) (string, bool) {
			value, ok := s.env[name]
			return value, ok
		},
		Environ:          func() []string { return nil },
		WorkingDirectory: func() (string, error) { return s.home, nil },
		Now:              func() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) },
		Random:           s.random,
		Terminal:         func(int) bool { return s.people },
		UntilSignal: func(ctx context.Context) (context.Context, func()) {
			ctx, end := context.WithCancel(ctx)
			go func() {
				defer end()
				for ctx.Err() == nil {
					text, err := os.ReadFile(filepath.Join(streams, "stderr"))
					if _, at, serves := strings.Cut(string(text), "listening on "); serves && s.asks != nil {
						s.asks(strings.Fields(at)[0])
						return
					} else if err != nil || serves {
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
			return ctx, end
		},
	})
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(streams, name))
		require.NoError(s.t, err)
		return string(text)
	}
	return outcome{exit: exit, stdout: read("stdout"), stderr: read("stderr")}
}

// must is run for what has to work.
func (s *sandbox) must(args ...string) outcome {
	s.t.Helper()
	o := s.run(args...)
	require.Zero(s.t, o.exit, "%v: %s", args, o.stderr)
	return o
}

// refuses is run for what has to be refused with an exit code and a code word.
func (s *sandbox) refuses(exit int, code string, args ...string) cli.Failure {
	s.t.Helper()
	o := s.run(append(args, "--json")...)
	require.Equal(s.t, exit, o.exit, "%v: %s%s", args, o.stdout, o.stderr)
	var told struct{ Error cli.Failure }
	require.NoError(s.t, json.Unmarshal([]byte(o.stdout), &told), "%s", o.stdout)
	require.Equal(s.t, code, told.Error.Code)
	return told.Error
}
