package registry

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// Rows become domain values here and nowhere else, and are checked again on the
// way: the file may have been written by another hand.

func tenantOf(row queries.Tenant) (Tenant, error) {
	t := Tenant{
		ID:                  TenantID(row.ID),
		Name:                row.Name,
		AppID:               row.AppID,
		Hostname:            row.Hostname,
		Region:              row.Region,
		DatabaseURL:         secret.Optional(row.DatabaseURL),
		InternalDatabaseURL: secret.Optional(row.InternalDatabaseURL),
		Kind:                Kind(row.TenantType),
		ExternalDBAccess:    row.ExternalDBAccess,
		SyncToken:           secret.Optional(row.SyncToken),
		SharedContainerDB:   row.SharedContainerDB,
		Unknown:             NewUnknown(row.UnknownMembers),
	}
	if t.ID == "" || t.Name == "" || !t.IsLocal() && !t.IsCloud() || !isText(row) {
		return Tenant{}, fmt.Errorf("tenant at position %d: %w: row does not make sense", row.Position, db.ErrDamaged)
	}
	if err := t.Unknown.check(); err != nil {
		return Tenant{}, fmt.Errorf("tenant at position %d: %w: %w", row.Position, db.ErrDamaged, err)
	}
	return t, nil
}

// placedTenant is a tenant and its position, by which the history knows it. Seen is the
// revision of the last change that wrote it, or of an import that found it in its file.
type placedTenant struct {
	Tenant
	position, seen int64
}

func placedTenantOf(row queries.Tenant) (placedTenant, error) {
	t, err := tenantOf(row)
	return placedTenant{Tenant: t, position: row.Position, seen: row.Seen}, err
}

// isText tells whether all that should be UTF-8 is; sp never puts in anything else.
func isText(row queries.Tenant) bool {
	for _, text := range []*string{
		&row.ID, &row.Name, row.AppID, row.Hostname, row.Region, row.DatabaseURL,
		row.InternalDatabaseURL, row.SyncToken, row.SharedContainerDB, &row.UnknownMembers,
	} {
		if text != nil && !utf8.ValidString(*text) {
			return false
		}
	}
	return true
}

// rowOf is a tenant as the queries take it that insert and update one.
func rowOf(t Tenant, position, seen int64) queries.InsertTenantParams {
	return queries.InsertTenantParams{
		Position:            position,
		ID:                  string(t.ID),
		Name:                t.Name,
		AppID:               t.AppID,
		Hostname:            t.Hostname,
		Region:              t.Region,
		DatabaseURL:         textOf(t.DatabaseURL),
		InternalDatabaseURL: textOf(t.InternalDatabaseURL),
		TenantType:          string(t.Kind),
		ExternalDBAccess:    t.ExternalDBAccess,
		SyncToken:           textOf(t.SyncToken),
		SharedContainerDB:   t.SharedContainerDB,
		UnknownMembers:      t.Unknown.Reveal(),
		Seen:                seen,
	}
}

func textOf(secret *secret.Secret) *string {
	if secret == nil {
		return nil
	}
	text := secret.Reveal()
	return &text
}

func stateOf(row queries.MetaRow) (State, error) {
	syncedAt, err := ParseTime(row.SyncedAt)
	if err != nil {
		return State{}, fmt.Errorf("synced_at of the registry: %w: it is no time", db.ErrDamaged)
	}
	unknown := NewUnknown(row.UnknownMembers)
	if err := unknown.check(); err != nil {
		return State{}, fmt.Errorf("registry: %w: %w", db.ErrDamaged, err)
	}
	return State{
		ID:              secret.New(row.RegistryID),
		Revision:        row.Revision,
		TenantsRevision: row.TenantsRevision,
		Document:        Document{SyncedAt: syncedAt, Unknown: unknown},
	}, nil
}

// vanished is the error of a query for a row that every registry has.
func vanished(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("registry: %w: a row that every registry has is gone", db.ErrDamaged)
	}
	return err
}

func sessionOf(row queries.Session) (Session, error) {
	s := Session{
		Tenant:   TenantID(row.TenantID),
		Profile:  row.Profile,
		ChosenAt: time.UnixMicro(row.ChosenAt).UTC(),
	}
	for _, text := range []*string{
		&row.TenantID, &row.Profile, row.Token, row.Issuer, row.SessionID, row.ContextID, row.UserID, row.UserEmail, row.UserType,
	} {
		if text != nil && !utf8.ValidString(*text) {
			return s, fmt.Errorf("session of tenant %s: %w: it is not UTF-8", shown(row.TenantID), db.ErrDamaged)
		}
	}
	if row.Token == nil {
		return s, nil
	}
	a := Authentication{
		Token:  secret.New(*row.Token),
		Issuer: row.Issuer,
	}
	for to, text := range map[*string]*string{
		&a.SessionID: row.SessionID, &a.ContextID: row.ContextID,
		&a.UserID: row.UserID, &a.UserEmail: row.UserEmail, &a.UserType: row.UserType,
	} {
		if text != nil {
			*to = *text
		}
	}
	for to, text := range map[*time.Time]*string{&a.CreatedAt: row.CreatedAt, &a.ExpiresAt: row.ExpiresAt, &a.LastUsed: row.LastUsed} {
		at, err := parseOptionalTime(text)
		if err != nil {
			return s, fmt.Errorf("session of tenant %s: %w: one of its times is none", shown(row.TenantID), db.ErrDamaged)
		}
		*to = at
	}
	s.Authentication = &a
	return s, nil
}

func parseOptionalTime(text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, errors.New("none")
	}
	return ParseTime(*text)
}

func putSessionOf(s Session) queries.PutSessionParams {
	row := queries.PutSessionParams{TenantID: string(s.Tenant), Profile: s.Profile, ChosenAt: s.ChosenAt.UnixMicro()}
	if a := s.Authentication; a != nil {
		created, expires, used := FormatTime(a.CreatedAt), FormatTime(a.ExpiresAt), FormatTime(a.LastUsed)
		row.Token, row.Issuer = textOf(&a.Token), a.Issuer
		row.SessionID, row.ContextID = &a.SessionID, &a.ContextID
		row.UserID, row.UserEmail, row.UserType = &a.UserID, &a.UserEmail, &a.UserType
		row.CreatedAt, row.ExpiresAt, row.LastUsed = &created, &expires, &used
	}
	return row
}

func optionalSession(row queries.Session, err error) (*Session, error) {
	if there, err := isThere(err); !there {
		return nil, err
	}
	session, err := sessionOf(row)
	return &session, err
}

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
