package db

import (
	"context"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// rowids is a scan that writes down each row's rowid and what it holds.
var rowids = Scan{
	Query: "SELECT position, id, name, region FROM tenants WHERE position >= ?1 ORDER BY position",
	Render: func() Render {
		return func(text []byte, row Row) ([]byte, bool) {
			return fmt.Appendf(text, "%d %s %s %v\n", row.Int(0), row.Text(1), row.Text(2), row.Text(3)), true
		}
	},
}

// mustFill puts in tenants at these positions.
func mustFill(t *testing.T, path string, positions ...string) {
	t.Helper()
	conn := harness.OpenSQLite(t, path)
	_, err := conn.Exec("PRAGMA ignore_check_constraints = 1")
	require.NoError(t, err)
	for _, from := range positions {
		_, err := conn.Exec(`INSERT INTO tenants SELECT value, 'id' || value, 'name' || char(0) || value, nullif(char(97 + abs(value % 3)), 'a'), NULL, NULL, NULL,
			NULL, 'local', 0, NULL, NULL, '', 0, 1 FROM (` + from + `)`)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
}

func series(from, to int) string {
	return fmt.Sprintf("WITH RECURSIVE n(value) AS (SELECT %d UNION ALL SELECT value + 1 FROM n WHERE value < %d) SELECT value FROM n", from, to)
}

// plainly is what a scan has to yield, read in the plain way.
func plainly(t *testing.T, tx *Read) string {
	t.Helper()
	var all strings.Builder
	rows, err := tx.QueryContext(t.Context(), strings.Replace(rowids.Query, "?1", strconv.Itoa(math.MinInt64), 1))
	require.NoError(t, err)
	for rows.Next() {
		var position int64
		var id, name, region []byte
		require.NoError(t, rows.Scan(&position, &id, &name, &region))
		fmt.Fprintf(&all, "%d %s %s %v\n", position, id, name, region)
	}
	require.NoError(t, rows.Close())
	return all.String()
}

// together joins pieces, and checks the last rowid of each.
func together(t *testing.T, all iter.Seq[Piece]) string {
	t.Helper()
	var text strings.Builder
	for piece := range all {
		lines := strings.Split(strings.TrimSuffix(string(piece.Text), "\n"), "\n")
		require.True(t, strings.HasPrefix(lines[len(lines)-1], strconv.FormatInt(piece.Last, 10)+" "))
		text.Write(piece.Text)
	}
	return text.String()
}

func mustRead(t *testing.T, path string) *Read {
	t.Helper()
	tx, err := mustOpen(t, path, patient).Read(t.Context())
	require.NoError(t, err)
	t.Cleanup(tx.Close)
	return tx
}

func TestScanYieldsEveryRowInOrder(t *testing.T) {
	t.Parallel()
	for name, positions := range map[string][]string{
		"none":            nil,
		"one":             {"SELECT 1 AS value"},
		"one span":        {series(1, span)},
		"a row more":      {series(1, span+1)},
		"many":            {series(1, 20*span+17)},
		"with gaps":       {series(1, 10), series(5000, 5003), series(9000, 12000), "SELECT 1000000000000 AS value"},
		"every other row": {"SELECT 3 * value AS value FROM (" + series(1, 3000) + ")"},
		"the ends":        {"SELECT -9223372036854775807 - 1 AS value", "SELECT -1 AS value", series(1, 2000), "SELECT 9223372036854775807 AS value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := mustCreate(t)
			mustFill(t, path, positions...)
			tx := mustRead(t, path)
			want := plainly(t, tx)
			require.Equal(t, len(positions) == 0, want == "")
			require.Equal(t, want, together(t, tx.Scan(t.Context(), rowids)))
			require.Equal(t, want, together(t, tx.Scan(t.Context(), rowids)), "and again")
		})
	}
}

// All is of one instant: nobody can commit while it is read.
func TestScanIsOfTheTransactionsInstant(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustFill(t, path, series(1, 20*span))
	tx := mustRead(t, path)
	want := plainly(t, tx)
	var text strings.Builder
	for piece := range tx.Scan(t.Context(), rowids) {
		conn := harness.OpenSQLite(t, path)
		_, err := conn.Exec("UPDATE tenants SET name = 'other'")
		require.True(t, isBusy(err), "%v", err)
		require.NoError(t, conn.Close())
		text.Write(piece.Text)
	}
	require.Equal(t, want, text.String())
}

func TestScanWithinAWrite(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustFill(t, path, series(1, 5*span))
	before := mustRead(t, path)
	want := plainly(t, before)
	before.Close()
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	_, err = w.ExecContext(t.Context(), "UPDATE registry_meta SET revision = revision + 1")
	require.NoError(t, err)
	require.Equal(t, want, together(t, w.Scan(t.Context(), rowids)))
	for range w.Scan(t.Context(), rowids) {
		break // no reader is left that could be in the way of the commit
	}
	require.NoError(t, w.Commit())
	require.NoError(t, w.Close())
	require.Equal(t, 1, mustRevision(t, path))
}

// What can't be trusted is not read; the plain way tells what is wrong.
func TestScanYieldsNothingThatIsNotCertain(t *testing.T) {
	t.Parallel()
	for name, mess := range map[string]func(t *testing.T, path string){
		"another file in its place": func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path+".new", content, 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		},
		"no file": func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".away")) },
		"a link": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(path, path+".away"))
			require.NoError(t, os.Symlink(filepath.Base(path)+".away", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := mustCreate(t)
			mustFill(t, path, series(1, 5*span))
			tx := mustRead(t, path)
			require.NotEmpty(t, together(t, tx.Scan(t.Context(), rowids)))
			mess(t, path)
			require.Empty(t, together(t, tx.Scan(t.Context(), rowids)))
		})
	}
}

func TestScanReadsAFileThatWasInWALMode(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustFill(t, path, series(1, 5*span))
	harness.Mess(t, path, "PRAGMA journal_mode = WAL")
	require.NotEmpty(t, together(t, mustRead(t, path).Scan(t.Context(), rowids)))
	require.NoFileExists(t, path+"-wal")
}

func TestScanEndsBeforeTheSpanOfARowThatMakesNoSense(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustFill(t, path, series(1, 20*span))
	tx := mustRead(t, path)
	want := plainly(t, tx)
	bad := rowids
	bad.Render = func() Render {
		plain := rowids.Render()
		return func(text []byte, row Row) ([]byte, bool) {
			text, _ = plain(text, row)
			return text, row.Int(0) != 10*span
		}
	}
	got := together(t, tx.Scan(t.Context(), bad))
	require.NotEmpty(t, got)
	require.True(t, strings.HasPrefix(want, got))
	require.NotContains(t, got, fmt.Sprintf("\n%d ", 10*span))
	require.Contains(t, got, fmt.Sprintf("\n%d ", 8*span))

	unknown := rowids
	unknown.Query = "SELECT nothing"
	require.Empty(t, together(t, tx.Scan(t.Context(), unknown)))
}

func TestScanEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustFill(t, path, series(1, 50*span))
	tx := mustRead(t, path)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := 0
	for range tx.Scan(ctx, rowids) {
		n++
		stop()
	}
	require.Less(t, n, 10)
	require.Empty(t, together(t, tx.Scan(ctx, rowids)))
}
