package cloud

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

const tenantID = "7f000001-aaaa-4bbb-8ccc-000000000001"

func TestMeHasTheTenantsAndIsAskedOnceForAState(t *testing.T) {
	t.Parallel()
	c := newPlane(t).client()
	me, unchanged, err := c.Me(t.Context(), "")
	require.NoError(t, err)
	require.False(t, unchanged)
	require.Equal(t, User{"u1", "ada@example.com", "Ada"}, me.User)
	require.Len(t, me.Tenants, 2)
	require.Equal(t, "iad", *me.Tenants[0].Region)
	require.True(t, me.Tenants[0].ExternalDBAccess)
	require.Equal(t, "postgres://u:***@h/one", me.Tenants[0].DatabaseURL.Reveal())
	require.Nil(t, me.Tenants[1].Region)

	_, unchanged, err = c.Me(t.Context(), me.ETag)
	require.NoError(t, err)
	require.True(t, unchanged)
}

func TestCreateSendsItsKeyAndWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.handle("POST /api/v1/tenants", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		require.JSONEq(t, `{"name":"one","region":"iad","external_db_access":false}`, string(body))
		require.Equal(t, "the-key-of-this-one", r.Header.Get("Idempotency-Key"))
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		answerText(w, http.StatusAccepted, "application/json", `{"data":{"id":"t1","name":"one","status":"pending","external_db_access":false,"database_url":""}}`)
	})
	made, err := p.client().Create(t.Context(), "the-key-of-this-one", NewTenant{Name: "one", Region: "iad"}, false)
	require.NoError(t, err)
	require.Equal(t, "t1", made.ID)
	require.Equal(t, "pending", *made.Status)
}

func TestTheOriginalsShapesAreRead(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	for name, text := range map[string]string{
		"GET /api/v1/tenants/t1/status":               `{"data":{"status":"ready","message":null,"app_url":"https://a.example","secrets_url":"` + p.URL + `/api/v1/tenants/t1/credentials"}}`,
		"GET /api/v1/tenants/t1/credentials":          `{"jwt_secret":"j","database_url":"postgres://u:pw@h/d","internal_database_url":"postgres://u:pw@i/d","app_url":"https://a.example","anthropic_api_key":"x"}`,
		"POST /api/v1/tenants/t1/rotate-credentials":  `{"status":"rotated","message":"done","internal_database_url":"postgres://u:pw2@i/d","external_database_url":"postgres://u:pw2@h/d"}`,
		"POST /api/v1/tenants/t1/rotate-sync-token":   `{"status":"rotated","sync_token":"sp_sync_x"}`,
		"POST /api/v1/tenants/t1/subscription/cancel": `null`,
		"GET /api/v1/regions":                         `{"data":[{"code":"iad","name":"Ashburn","answers":true}]}`,
		"GET /api/v1/tenants/t1":                      `{"data":{"id":"t1","name":"one","external_db_access":false,"database_url":""}}`,
		"DELETE /api/v1/tenants/t1":                   ``,
		"GET /api/v1/tenants/t1/files":                `{"files":[{"path":"profiles/p/profile.yaml","sha256":"00","bytes":3}]}`,
		"PUT /api/v1/tenants/t1/files":                `{"files":[]}`,
		"PUT /api/v1/tenants/t1/external-db-access":   `{"data":{"tenant_id":"t1","external_db_access":true,"database_url":""}}`,
	} {
		p.handle(name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			if r.Header.Get("Accept") == "application/gzip" {
				require.Equal(t, "Bearer sp_sync_x", r.Header.Get("Authorization"))
				answerText(w, http.StatusOK, "application/gzip", "archive")
				return
			}
			answerText(w, http.StatusOK, "application/json", text)
		})
	}
	c, ctx, sync := p.client(), t.Context(), secret.New("sp_sync_x")
	status, err := c.Status(ctx, "t1")
	require.NoError(t, err)
	require.Equal(t, Ready, status.State)
	found, err := c.Credentials(ctx, "t1", status.SecretsURL)
	require.NoError(t, err)
	require.Equal(t, "postgres://u:pw@i/d", found.InternalDatabaseURL.Reveal())
	grace := 10 * time.Minute
	rotated, err := c.RotateCredentials(ctx, "t1", "a-key-of-16-bytes", &grace)
	require.NoError(t, err)
	require.Equal(t, "postgres://u:pw2@h/d", rotated.ExternalDatabaseURL.Reveal())
	token, err := c.RotateSyncToken(ctx, "t1", "a-key-of-16-bytes")
	require.NoError(t, err)
	require.Equal(t, "sp_sync_x", token.Reveal())
	require.NoError(t, c.Cancel(ctx, "t1"))
	regions, err := c.Regions(ctx)
	require.NoError(t, err)
	require.Equal(t, []Region{{"iad", "Ashburn", true}}, regions)
	tenant, err := c.Tenant(ctx, "t1")
	require.NoError(t, err)
	require.Equal(t, "one", tenant.Name)
	external, err := c.SetExternal(ctx, "t1", true)
	require.NoError(t, err)
	require.True(t, external)
	require.NoError(t, c.Delete(ctx, "t1"))
	archive, etag, err := c.Archive(ctx, "t1", sync)
	require.NoError(t, err)
	require.Equal(t, `archive "v1"`, string(archive)+" "+etag)
	require.NoError(t, c.PutFiles(ctx, "t1", sync, archive, etag))
}

func TestDeleteOfATenantThatIsGoneIsNotFound(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	require.ErrorIs(t, p.client().Delete(t.Context(), tenantID), ErrNotFound)
	p.handle("DELETE /api/v1/tenants/"+tenantID, func(w http.ResponseWriter, _ *http.Request) {
		answerText(w, http.StatusNotFound, "text/html", "<html>some other server</html>")
	})
	err := p.client().Delete(t.Context(), tenantID)
	require.ErrorIs(t, err, ErrAnswer, "a proxy's 404 says nothing of a tenant")
	require.NotErrorIs(t, err, ErrNotFound)
}

// TestAPageOfTheNetworkDeletesNothing though its status says that all is well.
func TestAPageOfTheNetworkDeletesNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"<html>Please sign in</html>", ""} {
		p := newPlane(t)
		p.handle("DELETE /api/v1/tenants/"+tenantID, func(w http.ResponseWriter, _ *http.Request) {
			answerText(w, http.StatusOK, "text/html", text)
		})
		require.ErrorIs(t, p.client().Delete(t.Context(), tenantID), ErrAnswer)
	}
}

func TestAnIDCanNotLeadElsewhere(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	_, err := p.client().Tenant(t.Context(), "../auth/me?x=#y")
	require.ErrorIs(t, err, ErrNotFound)
	require.Zero(t, p.count("GET /api/v1/auth/me"))
}

// A control plane that was logged in to as localhost may call itself 127.0.0.1.
func TestCredentialsAreAskedOfTheOriginOfTheLoginOnly(t *testing.T) {
	t.Parallel()
	p, other := newPlane(t), newPlane(t)
	for _, url := range []string{
		"https://evil.example/x", "//evil.example/x", "", other.URL + "/api/v1/tenants/t2/credentials",
		strings.Replace(p.URL, "http://", "http://u:p@", 1) + "/x", p.URL + "/x#y", p.URL + "/api/v1/tenants/t10/credentials", strings.Replace(p.URL, "http", "https", 1) + "/x",
		p.URL + "/api/v1/tenants/t2/credentials?next=/api/v1/tenants/t1/credentials",
	} {
		_, err := p.client().Credentials(t.Context(), "t1", secret.New(url))
		require.ErrorIs(t, err, ErrAnswer, url)
	}
	require.Empty(t, p.asked)
	p.handle("GET /api/v1/tenants/t1/credentials", func(w http.ResponseWriter, _ *http.Request) {
		answerText(w, http.StatusOK, "application/json", `{"database_url":"postgres://u:pw@h/d","internal_database_url":"postgres://u:pw@i/d","app_url":""}`)
	})
	for _, url := range []string{p.URL, strings.Replace(p.URL, "127.0.0.1", "localhost", 1), other.URL, ""} {
		found, err := p.client().Credentials(t.Context(), "t1", secret.New(url+"/api/v1/tenants/t1/credentials"))
		require.NoError(t, err, url)
		require.Equal(t, "postgres://u:pw@i/d", found.InternalDatabaseURL.Reveal())
	}
	require.Len(t, p.asked, 4)
	require.Empty(t, other.asked)
}

// TestAnAnswerAboutAnotherTenantIsNone: what it tells would be stored with that one.
func TestAnAnswerAboutAnotherTenantIsNone(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	tenant := `{"data":{"id":"other","name":"prod","external_db_access":false,"database_url":""}}`
	for name, text := range map[string]string{
		"GET /api/v1/tenants/t1":                      tenant,
		"PATCH /api/v1/tenants/t1":                    tenant,
		"GET /api/v1/tenants/t1/status":               `{"data":{"status":"ready","tenant_id":"other"}}`,
		"GET /api/v1/tenants/t1/credentials":          `{"id":"other","database_url":"postgres://u:pw@h/d","internal_database_url":"postgres://u:pw@i/d"}`,
		"POST /api/v1/tenants/t1/rotate-credentials":  `{"tenant_id":"other","internal_database_url":"postgres://u:pw2@i/d","external_database_url":"postgres://u:pw2@h/d"}`,
		"POST /api/v1/tenants/t1/rotate-sync-token":   `{"tenant_id":"other","sync_token":"sp_sync_x"}`,
		"POST /api/v1/tenants/t1/retry-provision":     `{"id":"other","status":"provisioning"}`,
		"POST /api/v1/tenants/t1/subscription/cancel": `{"id":"other"}`,
		"PUT /api/v1/tenants/t1/external-db-access":   `{"data":{"tenant_id":"other","external_db_access":true}}`,
		"GET /api/v1/tenants/t1/events":               "",
	} {
		p.handle(name, func(w http.ResponseWriter, _ *http.Request) {
			if text == "" {
				answerText(w, http.StatusOK, "text/event-stream", "data: {\"tenant_id\":\"other\",\"status\":\"ready\"}\n\n")
				return
			}
			answerText(w, http.StatusOK, "application/json", text)
		})
	}
	c, ctx := p.client(), t.Context()
	for name, ask := range map[string]func() error{
		"tenant":   func() error { _, err := c.Tenant(ctx, "t1"); return err },
		"uncancel": func() error { _, err := c.Uncancel(ctx, "t1"); return err },
		"status":   func() error { _, err := c.Status(ctx, "t1"); return err },
		"credentials": func() error {
			_, err := c.Credentials(ctx, "t1", secret.New(p.URL+"/api/v1/tenants/t1/credentials"))
			return err
		},
		"rotate":     func() error { _, err := c.RotateCredentials(ctx, "t1", "a-key", nil); return err },
		"sync token": func() error { _, err := c.RotateSyncToken(ctx, "t1", "a-key"); return err },
		"retry":      func() error { return c.Retry(ctx, "t1") },
		"cancel":     func() error { return c.Cancel(ctx, "t1") },
		"events":     func() error { _, err := c.Events(ctx, "t1", func(Event) {}); return err },
	} {
		require.ErrorIs(t, ask(), ErrAnswer, name)
	}
	require.Zero(t, p.count("PATCH /api/v1/tenants/t1"), "nothing is changed of another one")
}

func TestEventsAreFollowedAcrossACut(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	parts := []string{
		": hello\n\nid: 1\nevent: provisioning\ndata: {\"tenant_id\":\"t1\",\"event_type\":\"database_created\",\"status\":\"provisioning\",\"message\":\"made\"}\n\nevent: heartbeat\ndata: {\"status\":\"provisioning\"}\n\nid: 2\nevent: provis",
		"id: 2\nevent: provisioning\ndata: {\"event_type\":\"secrets_stored\",\ndata: \"status\":\"provisioning\"}\n\n",
		"id: 3\ndata: {\"event_type\":\"tenant_ready\",\"status\":\"ready\"}\n\nid: 4\ndata: {\"event_type\":\"never\",\"status\":\"ready\"}\n\n",
	}
	var from []string
	p.handle("GET /api/v1/tenants/t1/events", func(w http.ResponseWriter, r *http.Request) {
		from = append(from, r.Header.Get("Last-Event-ID"))
		answerText(w, http.StatusOK, "text/event-stream", parts[len(from)-1])
	})
	p.handle("GET /api/v1/tenants/t1/status", ready)
	var events []string
	status, err := p.client().Events(t.Context(), "t1", func(e Event) { events = append(events, strings.TrimSpace(e.Type+" "+e.Message)) })
	require.NoError(t, err)
	require.Equal(t, Ready, status.State)
	require.Equal(t, []string{"", "1", "2"}, from)
	require.Equal(t, []string{"database_created made", "secrets_stored", "tenant_ready"}, events)
}

func ready(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{"data": map[string]string{"status": "ready"}})
}

func TestWithoutAStreamTheStatusIsLookedAt(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]http.HandlerFunc{
		"a proxy that knows none": func(w http.ResponseWriter, _ *http.Request) { answerText(w, http.StatusOK, "text/html", "<html>") },
		"no such method": func(w http.ResponseWriter, _ *http.Request) {
			answerText(w, http.StatusMethodNotAllowed, "text/plain", "no")
		},
		"never an event": func(w http.ResponseWriter, _ *http.Request) {
			answerText(w, http.StatusOK, "text/event-stream", ":\n\n")
		},
		"always down": func(w http.ResponseWriter, _ *http.Request) {
			answerProblem(w, http.StatusServiceUnavailable, "unavailable", "later")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			p.handle("GET /api/v1/tenants/t1/events", stream)
			states := []string{"provisioning", "provisioning", "failed"}
			p.handle("GET /api/v1/tenants/t1/status", func(w http.ResponseWriter, _ *http.Request) {
				answerJSON(w, http.StatusOK, map[string]any{"data": map[string]string{"status": states[0], "message": "because"}})
				states = states[1:]
			})
			var events []State
			var pauses []time.Duration
			o := p.client().Options
			o.Sleep = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
			status, err := mustNew(t, o).Events(t.Context(), "t1", func(e Event) { events = append(events, e.State) })
			require.NoError(t, err)
			require.Equal(t, "failed because", string(status.State)+" "+status.Message)
			require.Equal(t, []State{Provisioning, Failed}, events)
			require.Contains(t, pauses, 2*time.Second)
		})
	}
}

func TestEventsOfATenantThatIsNotThereEnd(t *testing.T) {
	t.Parallel()
	_, err := newPlane(t).client().Events(t.Context(), "t1", func(Event) {})
	require.ErrorIs(t, err, ErrNotFound)
}

func TestEventsEndWithTheContext(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.handle("GET /api/v1/tenants/t1/events", func(w http.ResponseWriter, r *http.Request) {
		answerText(w, http.StatusOK, "text/event-stream", "id: 1\ndata: {\"event_type\":\"x\",\"status\":\"provisioning\"}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := p.client().Events(ctx, "t1", func(Event) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
}
