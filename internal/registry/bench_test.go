package registry

import (
	"fmt"
	"path/filepath"
	"testing"
)

// many are n local tenants; their names are not their ids.
func many(n int) []Tenant {
	tenants := make([]Tenant, n)
	for i := range tenants {
		tenants[i] = local(TenantID(fmt.Sprintf("local_%011x", i)))
		tenants[i].Name = fmt.Sprintf("project-%06d", i)
	}
	return tenants
}

// sizes runs a benchmark among few and among many tenants: most must not tell them apart.
func sizes(b *testing.B, bench func(b *testing.B, d *desk, middle Tenant)) {
	for _, n := range []int{10, 10_000} {
		d, tenants := mustDesk(b), many(n)
		d.mustImport(b, file(tenants...))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			bench(b, d, tenants[n/2])
		})
	}
}

// BenchmarkLookup is one tenant by its id within a view, as a resolve reads it.
func BenchmarkLookup(b *testing.B) {
	sizes(b, func(b *testing.B, d *desk, middle Tenant) {
		view := d.mustView(b)
		for b.Loop() {
			if _, err := view.Tenant(b.Context(), middle.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLookupByName is one tenant by what people call it.
func BenchmarkLookupByName(b *testing.B) {
	sizes(b, func(b *testing.B, d *desk, middle Tenant) {
		view := d.mustView(b)
		for b.Loop() {
			if _, err := view.FindTenant(b.Context(), middle.Name); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOpen is what stands before the first answer: the file opened, its owner,
// schema and shape checked, a transaction begun, and all of it ended.
func BenchmarkOpen(b *testing.B) {
	sizes(b, func(b *testing.B, d *desk, _ Tenant) {
		for b.Loop() {
			reg, err := Open(b.Context(), d.path, d.options())
			if err != nil {
				b.Fatal(err)
			}
			view, err := reg.View(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			view.Close()
			if err := reg.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPage is the first fifty tenants of a list.
func BenchmarkPage(b *testing.B) {
	sizes(b, func(b *testing.B, d *desk, _ Tenant) {
		view := d.mustView(b)
		for b.Loop() {
			for _, err := range view.Tenants(b.Context(), Page{Limit: 50}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkRows is every tenant, as an export reads them.
func BenchmarkRows(b *testing.B) {
	sizes(b, func(b *testing.B, d *desk, _ Tenant) {
		view := d.mustView(b)
		for b.Loop() {
			for _, err := range view.Tenants(b.Context(), Page{}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkInsert is an import of 1000 tenants into an empty registry, the registry's
// making left out.
func BenchmarkInsert(b *testing.B) {
	tenants := file(many(1000)...)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		d := mustDeskAt(b, filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")))
		b.StartTimer()
		if _, err := d.ImportTenants(b.Context(), tenants); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInsertAgain is an import of 1000 tenants that are all there.
func BenchmarkInsertAgain(b *testing.B) {
	tenants := file(many(1000)...)
	d := mustDesk(b)
	d.mustImport(b, tenants)
	b.ReportAllocs()
	for b.Loop() {
		if plan := d.mustImport(b, tenants); plan.Unchanged != 1000 {
			b.Fatal(plan)
		}
	}
}
