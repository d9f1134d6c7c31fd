package registry

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLookalikesAreFound(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	named := func(id TenantID, name string) Tenant {
		tenant := local(id)
		tenant.Name = name
		return tenant
	}
	d.mustImport(t, file(named("shop", "My Shop"), named("cafe", "café"), named("1", "prod-1"), named("info", "info"), named("z", "zero\u200bwidth"), named("twin", "café")))
	v := d.mustView(t)
	for name, want := range map[string][]TenantID{
		"INFO": {"info"}, "my shop": {"shop"},
		"MY\u00a0SHOP": {"shop"},
		"Му Ѕһор":      {"shop"}, // Cyrillic
		"Μy Shορ":      {"shop"}, // Greek
		"Ｍｙ　Ｓｈｏｐ":      {"shop"}, // full width
		"cafe\u0301":   {"cafe", "twin"},
		"cafe":         {"cafe", "twin"},
		"CAFÉ":         {"cafe", "twin"},
		"prod–l":       {"1"},
		"zerowidth":    {"z"},
		"My Shop":      nil, // it is that name, which is refused elsewhere
		"café":         nil,
		"my shops":     nil,
		"shop":         nil,
		"prod-2":       nil,
		"":             nil,
		"\xff":         nil,
	} {
		found, err := v.Lookalikes(t.Context(), name)
		require.NoError(t, err, name)
		require.Equal(t, want, found, name)
	}
}

func TestLookalikesAreFew(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var many []Tenant
	for i := range 2000 { // more than one batch, in every mixture of case
		name := []byte("abcdefghijk")
		for bit := range name {
			if i>>bit&1 == 1 {
				name[bit] -= 'a' - 'A'
			}
		}
		tenant := local(TenantID(name))
		tenant.Name = string(name)
		many = append(many, tenant)
	}
	d.mustImport(t, file(many...))
	found, err := d.mustView(t).Lookalikes(t.Context(), "äbcdefghijk")
	require.NoError(t, err)
	require.Len(t, found, maxCandidates)
}
