package registry

import (
	"context"
	"database/sql"
	"database/sql/driver"
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
	conn    connection
	readers map[string]*sql.Stmt
	writers map[string]writer
	args    []driver.NamedValue // of what is run
}

// connection is what a transaction runs on.
type connection interface{ Raw(func(any) error) error }

// writer is a statement of the driver's.
type writer interface {
	driver.Stmt
	driver.StmtExecContext
}

func newStatements(tx queries.DBTX) *statements {
	return &statements{DBTX: tx, conn: tx.(connection), readers: map[string]*sql.Stmt{}, writers: map[string]writer{}}
}

func (s *statements) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if stmt := s.readers[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.PrepareContext(context.WithoutCancel(ctx), unnumbered(text))
	if err == nil {
		s.readers[text] = stmt
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

// ExecContext runs a statement that returns no rows. It does what database/sql would, which
// allocates a third of what an import takes for the arguments.
func (s *statements) ExecContext(ctx context.Context, text string, args ...any) (r sql.Result, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	err = s.conn.Raw(func(c any) error {
		stmt := s.writers[text]
		if stmt == nil {
			made, err := c.(driver.Conn).Prepare(unnumbered(text))
			if err != nil {
				return err
			}
			stmt = made.(writer)
			s.writers[text] = stmt
		}
		if err := s.set(args); err != nil {
			return err
		}
		r, err = stmt.ExecContext(context.Background(), s.args)
		return err
	})
	return r, err
}

// set makes values for the driver of arguments.
func (s *statements) set(args []any) (err error) {
	s.args = s.args[:0]
	for i, arg := range args {
		value := driver.NamedValue{Ordinal: i + 1}
		switch arg := arg.(type) {
		case string, int64, bool:
			value.Value = arg
		case *string:
			if arg != nil {
				value.Value = *arg
			}
		default:
			if value.Value, err = driver.DefaultParameterConverter.ConvertValue(arg); err != nil {
				return err
			}
		}
		s.args = append(s.args, value)
	}
	return nil
}

// QueryContext runs a statement that returns rows.
func (s *statements) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(context.WithoutCancel(ctx), args...)
}

// QueryRowContext runs a statement that returns one row.
func (s *statements) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	stmt, err := s.prepare(ctx, text)
	if err != nil {
		return s.DBTX.QueryRowContext(ctx, text, args...) // which fails likewise, and says so
	}
	return stmt.QueryRowContext(context.WithoutCancel(ctx), args...)
}

// Close gives the statements back.
func (s *statements) Close() error {
	var err error
	for _, stmt := range s.writers {
		err = errors.Join(err, stmt.Close())
	}
	for _, stmt := range s.readers {
		err = errors.Join(err, stmt.Close())
	}
	return err
}
