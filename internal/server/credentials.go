package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Credentials open a tenant's database.
type Credentials struct {
	DatabaseURL string `json:"database_url" doc:"under which it is reached from outside; masked if it may not be"`
	InternalURL string `json:"internal_database_url"`
	AppURL      string `json:"app_url"`
}

// Rotated are new credentials, in the shape of the original's control plane.
type Rotated struct {
	Status      string `json:"status" enum:"rotated"`
	Message     string `json:"message"`
	InternalURL string `json:"internal_database_url"`
	ExternalURL string `json:"external_database_url"`
}

// SyncToken is a new sync token, which is shown once.
type SyncToken struct {
	Status string `json:"status" enum:"rotated"`
	Token  string `json:"sync_token"`
}

const defaultGrace = 600 // seconds

// credentials are the operations that answer with a tenant's secrets.
func (s *Server) credentials(api huma.API) {
	huma.Register(api, secretly(operation("tenantCredentials", http.MethodGet, "/api/v1/tenants/{id}/credentials", "what opens its database",
		Secrets, http.StatusNotFound, http.StatusLocked)),
		func(ctx context.Context, in *TenantPath) (*struct{ Body Credentials }, error) {
			found, err := s.reveal(ctx, registry.TenantID(in.ID))
			return &struct{ Body Credentials }{found}, s.refused(ctx, s.noted(ctx, act{action: "credentials.read", tenant: registry.TenantID(in.ID)}, err))
		})
	huma.Register(api, bodied(secretly(operation("rotateCredentials", http.MethodPost, "/api/v1/tenants/{id}/rotate-credentials",
		"switches to the other login, which was tried; the old one ends after grace_seconds, or at once with 0. Until it has ended, only 0 is taken (else 409)",
		Write, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusLocked, http.StatusServiceUnavailable))), func(ctx context.Context, in *struct {
		TenantPath
		CallKey
		Body *struct {
			Grace *int `json:"grace_seconds,omitempty" minimum:"0" maximum:"86400"`
		} `required:"false"`
	},
	) (*struct{ Body Rotated }, error) {
		grace := defaultGrace
		if in.Body != nil && in.Body.Grace != nil {
			grace = *in.Body.Grace
		}
		done, err := s.rotate(ctx, registry.TenantID(in.ID), in.Key, time.Duration(grace)*time.Second)
		return &struct{ Body Rotated }{done}, s.refused(ctx, err)
	})
	huma.Register(api, secretly(operation("rotateSyncToken", http.MethodPost, "/api/v1/tenants/{id}/rotate-sync-token",
		"a new sync token, shown once; the same key again makes another one, and ends what may have been lost",
		Write, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)), func(ctx context.Context, in *struct {
		TenantPath
		CallKey
	},
	) (*struct{ Body SyncToken }, error) {
		token, err := s.rotateSyncToken(ctx, registry.TenantID(in.ID), in.Key)
		return &struct{ Body SyncToken }{SyncToken{"rotated", token.Reveal()}}, s.refused(ctx, err)
	})
}

// reveal reads the credentials of a tenant whose database is there.
func (s *Server) reveal(ctx context.Context, id registry.TenantID) (found Credentials, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		t, err := s.tenant(ctx, view, id)
		if err != nil {
			return err
		}
		d, err := view.Database(ctx, id)
		if err != nil {
			return err
		}
		if d == nil || d.State != registry.Ready || t.DatabaseURL == nil {
			return errNotReady
		}
		found = Credentials{DatabaseURL: outside(t), InternalURL: inside(t), AppURL: "https://" + orNothing(t.Hostname)}
		return nil
	})
	return found, err
}

var errNotReady = problem(http.StatusLocked, "busy", "the tenant's database is not ready").with("Retry-After", "2")

// outside is the URL under which a tenant's database is reached from outside.
func outside(t registry.Tenant) string {
	if t.ExternalDBAccess {
		return inside(t)
	}
	return masked(t)
}

// inside is the URL of a tenant's database as its users have it, on machines of their own.
func inside(t registry.Tenant) string { return pgurl.Portable(*t.DatabaseURL).Reveal() }

// rotate gives a tenant the other login of its database. A call that is seen again has nothing left to do
// where the login is the one that it published itself: another one's may leave the login before it for longer
// than was asked here.
func (s *Server) rotate(ctx context.Context, id registry.TenantID, key string, grace time.Duration) (done Rotated, err error) {
	if _, err := s.subject(ctx, id); err != nil {
		return done, s.noted(ctx, act{action: "credentials.rotate", tenant: id}, err)
	}
	c := call{operation: "credentials.rotate", key: key, tenant: id, request: map[string]any{"tenant": id, "grace": grace}}
	err = s.once(ctx, c, func(c call, _ bool) error {
		end := endOf(grace)
		effect, err := s.loginOf(ctx, id)
		if err == nil && !c.done && effect != c.effect {
			var uses provision.Uses
			if uses, err = s.flip(ctx, c, grace); len(uses) > 0 {
				end += ", and with it " + uses.String()
			}
		}
		if err != nil {
			return err
		}
		found, err := s.reveal(context.WithoutCancel(ctx), id)
		done = Rotated{"rotated", "The old login ends " + end + ".", found.InternalURL, found.DatabaseURL}
		return err
	})
	return done, err
}

// loginOf is by what the login is known that a tenant has: none other has its password.
func (s *Server) loginOf(ctx context.Context, id registry.TenantID) (login string, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		login, err = loginIn(ctx, view, id)
		return err
	})
	return login, err
}

func loginIn(ctx context.Context, view *registry.View, id registry.TenantID) (string, error) {
	t, err := view.Tenant(ctx, id)
	if err != nil || t.DatabaseURL == nil {
		return "none", err
	}
	return secret.Hash(t.DatabaseURL.Reveal()), nil
}

func endOf(grace time.Duration) string {
	if grace == 0 {
		return "now"
	}
	return "in " + grace.String()
}

// subject is a tenant that may be rotated.
func (s *Server) subject(ctx context.Context, id registry.TenantID) (found hosting.Subject, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		t, err := s.tenant(ctx, view, id)
		if err == nil {
			found, err = hosting.SubjectOf(ctx, view, t)
		}
		if err == nil && (found.Database == nil || found.Database.State != registry.Ready) {
			err = errNotReady
		}
		return err
	})
	return found, err
}

// flip switches to the other login, and returns whose sessions end with the old one. What goes wrong once
// that is published is for the loop. As with that, few are in work at the same time: a server has connections
// for a hundred clients or so. Those of one tenant come one behind the other, and who has gone does not come
// at all. It may wait long, and behind each wait it is looked who asks. The call's row has the new login just
// before that is published.
func (s *Server) flip(ctx context.Context, c call, grace time.Duration) (ending provision.Uses, err error) {
	id := c.tenant
	if err := s.rotations.wait(ctx, id); err != nil {
		return nil, err
	}
	defer s.rotations.release(id)
	select {
	case s.rotating <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-s.rotating }()
	ctx = context.WithoutCancel(ctx) // what is begun is done
	subject, err := s.subject(ctx, id)
	if err != nil {
		return nil, err
	}
	m := s.machine(func(string) {})
	m.Read = func(ctx context.Context, fn func(*registry.View) error) error {
		return s.read(ctx, func(view *registry.View) error {
			if _, err := s.tenant(ctx, view, id); err != nil {
				return err
			}
			return fn(view)
		})
	}
	m.Change = func(ctx context.Context, fn func(*registry.Registry) error) error {
		return s.change(ctx, func(reg *registry.Registry) error { return s.changeLogin(ctx, reg, c, fn) })
	}
	done, err := m.Rotate(ctx, subject, hosting.Wanted{}, grace)
	if err != nil && done.Published {
		s.Log.WarnContext(ctx, "the old login was not ended yet", "tenant", id, "error", err)
		err = nil
	}
	s.news.wake()
	return done.Uses, err
}

// changeLogin runs fn in a change of the registry, and has the call know the login that it publishes.
func (s *Server) changeLogin(ctx context.Context, reg *registry.Registry, c call, fn func(*registry.Registry) error) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	before, err := loginIn(ctx, view, c.tenant)
	if err == nil {
		err = fn(reg)
	}
	if err != nil {
		return err
	}
	after, err := loginIn(ctx, view, c.tenant)
	if err != nil || after == before {
		return err
	}
	return s.putEffect(ctx, c, after)
}

// rotateSyncToken makes a tenant's sync token, in place of the one before.
func (s *Server) rotateSyncToken(ctx context.Context, id registry.TenantID, key string) (token secret.Secret, err error) {
	c := call{operation: "sync-token.rotate", key: key, tenant: id, request: map[string]any{"tenant": id}}
	if err = s.checkStays(ctx, id); err != nil {
		return token, s.noted(ctx, act{action: c.operation, tenant: id}, err)
	}
	err = s.once(ctx, c, func(call, bool) (err error) {
		token, err = s.newSyncToken(ctx, id)
		return err
	})
	return token, err
}

func (s *Server) newSyncToken(ctx context.Context, id registry.TenantID) (token secret.Secret, err error) {
	token, row, err := s.newToken(secret.SyncToken)
	if err != nil {
		return token, err
	}
	tenant := string(id)
	row.Kind, row.Name, row.TenantID = syncKind, "sync", &tenant
	if err := s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		if err := s.mustBeTheirs(ctx, q, id); err != nil {
			return err
		}
		return errors.Join(q.DeleteSyncToken(ctx, &tenant), q.InsertToken(ctx, row))
	}); err != nil {
		return token, err
	}
	err = s.read(ctx, func(view *registry.View) error { return mustStay(ctx, view, id) })
	if errors.Is(err, errDeleted) { // meanwhile: it leaves no token behind
		err = errors.Join(err, s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
			_, err := q.DeleteToken(ctx, row.ID) // and not one that somebody else got since
			return err
		}))
	}
	if err != nil {
		return secret.Secret{}, err
	}
	return token, nil
}
