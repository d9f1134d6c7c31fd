package registry

import (
	"database/sql"
	"errors"
	"fmt"
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
		Unknown:             NewMembers(row.UnknownMembers),
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

func insertOf(t Tenant, position, seen int64) queries.InsertTenantParams {
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

func updateOf(t Tenant, seen int64) queries.UpdateTenantParams {
	return queries.UpdateTenantParams{
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
	unknown := NewMembers(row.UnknownMembers)
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
