package exporter_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// allocations bound what one tenant more costs the memory's allocator, and so the time, in
// what works on all of them. Each is today's figure with a little air; lower it when that
// falls. The tenants of generated have seven members, every second one two more that are unknown.
var allocations = map[string]float64{
	"encode":                            0,
	"decode":                            11,
	"import into an empty registry":     31,
	"import of what is there unchanged": 98,
}

// TestATenantAllocatesNoMore counts by the difference of many tenants and twice as many, so
// that what is made once for all of them does not count.
func TestATenantAllocatesNoMore(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: the race detector allocates, too")
	}
	const n = 1000
	few, many := allocationsOf(t, n), allocationsOf(t, 2*n)
	require.Len(t, few, len(allocations))
	for what, bound := range allocations {
		each := (many[what] - few[what]) / n
		t.Logf("%s: %.2f for each tenant", what, each)
		require.LessOrEqual(t, each, bound+0.02, what) // a buffer that grows, a page of SQLite's
	}
}

// allocationsOf counts what n tenants cost.
func allocationsOf(t *testing.T, n int) map[string]float64 {
	t.Helper()
	var f file
	for tenant := range generated(n) {
		f.tenants = append(f.tenants, tenant)
	}
	text := mustEncode(t, f)
	full := mustHouse(t)
	full.mustImport(t, text)
	counted := map[string]float64{}
	count := func(what string, fn func() error) {
		counted[what] = testing.AllocsPerRun(3, func() { require.NoError(t, fn()) })
	}
	count("encode", func() error { return exporter.Encode(io.Discard, registry.Document{}, f.all()) })
	count("decode", func() error {
		_, err := exporter.Decode(strings.NewReader(text), func(registry.Tenant, jsontext.Place) error { return nil })
		return err
	})
	count("import into an empty registry", func() error { return mustHouse(t).imports(text) })
	count("import of what is there unchanged", func() error { return full.imports(text) })
	return counted
}
