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
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	session, err := sessionOf(row)
	return &session, err
}
