package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Tenant is a tenant as the control plane shows it. What it does not say is nil.
type Tenant struct {
	ID, Name                   string
	AppID, Hostname, Region    *string
	Status, SubscriptionStatus *string
	ExternalDBAccess           bool
	// DatabaseURL has stars in place of its password.
	DatabaseURL secret.Secret
}

// IsDeleted tells whether somebody has deleted it, though it is not gone yet.
func (t Tenant) IsDeleted() bool { return t.Status != nil && *t.Status == "deleted" }

// User is who is logged in. Name may be empty.
type User struct{ ID, Email, Name string }

// Me is who is logged in, and the user's tenants.
type Me struct {
	User    User
	Tenants []Tenant
	// ETag names this state, for the next question.
	ETag string
}

// NewTenant is a tenant that is to be made.
type NewTenant struct {
	Name             string `json:"name"`
	Region           string `json:"region"`
	ExternalDBAccess bool   `json:"external_db_access"`
}

// State is how far a tenant is.
type State string

// The states.
const (
	Provisioning State = "provisioning"
	Ready        State = "ready"
	Failed       State = "failed"
	Deleting     State = "deleting"
)

// Status is how far a tenant is, and where its credentials are once it is ready.
type Status struct {
	State      State
	Message    string
	SecretsURL secret.Secret
}

// Credentials are what opens a tenant's database. The control plane may tell more, such as a sync token,
// which RotateSyncToken gets.
type Credentials struct {
	DatabaseURL, InternalDatabaseURL secret.Secret
	// Refused says why DatabaseURL is not here, though the control plane gave one.
	Refused error
}

// Rotated are the new URLs of a tenant's database.
type Rotated struct {
	// Message says when the one before ends, and whose sessions with it.
	Message                                  string
	InternalDatabaseURL, ExternalDatabaseURL secret.Secret
	// InternalRefused and ExternalRefused say why a URL is not here, though the control plane gave one.
	InternalRefused, ExternalRefused error
}

// Region is a place where tenants can be made.
type Region struct {
	Code, Name string
	// Answers tells whether its server does.
	Answers bool
}

// tenantJSON is a tenant on the wire.
type tenantJSON struct {
	ID                 string  `json:"id"`
	Name               string  `json:"name"`
	AppID              *string `json:"app_id"`
	Hostname           *string `json:"hostname"`
	Region             *string `json:"region"`
	Status             *string `json:"status"`
	SubscriptionStatus *string `json:"subscription_status"`
	ExternalDBAccess   bool    `json:"external_db_access"`
	DatabaseURL        string  `json:"database_url"`
}

func (t tenantJSON) tenant() Tenant {
	return Tenant{
		ID: t.ID, Name: t.Name, AppID: t.AppID, Hostname: t.Hostname, Region: t.Region, Status: t.Status,
		SubscriptionStatus: t.SubscriptionStatus, ExternalDBAccess: t.ExternalDBAccess, DatabaseURL: secret.New(t.DatabaseURL),
	}
}

func (t tenantJSON) lacks() string { return lacking("id", t.ID, "name", t.Name) }

// lacking returns the first member that is empty: pairs of a name and a value.
func lacking(pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return pairs[i]
		}
	}
	return ""
}

// tenantPath is the path of a tenant, or of something below it.
func tenantPath(id, below string) string { return "/api/v1/tenants/" + url.PathEscape(id) + below }

const mePath = "/api/v1/auth/me"

// Me returns who is logged in and all tenants, or unchanged if they are as the ETag names them.
func (c *Client) Me(ctx context.Context, etag string) (me Me, unchanged bool, err error) {
	r := request{method: http.MethodGet, path: mePath, limit: maxTenants, header: http.Header{}}
	if etag != "" {
		r.header.Set("If-None-Match", etag)
	}
	var told struct {
		User    struct{ ID, Email, Name string }
		Tenants []tenantJSON
	}
	a, err := c.ask(ctx, r, &told)
	if err != nil || a.status == http.StatusNotModified {
		return Me{}, err == nil, err
	}
	me = Me{User: User(told.User), ETag: a.header.Get("ETag"), Tenants: make([]Tenant, len(told.Tenants))}
	missing := lacking("user.id", me.User.ID, "user.email", me.User.Email)
	for i, t := range told.Tenants {
		me.Tenants[i] = t.tenant()
		if lacks := t.lacks(); lacks != "" && missing == "" {
			missing = fmt.Sprintf("tenants[%d].%s", i, lacks)
		}
	}
	return me, false, c.checkWhole(missing)
}

// Create has a tenant made. The answer comes when that is recorded, before the tenant is ready. The same
// key with the same tenant makes it once: again tells that it may have been sent before, and that the tenant
// may have got another name since.
func (c *Client) Create(ctx context.Context, key string, tenant NewTenant, again bool) (Tenant, error) {
	body, err := json.Marshal(tenant)
	if err != nil {
		return Tenant{}, err
	}
	made, err := c.askTenant(ctx, request{method: http.MethodPost, path: "/api/v1/tenants", key: key, body: body})
	if err == nil && !again && made.Name != tenant.Name {
		err = c.noAnswer("it made a tenant of another name")
	}
	return made, err
}

// Tenant returns one tenant.
func (c *Client) Tenant(ctx context.Context, id string) (Tenant, error) {
	return c.askTenant(ctx, request{method: http.MethodGet, path: tenantPath(id, ""), tenant: id})
}

func (c *Client) askTenant(ctx context.Context, r request) (Tenant, error) {
	var told struct{ Data tenantJSON }
	if _, err := c.ask(ctx, r, &told); err != nil {
		return Tenant{}, err
	}
	return told.Data.tenant(), c.checkWhole(told.Data.lacks())
}

// checkSubject refuses an answer that says it is about another tenant than was asked about: what it tells
// would be stored with that one.
func (c *Client) checkSubject(a answer, id string) error {
	type subject struct {
		ID     string
		Tenant string `json:"tenant_id"`
	}
	var told struct {
		subject
		Data subject
	}
	_ = json.Unmarshal(a.body, &told) // it was read; a member of another kind is no id
	for _, is := range []string{told.ID, told.Tenant, told.Data.ID, told.Data.Tenant} {
		if is != "" && is != id {
			return c.noAnswer("its answer is about another tenant")
		}
	}
	return nil
}

// Status returns how far a tenant is.
func (c *Client) Status(ctx context.Context, id string) (Status, error) {
	var told struct {
		Data struct {
			Status     State
			Message    string
			SecretsURL string `json:"secrets_url"`
		}
	}
	_, err := c.ask(ctx, request{method: http.MethodGet, path: tenantPath(id, "/status"), tenant: id}, &told)
	if err != nil {
		return Status{}, err
	}
	s := told.Data
	return Status{s.Status, shown(s.Message, secret.Secret{}), secret.New(s.SecretsURL)}, c.checkWhole(lacking("status", string(s.Status)))
}

// Credentials returns what the URL of a tenant's status leads to. It asks no other origin than that of the
// login, by whatever name the control plane calls itself.
func (c *Client) Credentials(ctx context.Context, id string, secretsURL secret.Secret) (Credentials, error) {
	path, ok := c.within(secretsURL.Reveal())
	if _, below, named := strings.Cut(secretsURL.Reveal(), tenantPath(id, "/")); !ok && named {
		path, ok = tenantPath(id, "/")+below, true
	}
	switch {
	case !ok:
		return Credentials{}, c.noAnswer("its secrets_url leads to another host")
	case strings.HasPrefix(path, tenantPath("", "")) && !strings.HasPrefix(path, tenantPath(id, "/")):
		return Credentials{}, c.noAnswer("its secrets_url leads to another tenant")
	}
	var told struct {
		DatabaseURL         string `json:"database_url"`
		InternalDatabaseURL string `json:"internal_database_url"`
	}
	if _, err := c.ask(ctx, request{method: http.MethodGet, path: path, tenant: id}, &told); err != nil {
		return Credentials{}, err
	}
	var found Credentials
	err := c.checkWhole(lacking("database_url", told.DatabaseURL, "internal_database_url", told.InternalDatabaseURL))
	if err == nil {
		found.InternalDatabaseURL, err = c.takeDatabase("a database URL", told.InternalDatabaseURL)
	}
	found.DatabaseURL, found.Refused = c.takeDatabase("an external database URL", told.DatabaseURL)
	return found, err
}

// RotateCredentials gives the tenant's database a new login. The one before ends after grace; nil leaves
// that to the control plane. Without an error it was done, even if a new URL is refused.
func (c *Client) RotateCredentials(ctx context.Context, id, key string, grace *time.Duration) (Rotated, error) {
	body := []byte("{}")
	if grace != nil {
		body = fmt.Appendf(nil, `{"grace_seconds":%d}`, *grace/time.Second)
	}
	var told struct {
		Message  string
		Internal string `json:"internal_database_url"`
		External string `json:"external_database_url"`
	}
	if _, err := c.ask(ctx, request{method: http.MethodPost, path: tenantPath(id, "/rotate-credentials"), key: key, body: body, tenant: id}, &told); err != nil {
		return Rotated{}, err
	}
	rotated := Rotated{Message: shown(told.Message, secret.Secret{})}
	rotated.InternalDatabaseURL, rotated.InternalRefused = c.takeDatabase("a database URL", told.Internal)
	rotated.ExternalDatabaseURL, rotated.ExternalRefused = c.takeDatabase("an external database URL", told.External)
	if pgurl.IsMasked(rotated.InternalDatabaseURL) {
		rotated.InternalDatabaseURL = secret.Secret{}
		rotated.InternalRefused = fmt.Errorf("%s gave a database URL without its password: %w", c.Host(), ErrDatabase)
	}
	return rotated, c.checkWhole(lacking("internal_database_url", told.Internal))
}

// RotateSyncToken gives the tenant a new sync token. The one before ends.
func (c *Client) RotateSyncToken(ctx context.Context, id, key string) (secret.Secret, error) {
	var told struct {
		Token string `json:"sync_token"`
	}
	_, err := c.ask(ctx, request{method: http.MethodPost, path: tenantPath(id, "/rotate-sync-token"), key: key, tenant: id}, &told)
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(told.Token), c.checkWhole(lacking("sync_token", told.Token))
}

// Retry has the database of a tenant that failed made anew.
func (c *Client) Retry(ctx context.Context, id string) error {
	var told struct{ Status State }
	_, err := c.ask(ctx, request{method: http.MethodPost, path: tenantPath(id, "/retry-provision"), tenant: id}, &told)
	if err != nil {
		return err
	}
	return c.checkWhole(lacking("status", string(told.Status)))
}

// Delete has a tenant deleted. ErrNotFound means that it is gone, or never was.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.have(ctx, request{method: http.MethodDelete, path: tenantPath(id, "")})
}

// Cancel cancels the subscription of a tenant, which is deleted some days later.
func (c *Client) Cancel(ctx context.Context, id string) error {
	var told *struct{}
	_, err := c.ask(ctx, request{method: http.MethodPost, path: tenantPath(id, "/subscription/cancel"), tenant: id}, &told)
	if err == nil && told != nil {
		err = c.noAnswer("its answer to the cancellation is not null")
	}
	return err
}

// Uncancel takes a cancellation back, of the tenant as it is now. ErrConflict means that it changed
// meanwhile.
func (c *Client) Uncancel(ctx context.Context, id string) (Tenant, error) {
	var told struct{ Data tenantJSON }
	now, err := c.ask(ctx, request{method: http.MethodGet, path: tenantPath(id, ""), tenant: id}, &told)
	if err != nil {
		return Tenant{}, err
	}
	return c.askTenant(ctx, request{
		method: http.MethodPatch, path: tenantPath(id, ""), tenant: id, body: []byte("{}"), header: http.Header{"If-Match": {now.header.Get("ETag")}},
	})
}

// Regions lists the regions in which tenants can be made.
func (c *Client) Regions(ctx context.Context) ([]Region, error) {
	var told struct{ Data []Region }
	if _, err := c.ask(ctx, request{method: http.MethodGet, path: "/api/v1/regions"}, &told); err != nil {
		return nil, err
	}
	for _, r := range told.Data {
		if r.Code == "" {
			return nil, c.checkWhole("code")
		}
	}
	return told.Data, nil
}

// have sends a request whose answer says nothing but that it was done. A page of the network's says that,
// too, to whoever looks at the status alone.
func (c *Client) have(ctx context.Context, r request) error {
	a, err := c.do(ctx, r)
	if kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); err == nil && (len(a.body) > 0 || kind == "text/html") && !strings.HasSuffix(kind, "json") {
		return c.noAnswer("it answers with %s", described(kind))
	}
	return err
}

// ask sends a request and reads the JSON of its answer.
func (c *Client) ask(ctx context.Context, r request, into any) (answer, error) {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set("Accept", "application/json")
	if r.body != nil && r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", "application/json")
	}
	a, err := c.do(ctx, r)
	if err != nil || a.status == http.StatusNotModified && r.header.Get("If-None-Match") != "" {
		return a, err
	}
	if err := c.decode(a, into); err != nil || r.tenant == "" {
		return a, err
	}
	return a, c.checkSubject(a, r.tenant)
}

// decode reads the JSON of an answer. Its errors quote nothing of it: it may be secret.
func (c *Client) decode(a answer, into any) error {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if !strings.HasSuffix(kind, "json") {
		return c.noAnswer("it answers with %s", described(kind))
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return c.noAnswer("its JSON can't be read")
	}
	return nil
}

// checkWhole refuses an answer that lacks a member.
func (c *Client) checkWhole(missing string) error {
	if missing == "" {
		return nil
	}
	return c.noAnswer("its answer has no %s", missing)
}
