package postgres

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTheLastLinesOfALogAreToldWithoutStatements, those of the part that was put aside, too.
func TestTheLastLinesOfALogAreToldWithoutStatements(t *testing.T) {
	t.Parallel()
	c := Cluster{Dir: t.TempDir()}
	logged := func(last int) (lines []string) {
		require.NoError(t, c.Log(soon(t), last, false, func(line string) { lines = append(lines, line) }))
		return lines
	}
	require.ErrorIs(t, c.Log(soon(t), 1, false, nil), ErrNone)
	mustWrite(t, c.oldLogFile(), "one\ntwo\n")
	mustWrite(t, c.logFile(), strings.Join([]string{
		`12:00 [1] 42601 u@d psql ERROR:  unterminated quoted string at or near "'hunter2`, "\thunter2\"", "\thunter2",
		"12:00 [1] 23505 u@d psql ERROR:  duplicate key", "\tgoes on", "12:00 [1] DETAIL:  Key (password)=(hunter2)", "begun",
	}, "\n"))
	require.Equal(t, []string{
		"two", `12:00 [1] 42601 u@d psql ERROR:  unterminated quoted string at or near "…`,
		"12:00 [1] 23505 u@d psql ERROR:  duplicate key", "\tgoes on", "12:00 [1] DETAIL:  …",
	}, logged(5))
	require.Len(t, logged(100), 6)
	require.Empty(t, logged(0))
}

// TestALineWhoseBeginningIsCutOffIsNotTold: nobody can see what it is, and it may be part of a statement.
func TestALineWhoseBeginningIsCutOffIsNotTold(t *testing.T) {
	t.Parallel()
	long := `12:00 ERROR:  unterminated quoted string at or near "'` + strings.Repeat("hunter2", maxLog/7+1) + "\n\thunter2\n12:00 ERROR:  whole\n"
	for name, place := range map[string]func(Cluster) string{"log": Cluster.logFile, "old": Cluster.oldLogFile} {
		c := Cluster{Dir: t.TempDir()}
		mustWrite(t, c.logFile(), "")
		mustWrite(t, place(c), long)
		var lines []string
		require.NoError(t, c.Log(soon(t), 9, false, func(line string) { lines = append(lines, line) }), name)
		require.Equal(t, []string{"12:00 ERROR:  whole"}, lines, name)
	}
}

// TestALogIsFollowedWhereItIsEmptied by a command that found it large.
func TestALogIsFollowedWhereItIsEmptied(t *testing.T) {
	t.Parallel()
	c := Cluster{Dir: t.TempDir()}
	mustWrite(t, c.logFile(), strings.Repeat("an old line\n", maxLog/12+1))
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	var mu sync.Mutex
	var lines []string
	done := make(chan error, 1)
	go func() {
		done <- c.Log(ctx, 1, true, func(line string) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, line)
		})
	}()
	requireTold := func(want ...string) {
		t.Helper()
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Join(lines, "|") == strings.Join(want, "|")
		}, 10*time.Second, 10*time.Millisecond)
	}
	requireTold("an old line")
	require.NoError(t, c.boundLog())
	require.Len(t, mustRead(t, c.oldLogFile()), maxLog)
	require.Empty(t, mustRead(t, c.logFile()))
	file, err := c.openLog()
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	_, err = file.WriteString("a new line\nand half")
	require.NoError(t, err)
	requireTold("an old line", "a new line")
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
