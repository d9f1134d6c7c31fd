package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hintedCommand is a command of sp as a hint prints it: its words, and what is no prose
// behind it, which are flags, paths, names in capitals and what stands for them.
var hintedCommand = regexp.MustCompile(`\bsp (?:init|doctor|import|export|restore|(?:tenant|profile|session) [a-z]+)(?: (?:--[a-z-]+|[A-Z]+\b|/\S+|[a-z]+-?[0-9]+\b|dev\b))*`)

// predicament is a state that people get into, a command that refuses there, and what they
// know that a hint can only name in capitals.
type predicament struct {
	name  string
	get   func(s *sandbox)
	line  string
	known map[string]string
}

func predicaments() []predicament {
	write := func(s *sandbox, path, text string) {
		full := filepath.Join(s.dir, path)
		require.NoError(s.t, os.MkdirAll(filepath.Dir(full), 0o700))
		require.NoError(s.t, os.WriteFile(full, []byte(text), 0o600))
	}
	git := func(s *sandbox, args ...string) {
		s.git = findGit()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid"}, args...)...)
		cmd.Dir = s.dir
		out, err := cmd.CombinedOutput()
		require.NoError(s.t, err, "%s", out)
	}
	project := func(s *sandbox) {
		s.mustImport("2026-02-01T12:00:00Z", `{"id": "t1", "name": "app", "database_url": "postgres://h/t1"}, {"id": "t2", "name": "other", "database_url": "postgres://h/t2"}`)
		s.must("export")
		s.must("tenant", "select", "t1")
	}
	const shared = "name: dev\ncloud:\n  tenant_id: "
	return []predicament{
		{"nothing is there", func(*sandbox) {}, "tenant list", nil},
		{"a clone with a profile", func(s *sandbox) { write(s, ".systemprompt/profiles/dev/profile.yaml", shared+"local_1\n") }, "tenant list", nil},
		{"a profile of another machine", func(s *sandbox) {
			project(s)
			write(s, ".systemprompt/profiles/dev/profile.yaml", shared+"local_1\n")
		}, "resolve", map[string]string{"sp profile create NAME": "profile create dev"}},
		{"a profile of a cloud tenant that is not here", func(s *sandbox) {
			project(s)
			write(s, ".systemprompt/profiles/dev/profile.yaml", shared+"cloud-9\n")
		}, "profile create dev -y", map[string]string{"ID": "t1"}},
		{"a profile of another tenant of ours", func(s *sandbox) {
			project(s)
			write(s, ".systemprompt/profiles/dev/profile.yaml", shared+"t2\n")
		}, "profile create dev -y", nil},
		{"secrets where a profile is to be", func(s *sandbox) {
			project(s)
			write(s, ".systemprompt/profiles/dev/profile.yaml", shared+"t1\n")
			write(s, ".systemprompt/profiles/dev/secrets.json", "{}")
		}, "profile create dev -y", nil},
		{"files before the registry", func(s *sandbox) {
			write(s, ".systemprompt/tenants.json", `{"tenants": [{"id": "t1", "name": "app"}], "synced_at": "2026-01-01T00:00:00Z"}`)
		}, "init", nil},
		{"files before the registry, and a tenant", func(s *sandbox) {
			write(s, ".systemprompt/tenants.json", `{"tenants": [{"id": "t1", "name": "app"}], "synced_at": "2026-01-01T00:00:00Z"}`)
		}, "tenant create --name b --no-database", nil},
		{"the registry is gone", func(s *sandbox) {
			project(s)
			require.NoError(s.t, os.Remove(filepath.Join(s.dir, ".systemprompt/sp.db")))
		}, "tenant list", nil},
		{"a tracked tenants.json that changed", func(s *sandbox) {
			git(s, "init", "-q")
			project(s)
			write(s, ".systemprompt/tenants.json", `{"tenants": [{"id": "t1", "name": "app", "database_url": "postgres://evil/t1"}], "synced_at": "2026-01-01T00:00:00Z"}`)
			git(s, "add", "-f", ".systemprompt/tenants.json")
		}, "tenant edit t1 --region iad", nil},
		{"a tracked index that changed", func(s *sandbox) {
			git(s, "init", "-q")
			project(s)
			s.must("profile", "create", "dev", "-y")
			s.must("session", "switch", "dev")
			write(s, ".systemprompt/sessions/index.json", `{"version": 1, "sessions": {}, "active_key": "tenant_t2", "updated_at": "2026-02-01T10:00:00Z"}`)
			git(s, "add", "-f", ".systemprompt/sessions/index.json")
		}, "import", nil},
		{"others can write in the directory", func(s *sandbox) {
			project(s)
			require.NoError(s.t, os.Chmod(filepath.Join(s.dir, ".systemprompt"), 0o775))
		}, "tenant list", nil},
	}
}

// TestEveryHintLeadsOn runs the commands that hints name, as they print them: each way
// ends with a command that works, none comes by the same trouble twice, and then the first
// command works or has another one's trouble.
func TestEveryHintLeadsOn(t *testing.T) {
	t.Parallel()
	for _, p := range predicaments() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			ways := 0
			goWays(t, p, nil, &ways)
			require.Positive(t, ways, "no hint was followed")
		})
	}
}

// goWays makes the predicament anew, goes the way so far, and then each that the last
// command's hints name.
func goWays(t *testing.T, p predicament, way []string, ways *int) {
	t.Helper()
	require.LessOrEqual(t, len(way), 4, "it goes on and on: %q", way)
	s := newSandbox(t)
	p.get(s)
	var last outcome
	var troubles []string
	for _, line := range append([]string{p.line}, way...) {
		last = s.run(strings.Fields(line)...)
		require.False(t, last.exit != 0 && slices.Contains(troubles, last.stderr), "%q leads back to: %s", way, last.stderr)
		troubles = append(troubles, last.stderr)
	}
	if last.exit == 0 {
		again := s.run(strings.Fields(p.line)...)
		require.NotEqual(t, troubles[0], again.stderr, "%q changed nothing", way)
		return
	}
	next := hintsOf(last.stderr, p.known)
	require.NotEmpty(t, next, "a dead end behind %q: %s", way, last.stderr)
	for _, line := range next {
		*ways++
		goWays(t, p, append(slices.Clone(way), line), ways)
	}
}

// hintsOf are the commands that hints name, but for those with a name in capitals that
// nobody knows here.
func hintsOf(stderr string, known map[string]string) (lines []string) {
	for line := range strings.Lines(stderr) {
		_, hint, ok := strings.Cut(line, "hint: ")
		if !ok {
			continue
		}
		for _, command := range hintedCommand.FindAllString(hint, -1) {
			if value, ok := known[command]; ok {
				lines = append(lines, value)
				continue
			}
			words := strings.Fields(command)[1:]
			for i, word := range words {
				if value, ok := known[word]; ok {
					words[i] = value
				}
			}
			if words[0] == "doctor" && len(words) == 1 {
				words = append(words, "--fix")
			}
			if !slices.ContainsFunc(words, func(word string) bool { return word == strings.ToUpper(word) }) {
				lines = append(lines, strings.Join(words, " "))
			}
		}
	}
	return lines
}
