package db

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

func holds(t *testing.T, path, text string) bool {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Contains(string(content), text)
}

func TestKindsOfTrouble(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		5: ErrBusy, 261: ErrBusy, 517: ErrBusy, 6: ErrBusy, 262: ErrBusy,
		8: ErrReadOnly, 776: ErrReadOnly, 1032: ErrReplaced, 1544: ErrReadOnly, 2570: ErrIO,
		13: ErrFull, 778: ErrFull,
		11: ErrDamaged, 267: ErrDamaged, 779: ErrDamaged, 3091: ErrDamaged,
		26: ErrForeign,
		3:  ErrIO, 7: ErrIO, 10: ErrIO, 1290: ErrIO, 2058: ErrIO, 4874: ErrIO, 14: ErrIO, 1038: ErrIO, 15: ErrIO, 531: ErrIO,
		0: nil, 1: nil, 19: nil, 275: nil, 787: nil, 1299: nil, 1555: nil, 1811: nil, 2067: nil, 20: nil, 21: nil, 25: nil,
	} {
		require.Equal(t, want, kindOf(code), code)
	}
}

// provoked are ways to make SQLite itself complain, with the canary at hand.
var provoked = map[string]struct {
	want error
	do   func(t *testing.T, path string, w *Write) error
}{
	"busy": {ErrBusy, func(t *testing.T, path string, _ *Write) error {
		_, err := harness.OpenSQLite(t, path).Exec("UPDATE files SET current = 'canary'")
		return err
	}},
	"read-only": {ErrReadOnly, func(t *testing.T, path string, w *Write) error {
		mustExecTx(t, w, "PRAGMA query_only = 1")
		_, err := w.ExecContext(t.Context(), "UPDATE files SET current = ?", "canary")
		return err
	}},
	"full": {ErrFull, func(t *testing.T, path string, w *Write) error {
		mustExecTx(t, w, "PRAGMA max_page_count = 1")
		_, err := w.ExecContext(t.Context(), "INSERT INTO files (path, previous, current, tenants_revision) VALUES (?, hex(zeroblob(20000)), 'x', 0)", "canary")
		return err
	}},
	"no file": {ErrIO, func(t *testing.T, path string, _ *Write) error {
		conn, err := sql.Open("sqlite", readDSN(path+"/canary"))
		require.NoError(t, err)
		defer conn.Close()
		return conn.Ping()
	}},
}

func mustExecTx(t *testing.T, w *Write, statement string) {
	t.Helper()
	_, err := w.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

func TestExplainSaysWhatItIsAndShowsNeitherSQLNorValues(t *testing.T) {
	t.Parallel()
	for what, p := range provoked {
		path := mustCreate(t)
		w, err := mustOpen(t, path, patient).Write(t.Context())
		require.NoError(t, err)
		err = Explain(fmt.Errorf("wrapped: %w", p.do(t, path, w)))
		require.ErrorIs(t, err, p.want, what)
		require.NotContains(t, err.Error(), "canary", what)
		require.Regexp(t, `^registry: [a-z/ -]+ \(SQLite \d+\)$`, err.Error(), what)
		require.NoError(t, w.Close())
	}
}

// TestExplainNamesTMPDIR: many rows are sorted in temporary files, which have no place
// where everything is read-only.
func TestExplainNamesTMPDIR(t *testing.T) {
	t.Parallel()
	err := Explain(resultCode(6410))
	require.ErrorIs(t, err, ErrIO)
	require.EqualError(t, err, "registry: input/output trouble, for there is no directory for temporary files; TMPDIR names one (SQLite 6410)")
}

func TestABrokenConstraintShowsNoValues(t *testing.T) {
	t.Parallel()
	w, err := mustOpen(t, mustCreate(t), patient).Write(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	mustExecTx(t, w, "INSERT INTO files (path, previous, current, tenants_revision) VALUES ('canary', '', 'canary', 0)")
	for _, statement := range []string{
		"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('canary', '', 'canary', 0)",
		"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('x', NULL, 'canary', 0)",
		"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('x', '', '', 0)",
		"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('x', '', 'canary', 'canary')",
		"INSERT INTO profiles VALUES ('canary', 'canary', 'canary')",
	} {
		_, err := w.ExecContext(t.Context(), statement)
		require.Error(t, err, statement)
		require.NotContains(t, Explain(err).Error(), "canary", statement)
	}
}

func TestADamagedFileIsNamedSo(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := 100; i < len(content); i++ {
		content[i] = 0xff
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
	for how, try := range tries {
		err := try(t, path)
		if err == nil {
			continue // the header is whole, and a read looked at nothing else yet
		}
		require.ErrorIs(t, Explain(err), ErrDamaged, how)
	}
	d := mustOpen(t, path, patient)
	_, err = d.Write(t.Context())
	if err == nil {
		var read *Read
		read, err = d.Read(t.Context())
		require.NoError(t, err)
		err = read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(new(int))
		read.Close()
	}
	require.ErrorIs(t, Explain(err), ErrDamaged)
}

func TestExplainLeavesOtherErrorsAlone(t *testing.T) {
	t.Parallel()
	other := errors.New("other")
	require.Equal(t, other, Explain(other))
	require.NoError(t, Explain(nil))
	busy := &BusyError{Holder: "x"}
	require.Equal(t, error(busy), Explain(busy))
	require.ErrorIs(t, busy, ErrBusy)
}
