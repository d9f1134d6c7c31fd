package registry

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// crowd are more than a batch, with all kinds of members.
func crowd() (tenants []Tenant) {
	for n := range 3*batch + 7 {
		t := fullTenant()
		if n%3 == 0 {
			t = local("")
		}
		t.ID, t.Name = TenantID(fmt.Sprintf("%x", n*7919%4096)), fmt.Sprint("n", n%100)
		tenants = append(tenants, t)
	}
	return tenants
}

// TestTenantsOfAnEmptyRegistryAreTheOnesThatAreMerged compares the fast way into an
// empty registry with the plain one.
func TestTenantsOfAnEmptyRegistryAreTheOnesThatAreMerged(t *testing.T) {
	t.Parallel()
	var fast, plain *desk
	for _, tenants := range [][]Tenant{crowd(), crowd()[:batch], crowd()[:1], nil} {
		for _, prune := range []bool{false, true} {
			fast, plain = mustDesk(t), mustDesk(t)
			requireMergedAlike(t, fast, plain, tenants, prune)
		}
	}
	require.Empty(t, mustContents(t, fast.path).Tenants)
	requireMergedAlike(t, fast, plain, crowd(), false)
	fast.mustUndo(t)
	plain.mustUndo(t)
	require.Empty(t, mustContents(t, fast.path).Tenants)
	requireMergedAlike(t, fast, plain, crowd()[1:], false)
	require.Equal(t, revealAll(crowd()[1:]), mustContents(t, fast.path).Tenants, "behind the positions that were given")
}

// requireMergedAlike imports tenants in the fast way and in the plain one.
func requireMergedAlike(t *testing.T, fast, plain *desk, tenants []Tenant, prune bool) {
	t.Helper()
	i := file(tenants...)
	i.Prune = prune
	first, err := fast.ImportTenants(t.Context(), i)
	require.NoError(t, err)
	i.FirstDuplicate = true
	second, err := plain.ImportTenants(t.Context(), i)
	require.NoError(t, err)
	require.Equal(t, second, first)
	require.Equal(t, mustContents(t, plain.path), mustContents(t, fast.path))
	require.Len(t, mustContents(t, fast.path).Tenants, len(tenants))
	require.Equal(t, mustPlaces(t, plain), mustPlaces(t, fast))
	require.Equal(t, plain.mustHistory(t, nil, Page{}), fast.mustHistory(t, nil, Page{}))
}

// mustPlaces returns what no view shows of the tenants.
func mustPlaces(t *testing.T, d *desk) (places sql.NullString) {
	t.Helper()
	require.NoError(t, mustRaw(t, d.path).QueryRow(
		"SELECT group_concat(position || ' ' || id || ' ' || seen || ' ' || version, '; ' ORDER BY position) FROM tenants").Scan(&places))
	return places
}

func TestAnImportIntoAnEmptyRegistryIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	for _, at := range []int{0, 1, batch, 2*batch + 1} {
		i := Import{Read: func(take func(Tenant) error) (Document, error) {
			for _, t := range crowd()[:at] {
				if err := take(t); err != nil {
					return Document{}, err
				}
			}
			return Document{}, errTrouble
		}}
		d.mustRefuse(t, errTrouble, func() error { _, err := d.ImportTenants(t.Context(), i); return err })
		bad := append(crowd()[:at:at], Tenant{ID: "bad", Name: "", Kind: Local})
		d.mustRefuse(t, ErrInvalid, func() error { _, err := d.ImportTenants(t.Context(), file(bad...)); return err })
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	i := file(crowd()...)
	read := i.Read
	i.Read = func(take func(Tenant) error) (Document, error) {
		cancel(errTrouble)
		return read(take)
	}
	d.mustRefuse(t, errTrouble, func() error { _, err := d.ImportTenants(ctx, i); return err })
}

// TestAFileIsRefusedForWhatComesFirst in it, whatever there is already.
func TestAFileIsRefusedForWhatComesFirst(t *testing.T) {
	t.Parallel()
	empty, used := mustDesk(t), mustDesk(t)
	used.mustTenants(t, "z")
	for _, c := range []struct {
		tenants []Tenant
		want    error
	}{
		{[]Tenant{local("a"), local("a")}, &DuplicateError{ID: "a"}},
		{append(crowd(), crowd()[1]), &DuplicateError{ID: crowd()[1].ID}},
		{[]Tenant{local("a"), local("b")}, errTrouble},
	} {
		i := Import{Read: func(take func(Tenant) error) (Document, error) {
			_, err := file(c.tenants...).Read(take)
			return Document{}, cmp.Or(err, errTrouble)
		}}
		_, err := PlanNew(i)
		require.EqualError(t, err, c.want.Error(), "where there is no registry")
		for _, d := range []*desk{empty, used} {
			_, err := d.ImportTenants(t.Context(), i)
			require.EqualError(t, err, c.want.Error())
		}
		i.FirstDuplicate = true
		_, err = PlanNew(i)
		require.Equal(t, errTrouble, err)
		empty.mustRefuse(t, errTrouble, func() error { _, err := empty.ImportTenants(t.Context(), i); return err })
	}
}

// again counts how often a file is read.
func again(i Import, hash string) (Import, *int) {
	reads, read := 0, i.Read
	i.Read = func(take func(Tenant) error) (Document, error) {
		reads++
		return read(take)
	}
	i.Hash = func() (string, error) { return hash, nil }
	return i, &reads
}

func TestAFileThatWasJustImportedIsNotReadAgain(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	tenants := crowd()
	i, reads := again(file(tenants...), "1")
	first := d.mustImport(t, i)
	before := mustContents(t, d.path)
	plan := d.mustImport(t, i)
	require.Equal(t, 1, *reads)
	require.Equal(t, Plan{Revision: first.Revision + 1, Unchanged: len(tenants), Document: first.Document}, plan)
	after := mustContents(t, d.path)
	after.Revision = before.Revision
	require.Equal(t, before, after)

	for what, differs := range map[string]func(i *Import){
		"prune": func(i *Import) { i.Prune = true },
		"exact": func(i *Import) { i.Exact = true },
		"purge": func(i *Import) { i.Purge = true },
		"other": func(i *Import) { i.Hash = func() (string, error) { return "2", nil } },
		"none":  func(i *Import) { i.Hash = nil },
	} {
		j, reads := again(file(tenants...), "1")
		differs(&j)
		plan := d.mustImport(t, j)
		require.Equal(t, 1, *reads, what)
		require.Equal(t, len(tenants), plan.Unchanged, what)
		d.mustImport(t, i)
	}
}

// TestAFileIsReadAgainWhenItCouldChangeAnything: after every change of a tenant or of
// the document, and where the registry kept something that the file says otherwise.
func TestAFileIsReadAgainWhenItCouldChangeAnything(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(d *desk){
		"edited":   func(d *desk) { d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}}) },
		"deleted":  func(d *desk) { d.mustDelete(t, "a") },
		"added":    func(d *desk) { d.mustTenants(t, "z") },
		"undone":   func(d *desk) { d.mustUndo(t) },
		"imported": func(d *desk) { d.mustImport(t, file(local("a"), local("c"))) },
	} {
		d := mustDesk(t)
		i, reads := again(file(local("a"), local("b")), "1")
		d.mustImport(t, i)
		change(d)
		d.mustImport(t, i)
		require.Equal(t, 2, *reads, what)
		require.Subset(t, mustContents(t, d.path).Tenants, revealAll([]Tenant{local("b")}), what)
	}
	d := mustDesk(t)
	d.mustImport(t, file(fullTenant()))
	i, reads := again(file(Tenant{ID: "c", Name: "Cloud", Kind: Cloud}), "1") // it lacks members
	for n := range 2 {
		require.Len(t, d.mustImport(t, i).Steps, 1)
		require.Equal(t, n+1, *reads)
	}
	hidden := fullTenant()
	hidden.DatabaseURL = sealed(masked)
	i, reads = again(file(hidden), "3")
	for n := range 2 {
		require.Len(t, d.mustImport(t, i).Steps, 1)
		require.Equal(t, n+1, *reads)
	}
	twice, reads := again(file(local("a"), local("a")), "2")
	twice.FirstDuplicate = true
	for range 2 {
		require.Equal(t, 1, d.mustImport(t, twice).Skipped)
	}
	require.Equal(t, 2, *reads)
}
