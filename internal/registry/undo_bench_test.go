package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkUndo compares an import that changes many tenants with its undo, which
// should take no more than about twice as long.
func BenchmarkUndo(b *testing.B) {
	var files [2][]Tenant
	for i := range 5000 {
		t := local(TenantID(fmt.Sprintf("t%04d", i)))
		files[0] = append(files[0], t)
		t.Name, t.DatabaseURL = "changed "+t.Name, sealed("postgres://u:new@h/"+string(t.ID))
		files[1] = append(files[1], t)
	}
	var took [2]time.Duration
	for b.Loop() {
		d := mustDesk(b)
		d.mustImport(b, fileOf(Document{SyncedAt: noon}, files[0]...))
		at := time.Now()
		d.mustImport(b, fileOf(Document{SyncedAt: noon}, files[1]...))
		took[0] += time.Since(at)
		at = time.Now()
		_, err := d.Undo(b.Context(), Undo{})
		require.NoError(b, err)
		took[1] += time.Since(at)
	}
	for i, what := range []string{"import", "undo"} {
		b.ReportMetric(took[i].Seconds()*1000/float64(b.N), what+"-ms/op")
	}
}
