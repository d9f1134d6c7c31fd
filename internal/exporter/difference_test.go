package exporter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

const foreign = `{"tenants":[{"id":"a","name":"theirs"},{"id":"z","name":"z"}],` + at10 + `}`

// mustHold is a registry with local tenants of these ids.
func mustHold(t *testing.T, ids ...string) house {
	t.Helper()
	h := mustHouse(t)
	var tenants []string
	for _, id := range ids {
		tenants = append(tenants, `{"id":"`+id+`","name":"name of `+id+`","database_url":"postgres://u:`+canary+`@localhost/`+id+`"}`)
	}
	h.mustImport(t, `{"tenants":[`+strings.Join(tenants, ",")+`],`+at10+`}`)
	return h
}

func (h house) differences(t *testing.T, text string, limit int) (found []exporter.Difference, err error) {
	t.Helper()
	h.view(t, func(view *registry.View) {
		found, err = exporter.Differences(t.Context(), view, strings.NewReader(text), limit)
	})
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", found, found, found), canary)
	if err != nil {
		require.NotContains(t, err.Error(), canary)
	}
	return found, err
}

func TestDifferencesNameTenantsAndMembers(t *testing.T) {
	t.Parallel()
	h := mustHold(t, "a", "b", "c")
	h.mustImport(t, `{"tenants":[{"id":"c","name":"c","x":"`+canary+`"}],`+at10+`}`)
	found, err := h.differences(t, `{"tenants":[{"id":"z","name":"`+canary+`"},
		{"id":"a","name":"`+canary+`","tenant_type":"cloud","external_db_access":true,"sync_token":"`+canary+`","app_id":"","y":"`+canary+`"},
		{"id":"c","name":"c","database_url":"postgres://u:`+canary+`@localhost/c","x":"other"}],`+at10+`}`, 20)
	require.NoError(t, err)
	require.Equal(t, []exporter.Difference{
		{ID: "z", Only: "file"},
		{ID: "a", Members: []string{"name", "app_id", "database_url", "tenant_type", "external_db_access", "sync_token", "y"}},
		{ID: "c", Members: []string{"x"}},
		{ID: "b", Only: "registry"},
	}, found)
}

// It compares tenants and nothing else.
func TestDifferencesOfEqualTenantsAreNone(t *testing.T) {
	t.Parallel()
	h := mustHold(t, "a", "b")
	text := h.encoded(t)
	other := strings.Replace(text, `"synced_at": "2026`, `"x": 1, "synced_at": "2020`, 1) + "\n\n"
	for _, text := range []string{text, other} {
		found, err := h.differences(t, text, 20)
		require.NoError(t, err)
		require.Empty(t, found)
	}
}

func TestDifferencesStopAtTheLimit(t *testing.T) {
	t.Parallel()
	h := mustHold(t, "a", "b")
	all, err := h.differences(t, foreign, 20)
	require.NoError(t, err)
	require.Equal(t, []exporter.Difference{
		{ID: "a", Members: []string{"name", "database_url"}}, {ID: "z", Only: "file"}, {ID: "b", Only: "registry"},
	}, all)
	for limit := 1; limit <= 4; limit++ {
		found, err := h.differences(t, foreign, limit)
		require.NoError(t, err)
		require.Equal(t, all[:min(limit, 3)], found)
	}
	found, err := h.differences(t, strings.TrimSuffix(foreign, "}"), 1) // what comes behind is not read
	require.NoError(t, err)
	require.Equal(t, all[:1], found)
}

func TestDifferencesOfAFileThatCanNotBeRead(t *testing.T) {
	t.Parallel()
	h := mustHold(t, "a")
	for _, text := range []string{"", canary, `{"tenants":[{"id":"` + canary + `"`, `{"tenants":[{"id":"a","name":"n","region":` + canary, withTenant(`"` + canary + `":1,"tenant_type":"` + canary + `"`)} {
		_, err := h.differences(t, text, 20)
		var refused *jsontext.FormatError
		require.ErrorAs(t, err, &refused)
	}
}

func TestDifferencesReportTrouble(t *testing.T) {
	t.Parallel()
	h := mustHold(t, "a")
	h.view(t, func(view *registry.View) {
		view.Close()
		for _, text := range []string{foreign, `{"tenants":[],` + at10 + `}`} {
			_, err := exporter.Differences(t.Context(), view, strings.NewReader(text), 20)
			require.Error(t, err)
		}
	})
}
