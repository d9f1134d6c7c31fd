package resolver_test

import (
	"testing"

	"github.com/sp-registry/sp/internal/resolver"
)

func BenchmarkResolve(b *testing.B) {
	for name, c := range map[string]combination{
		"flag":         {flag: "good", profiles: 2},
		"path":         {flag: "path", profiles: 2},
		"session":      {session: "good", selection: "selected", profiles: 2},
		"default":      {standing: "good", selection: "selected", profiles: 2},
		"only profile": {selection: "selected", profiles: 1},
	} {
		b.Run(name, func(b *testing.B) {
			w, req := c.world(), c.request()
			b.ReportAllocs()
			for b.Loop() {
				w.reads = w.reads[:0]
				if _, err := resolver.Resolve(ctx, w, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
