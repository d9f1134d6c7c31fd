package workspace_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/workspace"
)

// repairs are, by name, the next command after a crash: any kind that writes.
func repairs(h house) map[string]func() error {
	return map[string]func() error{
		"other change":     func() error { return h.do(h.follower().Publish, profile("x", "a")) },
		"change of tenant": func() error { return h.do(h.follower().Publish, create("z")) },
		"export":           func() error { return h.do(h.wanted().Publish, export) },
		"forced export":    func() error { return h.do(h.forced().Publish, export) },
	}
}

var points = []string{"rendered", "committed", "exchanged", "placed"}

// mustDieCreating is a crash at a point of creating id, and checks what holds right
// after it.
func (h house) mustDieCreating(t *testing.T, point, id string) {
	t.Helper()
	before, standing := mustRead(t, h.path()), h.standing(t)
	h.mustDie(t, point, "create", id)
	text := mustRead(t, h.path())
	switch point {
	case "rendered":
		require.NotContains(t, h.ids(t), id)
		require.Equal(t, before, text)
		require.Equal(t, standing, h.standing(t))
	case "committed":
		require.Contains(t, h.ids(t), id)
		require.Equal(t, before, text)
		require.Equal(t, workspace.Behind, h.standing(t))
	case "exchanged", "placed":
		require.Contains(t, h.ids(t), id)
		require.Equal(t, h.encoded(t), text)
		require.Equal(t, workspace.Current, h.standing(t))
	}
}

func TestNextCommandRepairsACrash(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		for name := range repairs(house{}) {
			t.Run(point+", then "+name, func(t *testing.T) {
				t.Parallel()
				h := mustTrack(t)
				h.mustDieCreating(t, point, "b")
				require.NoError(t, repairs(h)[name]())
				h.mustBeCurrent(t)
			})
		}
	}
}

// What the second crash finds at the place is what it must remember as previous.
func TestNextCommandRepairsTwoCrashes(t *testing.T) {
	t.Parallel()
	for _, first := range points {
		for _, second := range points {
			t.Run(first+", then "+second, func(t *testing.T) {
				t.Parallel()
				h := mustTrack(t)
				h.mustDieCreating(t, first, "b")
				before := mustRead(t, h.path())
				h.mustDieCreating(t, second, "c")
				if second != "rendered" {
					require.Equal(t, hashOf(before), h.remembered(t, workspace.TrackedName).Previous)
				}
				h.must(t, h.follower().Publish, profile("x", "a"))
				h.mustBeCurrent(t)
			})
		}
	}
}

func TestCrashInAnyCommandIsRepaired(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := mustTrack(t)
			mustWrite(t, h.path(), foreign)
			h.mustDie(t, point, "force")
			requireOneOf(t, mustRead(t, h.path()), foreign, h.encoded(t))
			if point == "rendered" { // then nothing shows that it was to be
				h.must(t, h.forced().Publish, export)
			}
			h.must(t, h.follower().Publish, profile("x", "a"))
			h.mustBeCurrent(t)

			h.mustDie(t, point, "delete", "a")
			h.must(t, h.follower().Publish, create("c"))
			h.mustBeCurrent(t)
			require.Equal(t, point == "rendered", h.ids(t)[0] == "a")

			mustWrite(t, h.path(), foreign)
			h.mustDie(t, point, "import")
			if point == "rendered" {
				mustConflict(t, h.do(h.follower().Publish, create("d")), h.path())
				h.must(t, h.forced().Publish, export)
			}
			h.must(t, h.follower().Publish, create("d"))
			h.mustBeCurrent(t)
		})
	}
}

func requireOneOf(t *testing.T, got string, want ...string) {
	t.Helper()
	require.Contains(t, want, got)
}

func TestCrashInTheFirstExportIsRepaired(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := mustHouse(t)
			h.must(t, nil, create("a"))
			h.mustDie(t, point, "export")
			h.must(t, h.follower().Publish, profile("p", "a"))
			if point == "rendered" { // it was not tracked yet, but what it left is gone
				require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, h.dir))
				require.Nil(t, h.remembered(t, workspace.TrackedName))
				return
			}
			h.mustBeCurrent(t)
		})
	}
}

func TestForeignFileAfterACrashIsForeign(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := mustTrack(t)
			h.mustDie(t, point, "create", "b")
			mustWrite(t, h.path(), foreign)
			require.Equal(t, workspace.Changed, h.standing(t))
			before := strings.ReplaceAll(h.everything(t), ".old.", ".") // known for sp's own, it is called so
			mustConflict(t, h.do(h.follower().Publish, create("c")), h.path())
			mustConflict(t, h.do(h.wanted().Publish, export), h.path())
			require.Equal(t, before, h.everything(t))
			h.must(t, h.follower().Publish, profile("x", "a"))
			require.Equal(t, foreign, mustRead(t, h.path()))

			h.must(t, h.forced().Publish, export)
			h.mustBeCurrent(t)
		})
	}
}

func TestFileDeletedAfterACrashIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		h := mustTrack(t)
		h.mustDie(t, point, "create", "b")
		require.NoError(t, os.Remove(h.path()))
		h.must(t, h.follower().Publish, create("c"))
		h.mustBeCurrent(t)
	}
}

func TestCrashInACopyIsRepaired(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			h := mustTrack(t)
			path := filepath.Join(t.TempDir(), "copy.json")
			for range 2 { // without a copy from before, and with one
				h.mustDie(t, point, "copy", path)
				h.must(t, h.copyTo(path).Publish, export)
				require.Equal(t, h.encoded(t), mustRead(t, path))
				require.Equal(t, []string{"copy.json"}, names(t, filepath.Dir(path)))
				h.must(t, h.follower().Publish, create(fmt.Sprint(len(h.ids(t)))))
			}
			h.mustBeCurrent(t)
		})
	}
}

// Killed anywhere, again and again: what was acknowledged is there, the file is
// whole, and one command of any kind makes it current.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	acknowledged := []string{"a"}
	seed := rand.NewPCG(1, 2)
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		cmd := h.process("churn", fmt.Sprint(round))
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		acknowledged = append(acknowledged, lines.Text())
		time.AfterFunc(time.Duration(seed.Uint64()%uint64(40*time.Millisecond)), func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			acknowledged = append(acknowledged, lines.Text())
		}
		require.Error(t, cmd.Wait())

		ids := h.ids(t)
		require.Subset(t, ids, acknowledged)
		require.LessOrEqual(t, len(ids), len(acknowledged)+round+1)
		shown := tenantsIn(t, mustRead(t, h.path()))
		require.Contains(t, []int{len(ids), len(ids) - 1}, shown)
		require.NotEqual(t, workspace.Changed, h.standing(t))
		h.must(t, h.follower().Publish, profile(fmt.Sprintf("r%d", round), "a"))
		h.mustBeCurrent(t)
	}
}
