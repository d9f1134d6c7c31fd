package exporter_test

import (
	"bytes"
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// canary is a secret of tenants; nothing but a file of tenants may show it.
const canary = "c4n4ry-in-the-mine"

// house is a directory with a registry.
type house struct{ dir string }

func mustHouse(t testing.TB) house {
	t.Helper()
	h := house{dir: t.TempDir()}
	reg, _, err := registry.Create(t.Context(), h.registry(), h.options())
	require.NoError(t, err)
	require.NoError(t, reg.Close())
	return h
}

func (h house) registry() string { return filepath.Join(h.dir, "sp.db") }

func (h house) options() registry.Options {
	return registry.Options{
		Now:  func() time.Time { return time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC) },
		Wait: 30 * time.Second,
	}
}

// imports takes a text over, as a command does.
func (h house) imports(text string) error {
	reg, err := registry.Open(context.Background(), h.registry(), h.options())
	if err != nil {
		return err
	}
	defer func() { _ = reg.Close() }()
	_, err = reg.ImportTenants(context.Background(), registry.Import{Read: func(take func(registry.Tenant) error) (registry.Document, error) {
		return exporter.Decode(strings.NewReader(text), func(t registry.Tenant, _ jsontext.Place) error { return take(t) })
	}})
	return err
}

func (h house) mustImport(t testing.TB, text string) {
	t.Helper()
	require.NoError(t, h.imports(text))
}

// view hands one instant of the registry to fn.
func (h house) view(t testing.TB, fn func(view *registry.View)) {
	t.Helper()
	reg, err := registry.Open(t.Context(), h.registry(), h.options())
	require.NoError(t, err)
	view, err := reg.View(t.Context())
	require.NoError(t, err)
	fn(view)
	view.Close()
	require.NoError(t, reg.Close())
}

// encoded is what Encode writes of the registry.
func (h house) encoded(t testing.TB) string {
	t.Helper()
	var text bytes.Buffer
	h.view(t, func(view *registry.View) {
		state, err := view.State(t.Context())
		require.NoError(t, err)
		require.NoError(t, exporter.Encode(&text, state.Document, view.Tenants(t.Context(), registry.Page{})))
	})
	return text.String()
}

// mustMess changes the registry behind its back.
func (h house) mustMess(t testing.TB, statements ...string) {
	t.Helper()
	conn, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: h.registry()}).String())
	require.NoError(t, err)
	conn.SetMaxOpenConns(1)
	for _, s := range statements {
		_, err := conn.Exec(s)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
}
