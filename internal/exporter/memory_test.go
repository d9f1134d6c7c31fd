package exporter_test

import (
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// generated yields n tenants, every second one with a member that is unknown.
func generated(n int) iter.Seq2[registry.Tenant, error] {
	region := "iad"
	url := secret.New("postgres://user:password@db.internal.example.com:5432/tenant?sslmode=require")
	unknown := registry.NewUnknown(`"docker_project":"x","nested":{"a":[1,2,{"b":null}]}`)
	return func(yield func(registry.Tenant, error) bool) {
		for i := range n {
			t := registry.NewLocal(registry.TenantID(fmt.Sprintf("local_%011x", i)), "my-project", url)
			t.Region, t.SyncToken = &region, &url
			if i%2 == 0 {
				t.Unknown = unknown
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// generate gives the text of n tenants while it is read.
func generate(n int) io.ReadCloser {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(exporter.Encode(w, registry.Document{}, generated(n))) }()
	return r
}

// highWater decodes n tenants, and encodes them again as they come, and returns
// the most heap that was in use on the way, garbage excluded.
func highWater(t *testing.T, n int) uint64 {
	t.Helper()
	var most uint64
	count := 0
	source := generate(n)
	defer source.Close()
	tenants := func(yield func(registry.Tenant, error) bool) {
		_, err := exporter.Decode(source, func(tenant registry.Tenant, _ jsontext.Place) error {
			if count++; count%(n/10) == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			yield(tenant, nil)
			return nil
		})
		require.NoError(t, err)
	}
	require.NoError(t, exporter.Encode(io.Discard, registry.Document{}, tenants))
	require.Equal(t, n, count)
	return most
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	few, many := highWater(t, 10_000), highWater(t, 100_000)
	require.Less(t, many, few+1<<20)
}

func BenchmarkEncode(b *testing.B) {
	f := file{}
	for tenant := range generated(1000) {
		f.tenants = append(f.tenants, tenant)
	}
	b.SetBytes(int64(len(mustEncode(b, f))))
	b.ReportAllocs()
	for b.Loop() {
		if err := exporter.Encode(io.Discard, f.doc, f.all()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	f := file{}
	for tenant := range generated(1000) {
		f.tenants = append(f.tenants, tenant)
	}
	text := mustEncode(b, f)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := exporter.Decode(strings.NewReader(text), func(registry.Tenant, jsontext.Place) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
}
