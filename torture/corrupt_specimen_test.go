package torture

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// specimen is a registry that is damaged and looked at again and again.
type specimen struct {
	place
	whole  []byte                     // sp.db
	export []byte                     // tenants.json
	small  map[string][]byte          // the other files that follow, by their paths, and the sum of sp.db
	right  map[string]harness.Outcome // what the commands of probes answer when all is well
}

// probes are commands that only read, and together read all that there is.
var probes = []string{
	"tenant list --json",
	"tenant show t7 --json --reveal",
	"tenant show big --json --reveal",
	"resolve --tenant t11",
	"resolve",
	"explain --json",
	"status --json --max-age 876000h",
	"profile list --json --all",
	"export -",
}

// cure is a change that has to be refused, or to do what it says.
const cure = "tenant edit t3 --region cured"

func newSpecimen(t *testing.T) *specimen {
	t.Helper()
	s := &specimen{place: placeIn(t, spPath, harness.QuickDir(t))}
	s.Env = append(s.Env, "SP_TRUST="+s.Dir) // where files are put by hand
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "in.json"), []byte(manyTenants(60)), 0o600))
	s.Must("import", "in.json")
	for i := range 20 {
		s.Must("profile", "create", fmt.Sprintf("p%d", i), "--tenant", fmt.Sprintf("t%d", i))
	}
	s.Must("session", "switch", "p2")
	s.Must("profile", "default", "p1")
	s.Must("export")
	s.whole, s.export = mustRead(t, s.Store("sp.db")), mustRead(t, s.Store("tenants.json"))
	s.small = map[string][]byte{}
	for _, pattern := range []string{"profiles/*/*", "sessions/*", "sp.db.sum"} {
		paths, err := filepath.Glob(s.Store(pattern))
		require.NoError(t, err)
		for _, path := range paths {
			s.small[path] = mustRead(t, path)
		}
	}
	s.right = map[string]harness.Outcome{}
	for _, probe := range probes {
		s.right[probe] = s.Run(strings.Fields(probe)...)
		require.Zero(t, s.right[probe].Exit, "%s: %s", probe, s.right[probe].Stderr)
	}
	return s
}

// manyTenants is a tenants.json of n tenants and one whose row needs many pages.
func manyTenants(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"id": "t%d", "name": "tenant %d", "database_url": "postgres://u:s3cret%d@h%d/db", "docker_project": {"x": [%d]}},`, i, i, i, i, i)
	}
	return `{"tenants": [` + text.String() + `{"id": "big", "name": "big", "x": "` + strings.Repeat("x", 30_000) + `"}], "synced_at": "2026-02-01T10:00:00Z"}`
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// infect puts a damaged sp.db into an otherwise untouched directory.
func (s *specimen) infect(damaged []byte) error {
	entries, err := os.ReadDir(s.Store(""))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != ".gitignore" {
			if err := os.RemoveAll(s.Store(e.Name())); err != nil {
				return err
			}
		}
	}
	for path, text := range s.small {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.Store("tenants.json"), s.export, 0o600); err != nil {
		return err
	}
	return os.WriteFile(s.Store("sp.db"), damaged, 0o600)
}

// tooLong is what no command may take, whatever the file holds.
const tooLong = 20 * time.Second

func (s *specimen) try(command string) (harness.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	prepared := s.Command(strings.Fields(command)...)
	cmd := exec.CommandContext(ctx, prepared.Path, prepared.Args[1:]...)
	cmd.Dir, cmd.Env = prepared.Dir, prepared.Env
	o, err := harness.Run(cmd)
	if ctx.Err() != nil {
		return o, fmt.Errorf("%s: no end after %s", command, tooLong)
	}
	return o, err
}

// trouble says what is wrong with how a command took a damaged file, whatever the
// damage: a panic, a bug reported as such, a secret in what is not the answer.
func trouble(command string, o harness.Outcome) string {
	switch {
	case strings.Contains(o.Stderr, "goroutine ") || strings.Contains(o.Stderr, "panic"):
		return command + ": panic: " + o.Stderr
	case o.Exit == 1 || o.Exit < 0:
		return fmt.Sprintf("%s: exit %d: %s", command, o.Exit, strings.Join(strings.Fields(o.Stderr+o.Stdout), " "))
	case o.Exit != 0 && (o.Stderr == "" && !strings.Contains(o.Stdout, `"error"`)):
		return fmt.Sprintf("%s: exit %d without a word", command, o.Exit)
	case o.Exit != 0 && strings.Contains(o.Stdout+o.Stderr, "s3cret"):
		return command + ": shows a secret: " + o.Stdout + o.Stderr
	}
	return ""
}
