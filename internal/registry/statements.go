package registry

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// statements is a transaction that prepares each statement once, which is worth it where
// many rows change. A context is looked at before a statement and does not interrupt it:
// the driver starts a goroutine for each that it could interrupt.
type statements struct {
	queries.DBTX
	known map[string]*sql.Stmt
}

func newStatements(tx queries.DBTX) statements {
	return statements{DBTX: tx, known: map[string]*sql.Stmt{}}
}

func (s statements) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if stmt := s.known[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.PrepareContext(context.WithoutCancel(ctx), unnumbered(text))
	if err == nil {
		s.known[text] = stmt
	}
	return stmt, err
}

// unnumbered returns a statement whose parameters are each there once, in order, without
// their numbers: the driver asks SQLite for the name of each one that has a number, at
// every run.
func unnumbered(text string) string {
	var plain strings.Builder
	rest := text
	for n := 1; ; n++ {
		before, after, found := strings.Cut(rest, "?")
		plain.WriteString(before)
		if !found {
			return plain.String()
		}
		rest = strings.TrimLeft(after, "0123456789")
		if after[:len(after)-len(rest)] != strconv.Itoa(n) {
			return text
		}
		plain.WriteByte('?')
	}
}

// ExecContext runs a statement that returns no rows.
func (s statements) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(context.WithoutCancel(ctx), args...)
}

// QueryContext runs a statement that returns rows.
func (s statements) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(context.WithoutCancel(ctx), args...)
}

// QueryRowContext runs a statement that returns one row.
func (s statements) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	stmt, err := s.prepare(ctx, text)
	if err != nil {
		return s.DBTX.QueryRowContext(ctx, text, args...) // which fails likewise, and says so
	}
	return stmt.QueryRowContext(context.WithoutCancel(ctx), args...)
}

// Close gives the statements back.
func (s statements) Close() error {
	var err error
	for _, stmt := range s.known {
		err = errors.Join(err, stmt.Close())
	}
	return err
}
