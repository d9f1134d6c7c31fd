package jsontext

import (
	"strings"
	"testing"
)

// BenchmarkEscape is one string of a tenant, by how much of it needs an escape.
func BenchmarkEscape(b *testing.B) {
	for name, text := range map[string]string{
		"none":  strings.Repeat("postgres://user:password", 4),
		"few":   strings.Repeat(`the "project" of someone`, 4),
		"wide":  strings.Repeat("projekt-größe-日本語-…", 4),
		"every": strings.Repeat("\"\\\n\x01", 24),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out = AppendString(out[:0], text)
			}
		})
	}
}
