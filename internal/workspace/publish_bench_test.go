package workspace_test

import (
	"fmt"
	"testing"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// BenchmarkPublish is one change of a tenant, alone and with the file that follows.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{10, 1000} {
		h := mustHouse(b)
		h.must(b, h.wanted().Publish, imports(many(n)))
		for name, p := range map[string]publish{"deferred": nil, "followed": h.follower().Publish} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				i := 0
				for b.Loop() {
					i++
					h.must(b, p, rename("t0", fmt.Sprint("name ", name, i)))
				}
			})
		}
		h.must(b, h.follower().Publish, export)
		b.Run(fmt.Sprintf("standing/%d", n), func(b *testing.B) {
			h.view(b, func(view *registry.View) {
				for b.Loop() {
					if s, err := h.follower().Standing(b.Context(), view); err != nil || s != workspace.Current {
						b.Fatal(s, err)
					}
				}
			})
		})
	}
}
