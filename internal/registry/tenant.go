package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// TenantID names a tenant: `local_` and hex digits for what sp creates, a UUID
// from the cloud, and whatever an imported file held.
type TenantID string

// Kind says where a tenant's database runs.
type Kind string

// The kinds of tenant, spelled as tenants.json spells them.
const (
	Local Kind = "local"
	Cloud Kind = "cloud"
)

func isKind(k Kind) bool { return k == Local || k == Cloud }

// Tenant is an isolated environment with a database of its own: the eleven
// members of the record in tenants.json, in its order. A nil member is absent,
// which is not the same as empty.
type Tenant struct {
	ID                  TenantID
	Name                string
	AppID               *string
	Hostname            *string
	Region              *string
	DatabaseURL         *secret.Secret
	InternalDatabaseURL *secret.Secret
	Kind                Kind
	ExternalDBAccess    bool
	SyncToken           *secret.Secret
	SharedContainerDB   *string

	// Unknown holds the members that the record does not define, in their order;
	// a Secret because nobody knows what is in them.
	Unknown Unknown
}

// NewLocal returns a local tenant with a database of its own.
func NewLocal(id TenantID, name string, databaseURL secret.Secret) Tenant {
	return Tenant{ID: id, Name: name, Kind: Local, DatabaseURL: &databaseURL}
}

// NewLocalShared returns a local tenant whose database lives in a shared container.
func NewLocalShared(id TenantID, name string, databaseURL secret.Secret, sharedContainerDB string) Tenant {
	t := NewLocal(id, name, databaseURL)
	t.SharedContainerDB = &sharedContainerDB
	return t
}

// CloudParams is what the cloud says of a new tenant; the URL and the token may
// be absent until it is provisioned.
type CloudParams struct {
	ID                  TenantID
	Name                string
	AppID               string
	Hostname            string
	Region              string
	InternalDatabaseURL *secret.Secret
	SyncToken           *secret.Secret
}

// NewCloud returns a cloud tenant.
func NewCloud(p CloudParams) Tenant {
	return Tenant{
		ID:                  p.ID,
		Name:                p.Name,
		AppID:               &p.AppID,
		Hostname:            &p.Hostname,
		Region:              &p.Region,
		InternalDatabaseURL: p.InternalDatabaseURL,
		Kind:                Cloud,
		SyncToken:           p.SyncToken,
	}
}

// IsLocal tells whether the tenant's database runs on this machine.
func (t Tenant) IsLocal() bool { return t.Kind == Local }

// IsCloud tells whether the tenant runs on managed infrastructure.
func (t Tenant) IsCloud() bool { return t.Kind == Cloud }

// OwnURL returns the URL under which the tenant's own side reaches its database:
// database_url of a local tenant, internal_database_url of a cloud one; nil when absent.
func (t Tenant) OwnURL() *secret.Secret {
	if t.IsCloud() {
		return t.InternalDatabaseURL
	}
	return t.DatabaseURL
}

// HasDatabaseURL tells whether OwnURL is present and not empty.
func (t Tenant) HasDatabaseURL() bool {
	u := t.OwnURL()
	return u != nil && !u.Empty()
}

// IsSyncTokenMissing tells whether a cloud tenant has no sync token; an empty
// one counts as present, as it does for the original tool.
func (t Tenant) IsSyncTokenMissing() bool { return t.IsCloud() && t.SyncToken == nil }

// IsDatabaseURLMasked tells whether OwnURL has stars in place of its password.
func (t Tenant) IsDatabaseURLMasked() bool {
	u := t.OwnURL()
	return u != nil && pgurl.IsMasked(*u)
}

// HasMissingCredentials tells whether a cloud tenant lacks its sync token or a
// usable internal URL; a local tenant never does.
func (t Tenant) HasMissingCredentials() bool {
	return t.IsCloud() && (t.IsSyncTokenMissing() || t.InternalDatabaseURL == nil || t.IsDatabaseURLMasked())
}

// Equal tells whether both tenants hold the same record, unknown members included.
func (t Tenant) Equal(o Tenant) bool { return len(t.Differing(o)) == 0 }

// Differing names the members, as tenants.json spells them and in its order,
// whose values differ between the two tenants.
func (t Tenant) Differing(o Tenant) (names []string) {
	for _, m := range Members {
		if !m.isSame(&t, &o) {
			names = append(names, m.Name)
		}
	}
	return append(names, t.Unknown.differing(o.Unknown)...)
}

// String shows a tenant as people name it: the id and, in parentheses, the name.
func (t Tenant) String() string { return fmt.Sprintf("%s (%s)", t.ID, t.Name) }

// IsLocalID tells whether an id looks like one that is made for a local tenant: every
// machine makes its own.
func IsLocalID(id TenantID) bool { return strings.HasPrefix(string(id), "local_") }

// Credentials are those that a database has, to be published.
type Credentials struct {
	Tenant TenantID
	URL    secret.Secret
	// Was is the login that another command may not have changed meanwhile; "" does not ask.
	Was   DatabaseLogin
	Login DatabaseLogin
	// RetireAt is when the other login ends; nil where it has ended.
	RetireAt *time.Time
	// Kept takes back that the database is about to go.
	Kept bool
	// Container is the member shared_container_db that the tenant is to have; nil leaves it.
	Container *string
}

// PublishCredentials gives a tenant the URL of the database that sp made for it, which is
// ready then. The URL that it had, if any, is revoked: it is kept nowhere, and no undo
// brings it back.
func (r *Registry) PublishCredentials(ctx context.Context, p Credentials) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		d, err := c.Database(ctx, p.Tenant)
		if err == nil && (d == nil || d.State == Dropping && !p.Kept) {
			err = fmt.Errorf("tenant %s: its database was dropped meanwhile: %w", p.Tenant, ErrConflict)
		}
		if err == nil && p.Was != "" && p.Was != d.Login {
			err = fmt.Errorf("tenant %s: its credentials were rotated meanwhile: %w", p.Tenant, ErrConflict)
		}
		if err != nil {
			return err
		}
		d.State, d.Login, d.RetireAt = Ready, p.Login, p.RetireAt
		if err := c.putDatabase(ctx, *d); err != nil {
			return err
		}
		tenant, err = c.publishURL(ctx, p.Tenant, p.URL, p.Container)
		return err
	})
	return tenant, err
}

// publishURL gives a tenant another URL and revokes the one that it had.
func (c *change) publishURL(ctx context.Context, id TenantID, url secret.Secret, container *string) (Tenant, error) {
	before, err := c.placedTenant(ctx, id)
	if err != nil {
		return Tenant{}, err
	}
	after := before.Tenant
	after.DatabaseURL = &url
	if container != nil {
		after.SharedContainerDB = container
	}
	if err := pgurl.Check(url); err != nil || before.Equal(after) {
		return after, err
	}
	if before.DatabaseURL != nil {
		c.record.revoked = []string{"database_url"}
	}
	return after, c.updateTenant(ctx, before, after)
}

// size is how many bytes its texts have.
func (t *Tenant) size() int {
	bytes := len(t.Unknown.Reveal())
	for _, m := range Members {
		text, _ := m.Reveal(t)
		bytes += len(text)
	}
	return bytes
}
