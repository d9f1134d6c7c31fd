package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/bench/gen"
	"github.com/sp-registry/sp/bench/pair"
)

func TestEveryGoalIsThereOnce(t *testing.T) {
	t.Parallel()
	require.Len(t, Goals, 23)
	for i, g := range Goals[:16] {
		require.Equal(t, fmt.Sprintf("P%d", i+1), g.ID)
	}
	for i, g := range Goals[16:] { // of what people wait for
		require.Equal(t, fmt.Sprintf("D%d", i+1), g.ID)
	}
}

func TestAGoalThatFailsKeepsTheFiguresItHad(t *testing.T) {
	t.Parallel()
	b := &Bench{Note: func(string, ...any) {}}
	figures := b.Measure(Goal{ID: "P0", Title: "trouble", run: func(*Bench) ([]Figure, error) {
		return []Figure{{Name: "first"}}, errors.New("what went wrong")
	}})
	require.Len(t, figures, 2)
	require.Equal(t, "P0", figures[0].Goal)
	require.Equal(t, pair.Reported, figures[0].Verdict())
	require.Equal(t, pair.Failed, figures[1].Verdict())
	require.Equal(t, "what went wrong", figures[1].Missing)
}

// TestAGateThatCantRunFails, but for what a longer run measures.
func TestAGateThatCantRunFails(t *testing.T) {
	t.Parallel()
	gate := pair.Bound{Gate: 1}
	require.Equal(t, pair.Failed, Figure{Bound: gate, Missing: "no sqlite3"}.Verdict())
	require.Equal(t, pair.Failed, Figure{Bound: pair.Bound{None: true}, Missing: "no sqlite3"}.Verdict())
	for _, f := range []Figure{{Bound: gate, Missing: onlyFull}, {Bound: pair.Bound{Stretch: 1}, Missing: "no jq"}, {Missing: "no jq"}} {
		require.Equal(t, pair.Verdict("not measured"), f.Verdict())
	}
}

func TestAShortRunLeavesTheMillionOut(t *testing.T) {
	t.Parallel()
	now, left := (&Bench{}).sizes(10, 1_000_000)
	require.Equal(t, []int{10}, now)
	require.Equal(t, []int{1_000_000}, left)
	now, left = (&Bench{Full: true}).sizes(10, 1_000_000)
	require.Len(t, now, 2)
	require.Empty(t, left)
}

func TestRoundsFollowHowLongOneTakes(t *testing.T) {
	t.Parallel()
	b := &Bench{Scale: 1, Full: true}
	require.Equal(t, []int{200, 200, 50, 15, 5}, []int{b.rounds(gen.Sizes[0]), b.rounds(1000), b.rounds(10_000), b.rounds(100_000), b.rounds(1_000_000)})
	b.Full = false
	require.Equal(t, 7, b.rounds(100_000), "for minutes")
	b.Scale = 0.01
	require.Equal(t, 3, b.rounds(10), "never fewer")
}

func TestFilesThatDifferAreNotTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	one := write("one", "abc")
	require.NoError(t, sameBytes(one, write("same", "abc")))
	require.ErrorContains(t, sameBytes(one, write("other", "abd")), "differ at byte 2")
	require.ErrorContains(t, sameBytes(one, write("longer", "abcd")), "differ at byte 3")
	require.ErrorContains(t, sameBytes(one, write("empty", "")), "differ at byte 0")
	require.ErrorIs(t, sameBytes(one, filepath.Join(dir, "none")), os.ErrNotExist)
}

func TestDurationsAndCountsAreThoseOfPeople(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"12.0 µs", "1.50 ms", "2.50 s"}, []string{duration(12e-6), duration(1.5e-3), duration(2.5)})
	require.Equal(t, []string{"10", "1k", "100k", "1M"}, []string{count(10), count(1000), count(100_000), count(1_000_000)})
}

// TestSharesAreDifferencesInUnits: the library costs half an empty program, whatever the
// machine does meanwhile.
func TestSharesAreDifferencesInUnits(t *testing.T) {
	t.Parallel()
	s := pair.Series{}
	for i := range 10 {
		drift := float64(1 + i)
		for label, took := range map[string]float64{"more": 4.5, "less": 4, "empty": 1} {
			s[label] = append(s[label], pair.Reading{Took: toDuration(took * drift)})
		}
	}
	for _, share := range differences(s.Times, "more", "less", "empty") {
		require.InDelta(t, 0.5, share, 1e-9)
	}
}

func toDuration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
