package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/db"
	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/server"
)

// serveTenant runs a control plane in this process that has one tenant, and names it in SP_CLOUD_URL:
// `serve-tenant ID SYNC-TOKEN`.
func serveTenant(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve-tenant ID SYNC-TOKEN")
	}
	ctx, dir := context.Background(), ts.MkAbs("spd")
	http := httptest.NewUnstartedServer(nil)
	address, err := url.Parse("http://" + http.Listener.Addr().String())
	ts.Check(err)
	s, err := server.Open(ctx, server.Options{
		Dir: dir, URL: address, Domain: "localhost", Now: time.Now, Random: rand.Reader, Wait: 10 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	ts.Check(err)
	ts.Defer(func() { ts.Check(s.Close()) })
	ts.Check(addTenant(ctx, dir, registry.TenantID(args[0])))
	ts.Check(addSyncToken(ctx, dir, args[0], args[1]))
	http.Config.Handler, err = s.Handler(ctx)
	ts.Check(err)
	http.Start()
	ts.Defer(http.Close)
	ts.Setenv("SP_CLOUD_URL", http.URL)
}

func addTenant(ctx context.Context, dir string, id registry.TenantID) error {
	reg, err := registry.Open(ctx, filepath.Join(dir, "sp.db"), registry.Options{
		Now: time.Now, Rand: rand.Reader, Wait: 10 * time.Second, Command: "test", Trust: db.Trust{Named: true},
	})
	if err != nil {
		return err
	}
	on, err := registry.ServerAt(secret.New("postgres://u:p@db.example.org/d"))
	if err == nil {
		_, err = reg.CreateTenant(ctx, registry.NewTenant{
			Tenant: registry.Tenant{ID: id, Name: "name", Kind: registry.Local}, Database: &registry.PlannedDatabase{Server: on, Name: "d"},
		})
	}
	return errors.Join(err, reg.Close())
}

func addSyncToken(ctx context.Context, dir, tenant, token string) error {
	store, err := rows.Open(ctx, filepath.Join(dir, "serve.db"))
	if err != nil {
		return err
	}
	err = store.Write(ctx, func(q *rows.Queries) error {
		return q.InsertToken(ctx, rows.InsertTokenParams{ID: "t", Kind: "sync", Hash: archive.Hash([]byte(token)), Name: "sync", TenantID: &tenant})
	})
	return errors.Join(err, store.Close())
}
