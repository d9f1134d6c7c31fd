package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// BenchmarkPlane is what a control plane answers to eight clients at once, over connections of this
// machine: lists of all tenants, with and without a change since the last, syncs that find nothing
// changed, and creations. Those are recorded only: no loop runs, and the region is not reached.
//
//	go test ./internal/server -run '^$' -bench Plane -benchtime 200x
func BenchmarkPlane(b *testing.B) {
	for _, size := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := mustPlaneBehind(b, func(next http.Handler) http.Handler { return next })
			p.Log = slog.New(slog.DiscardHandler)
			p.mustRegion("iad", "db.example.org")
			p.mustFill(size)
			root := p.mustUser("root", AdminRole)
			listed := root.want(b, 200, "GET", "/api/v1/auth/me", "")
			b.Run("list", func(b *testing.B) {
				b.SetBytes(int64(listed.size))
				p.crowd(b, func(int) { root.want(b, 200, "GET", "/api/v1/auth/me", "") })
			})
			b.Run("list-changed", func(b *testing.B) {
				p.crowd(b, func(int) {
					p.mustChange()
					root.want(b, 200, "GET", "/api/v1/auth/me", "")
				})
			})
			b.Run("no-change", func(b *testing.B) {
				tag := root.want(b, 200, "GET", "/api/v1/auth/me", "").tag
				p.crowd(b, func(int) { root.want(b, 304, "GET", "/api/v1/auth/me", "", "If-None-Match", tag) })
			})
			var made atomic.Int64
			b.Run("create", func(b *testing.B) {
				p.crowd(b, func(int) {
					name := fmt.Sprint("made", made.Add(1))
					root.want(b, 202, "POST", "/api/v1/tenants", `{"name":"`+name+`","region":"iad"}`, "Idempotency-Key", "a-key-to-create-"+name)
				})
			})
		})
	}
}

// mustFill records tenants whose databases are ready, as many at a time as a change takes well.
func (p *plane) mustFill(size int) {
	p.t.Helper()
	const batch = 10_000
	for from := 0; from < size; from += batch {
		require.NoError(p.t, p.change(p.t.Context(), func(reg *registry.Registry) error {
			for i := from; i < min(from+batch, size); i++ {
				if err := p.fill(p.t.Context(), reg, i); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func (p *plane) fill(ctx context.Context, reg *registry.Registry, i int) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	server, err := view.Region(ctx, "iad")
	if err != nil {
		return err
	}
	id, region, app := registry.TenantID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), "iad", fmt.Sprintf("sp-%012d", i)
	host, name := fmt.Sprintf("%012d.example.org", i), fmt.Sprintf("sp_shop%d_abcdef", i)
	if _, err := reg.CreateTenant(ctx, registry.NewTenant{
		Tenant:   registry.Tenant{ID: id, Name: fmt.Sprint("shop", i), AppID: &app, Hostname: &host, Region: &region, Kind: registry.Local},
		Database: &registry.PlannedDatabase{Server: *server, Name: name}, AllowDuplicateName: true,
	}); err != nil {
		return err
	}
	url := secret.New("postgres://" + name + "_a:0123456789abcdef0123456789abcdef@db.example.org:5432/" + name)
	_, err = reg.PublishCredentials(ctx, registry.Credentials{Tenant: id, URL: url, Login: registry.LoginA})
	return err
}

var changes atomic.Int64

// mustChange changes what lists show.
func (p *plane) mustChange() {
	name := fmt.Sprint("shop", changes.Add(1))
	require.NoError(p.t, p.change(p.t.Context(), func(reg *registry.Registry) error {
		return updateTenant(p.t.Context(), reg, "00000000-0000-4000-8000-000000000000", tenantEdit{Name: &name})
	}))
}

// seen is what a client keeps of an answer whose text it does not look at.
type seen struct {
	tag  string
	size int64
}

// want asks as sp does, and reads the answer without keeping it.
func (c *client) want(b *testing.B, status int, method, path, body string, headers ...string) seen {
	r, err := http.NewRequestWithContext(b.Context(), method, c.http.URL+path, strings.NewReader(body))
	require.NoError(b, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := crowded.Do(r)
	require.NoError(b, err)
	defer func() { _ = answer.Body.Close() }()
	size, err := io.Copy(io.Discard, answer.Body)
	require.NoError(b, err)
	require.Equal(b, status, answer.StatusCode)
	return seen{answer.Header.Get("ETag"), size}
}

const atATime = 8

var crowded = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atATime}}

// crowd has clients act at once, and reports how long they waited.
func (p *plane) crowd(b *testing.B, act func(int)) {
	var mu sync.Mutex
	var waits []time.Duration
	var next atomic.Int64
	var wait sync.WaitGroup
	b.ResetTimer()
	for range atATime {
		wait.Go(func() {
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				began := time.Now()
				act(i)
				mu.Lock()
				waits = append(waits, time.Since(began))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	slices.Sort(waits)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(waits[len(waits)/2]), "p50-ms")
	b.ReportMetric(ms(waits[len(waits)*99/100]), "p99-ms")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
