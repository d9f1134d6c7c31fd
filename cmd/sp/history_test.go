package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// changes are commands of every kind that changes something, with what chance has to
// say in them. Many are refused, as nothing of that name is there; that is no change.
var changes = map[string]func(r *rand.Rand, s *sandbox) []string{
	"tenant create": func(r *rand.Rand, _ *sandbox) []string {
		n := r.IntN(1000)
		return words("tenant create --name n%d --database-url postgres://u:pw%d@h/%d", n, n, n)
	},
	"tenant edit": func(r *rand.Rand, s *sandbox) []string {
		return words("tenant edit %s --region r%d --sync-token t%d", pick(r, s, "tenant"), r.IntN(9), r.IntN(9))
	},
	"tenant edit --clear": func(r *rand.Rand, s *sandbox) []string {
		return words("tenant edit %s --clear database-url,region", pick(r, s, "tenant"))
	},
	"tenant edit --name": func(r *rand.Rand, s *sandbox) []string { // with namesakes
		return words("tenant edit %s --name m%d --allow-duplicate-name", pick(r, s, "tenant"), r.IntN(3))
	},
	"tenant delete": func(r *rand.Rand, s *sandbox) []string { return words("tenant delete %s -y", pick(r, s, "tenant")) },
	"tenant select": func(r *rand.Rand, s *sandbox) []string { return words("tenant select %s", pick(r, s, "tenant")) },
	"profile create": func(r *rand.Rand, s *sandbox) []string {
		return words("profile create p%d --tenant %s", r.IntN(1000), pick(r, s, "tenant"))
	},
	"profile edit": func(r *rand.Rand, s *sandbox) []string {
		return words("profile edit %s --name q%d", pick(r, s, "profile"), r.IntN(1000))
	},
	"profile relink": func(r *rand.Rand, s *sandbox) []string {
		return words("profile edit %s --tenant %s", pick(r, s, "profile"), pick(r, s, "tenant"))
	},
	"profile default": func(r *rand.Rand, s *sandbox) []string { return words("profile default %s", pick(r, s, "profile")) },
	"profile delete":  func(r *rand.Rand, s *sandbox) []string { return words("profile delete %s -y", pick(r, s, "profile")) },
	"session switch":  func(r *rand.Rand, s *sandbox) []string { return words("session switch %s", pick(r, s, "profile")) },
	"session logout":  func(*rand.Rand, *sandbox) []string { return words("session logout --all -y") },
	"import": func(r *rand.Rand, s *sandbox) []string {
		var tenants []string
		for range r.IntN(4) {
			tenants = append(tenants, fmt.Sprintf(`{"id": "i%d", "name": "i%d", "x": %d}`, r.IntN(5), r.IntN(9), r.IntN(9)))
		}
		s.write("in.json", fmt.Sprintf(`{"synced_at": "2026-03-01T10:00:%02dZ", "tenants": [%s], "note": %d}`,
			r.IntN(60), strings.Join(tenants, ","), r.IntN(9)))
		flags := []string{"", " --prune -y", " --exact"}
		return words("import in.json --duplicates first%s", flags[r.IntN(3)])
	},
}

func words(format string, args ...any) []string { return strings.Fields(fmt.Sprintf(format, args...)) }

// pick returns the name of something that is there, or of nothing.
func pick(r *rand.Rand, s *sandbox, noun string) string {
	args := []string{noun, "list"}
	if noun == "profile" {
		args = append(args, "--all")
	}
	rows := strings.Split(strings.TrimSpace(s.must(args...).stdout), "\n")
	name, _, _ := strings.Cut(rows[r.IntN(len(rows))], "\t")
	if name == "" {
		return "nothing"
	}
	if noun == "tenant" {
		return "id:" + name // which may be another's name: an import brings some
	}
	return name
}

// all is what sp shows of a registry: the export byte for byte, and what is not in it.
func (s *sandbox) all() string {
	text := s.must("export", "-").stdout
	for _, line := range []string{"profile list --all", "session list", "profile default", "tenant show"} {
		text += s.run(strings.Fields(line)...).stdout
	}
	return text
}

func (s *sandbox) changeCount() int { return strings.Count(s.must("log").stdout, "\n") }

// TestUndoingEveryChangeBringsBackTheSameBytes makes changes of every kind by chance
// and undoes them all; tenants.json follows every step.
func TestUndoingEveryChangeBringsBackTheSameBytes(t *testing.T) {
	t.Parallel()
	rounds, steps := 4, 40
	if testing.Short() {
		rounds = 1
	}
	done := map[string]int{}
	kinds := slices.Sorted(maps.Keys(changes))
	kinds = append(kinds, "session logout", "session logout", "profile default", "profile default", "profile relink", "profile relink") // which often change nothing
	for round := range rounds {
		r := rand.New(rand.NewPCG(uint64(round), 1))
		s := newSandbox(t)
		s.must("init")
		s.must("export")
		states := []string{s.all()}
		var made []string
		for count := 0; len(made) < steps; {
			kind := kinds[r.IntN(len(kinds))]
			o := s.run(changes[kind](r, s)...)
			require.Contains(t, []int{0, 2, 3, 4, 5}, o.exit, o.stderr)
			if after := s.changeCount(); after > count {
				count, made, states = after, append(made, kind), append(states, s.all())
			}
			require.Equal(t, s.must("export", "-").stdout, s.read(".systemprompt/tenants.json"))
		}
		for i := len(made) - 1; i >= 0; i-- {
			s.must("undo")
			require.Equal(t, states[i], s.all(), "undid %s", made[i])
			require.Equal(t, s.must("export", "-").stdout, s.read(".systemprompt/tenants.json"))
			done[made[i]]++
		}
		require.Equal(t, 3, s.run("undo").exit, "nothing is left")
	}
	t.Log("undone:", done)
	for _, kind := range kinds { // at least one of a hundred
		require.True(t, testing.Short() || 100*done[kind] >= rounds*steps, "%s: %d of %d", kind, done[kind], rounds*steps)
	}
}

// TestUndoStopsAtARotation refuses it by name, and what it needed.
func TestUndoStopsAtARotation(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("import", s.write("in.json", `{"synced_at": "2026-03-01T10:00:00Z", "tenants": [{"id": "a", "name": "a", "sync_token": "old"}]}`))
	s.must("tenant", "edit", "a", "--sync-token", "newer")
	s.must("tenant", "rotate-sync-token", "a", "-y")
	s.must("tenant", "edit", "a", "--name", "b")

	s.must("undo")
	before := s.all()
	for range 2 {
		o := s.run("undo")
		require.Equal(t, 4, o.exit)
		require.Contains(t, o.stderr, "change 3 (sp tenant rotate-sync-token a) can't be undone: it ended the old sync token of tenant a\n")
	}
	o := s.run("undo", "2")
	require.Equal(t, 4, o.exit)
	require.Contains(t, o.stderr, "change 2 (sp tenant edit a --sync-token ***) can't be undone: "+
		"change 3 (sp tenant rotate-sync-token a) changed sync_token of tenant a since\n")
	require.Equal(t, before, s.all())
}

// TestTheLogSpeaksInSentencesAtATerminal, in the names of the tenants, with what was before.
func TestTheLogSpeaksInSentencesAtATerminal(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("init")
	s.terminal = true
	require.Equal(t, "No change yet. sp tenant create makes a tenant.\n", s.must("log").stdout)
	s.terminal = false
	s.write("in.json", historyFile)
	for _, line := range historyBefore {
		s.must(strings.Fields(line)...)
	}
	s.now, s.terminal = s.now.Add(26*time.Hour), true
	require.Equal(t, `Log
  SEQ  WHEN               AGE  WHAT IT DID
  7    2026-02-01 12:00Z  26h  selected second instead of uno
  6    2026-02-01 12:00Z  26h  renamed tenant first to uno (sync_token)
`, s.must("log", "--after", "8", "--limit", "2").stdout)
}
