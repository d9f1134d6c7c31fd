package registry

import (
	"database/sql"
	"errors"
	"fmt"
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

// placedTenant is a tenant and its position, by which the history knows it.
type placedTenant struct {
	Tenant
	position int64
}

func placedTenantOf(row queries.Tenant) (placedTenant, error) {
	t, err := tenantOf(row)
	return placedTenant{Tenant: t, position: row.Position}, err
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
