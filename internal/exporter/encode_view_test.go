package exporter_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
)

// viewed is what EncodeView writes of a registry.
func (h house) viewed(t testing.TB, documented bool) string {
	t.Helper()
	var text bytes.Buffer
	h.view(t, func(view *registry.View) {
		state, err := view.State(t.Context())
		require.NoError(t, err)
		require.NoError(t, exporter.EncodeView(t.Context(), &text, view, state.Document, documented))
	})
	return text.String()
}

// Each text of the corpus, where it is read the plain way and at positions from which
// on it is read the fast way.
func TestCorpusComesOutOfARegistryToTheByte(t *testing.T) {
	t.Parallel()
	for name, text := range corpus(t, "accept") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := mustHouse(t)
			h.mustImport(t, text)
			full := expected(t, name+".out.json")
			documented := expected(t, name+".drop.json")
			if documented == "" {
				documented = full
			}
			for range 2 {
				require.Equal(t, full, h.viewed(t, false))
				require.Equal(t, full, h.encoded(t))
				require.Equal(t, documented, h.viewed(t, true))
				h.mustMess(t, "UPDATE tenants SET position = position + 100000")
			}
		})
	}
}

// A registry with gaps in it, and tenants of every kind.
func mustBeLarge(t testing.TB, n int) house {
	t.Helper()
	h := mustHouse(t)
	var f file
	for tenant := range generated(n) {
		f.tenants = append(f.tenants, tenant)
	}
	h.mustImport(t, mustEncode(t, f))
	h.mustMess(t, "DELETE FROM tenants WHERE position BETWEEN 700 AND 1800 OR position % 7 = 0")
	return h
}

func TestALargeRegistryIsExportedToTheByte(t *testing.T) {
	t.Parallel()
	h := mustBeLarge(t, 10_000)
	text := h.encoded(t)
	require.Greater(t, len(text), 1<<20)
	require.Equal(t, text, h.viewed(t, false))
}

// told is a writer that fails once it was given enough.
type told struct{ left int }

var errTold = errors.New("told to stop")

func (w *told) Write(text []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errTold
	}
	return len(text), nil
}

func TestEncodeViewEndsWithItsWriterAndItsContext(t *testing.T) {
	t.Parallel()
	h := mustBeLarge(t, 5000)
	h.view(t, func(view *registry.View) {
		for writes := range 6 {
			require.ErrorIs(t, exporter.EncodeView(t.Context(), &told{writes}, view, registry.Document{}, false), errTold)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		require.ErrorIs(t, exporter.EncodeView(ctx, io.Discard, view, registry.Document{}, false), context.Canceled)
	})
}

func TestEncodeViewAllocatesNothingPerTenant(t *testing.T) {
	h := mustHouse(t)
	var f file
	for tenant := range generated(20_000) {
		tenant.Unknown = registry.Unknown{}
		f.tenants = append(f.tenants, tenant)
	}
	h.mustImport(t, mustEncode(t, f))
	h.view(t, func(view *registry.View) {
		state, err := view.State(t.Context())
		require.NoError(t, err)
		allocations := testing.AllocsPerRun(3, func() {
			require.NoError(t, exporter.EncodeView(t.Context(), io.Discard, view, state.Document, false))
		})
		require.Less(t, allocations, 2000.0, "of 20,000 tenants")
	})
}

// BenchmarkEncodeView is the rendering of an export.
func BenchmarkEncodeView(b *testing.B) {
	h := mustHouse(b)
	var f file
	for tenant := range generated(20_000) {
		f.tenants = append(f.tenants, tenant)
	}
	text := mustEncode(b, f)
	h.mustImport(b, text)
	h.view(b, func(view *registry.View) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if err := exporter.EncodeView(b.Context(), io.Discard, view, registry.Document{}, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}
