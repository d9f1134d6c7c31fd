package exporter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// standings are, by how the file stands, what became of it.
var standings = map[exporter.Standing]func(t *testing.T, h house){
	exporter.Current: func(*testing.T, house) {},
	exporter.Missing: func(t *testing.T, h house) { require.NoError(t, os.Remove(h.path())) },
	exporter.Behind:  func(t *testing.T, h house) { h.must(t, nil, create("b")) },
	exporter.Changed: func(t *testing.T, h house) { mustWrite(t, h.path(), foreign) },
}

func TestStandingTellsHowTheFileStands(t *testing.T) {
	t.Parallel()
	for want, mess := range standings {
		h := mustTrack(t)
		mess(t, h)
		before := h.everything(t)
		require.Equal(t, want, h.standing(t))
		require.Equal(t, want == exporter.Current, h.isCurrent(t, h.follower()))
		require.Equal(t, before, h.everything(t), "looking changes nothing")

		h.must(t, nil, profile("x", "a")) // which no file shows
		require.Equal(t, want, h.standing(t))
	}
}

// Behind and missing, behind and changed: what can't be caught up comes first.
func TestStandingTellsWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	for _, want := range []exporter.Standing{exporter.Missing, exporter.Changed} {
		h := mustTrack(t)
		h.must(t, nil, create("b"))
		standings[want](t, h)
		require.Equal(t, want, h.standing(t))
	}
}

func TestIsCurrentComparesBytesWhoeverWroteThem(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	require.False(t, h.isCurrent(t, h.follower()))
	mustWrite(t, h.path(), h.encoded(t))
	require.True(t, h.isCurrent(t, h.follower()))
	require.Equal(t, exporter.Untracked, h.standing(t))
	mustWrite(t, h.path(), h.encoded(t)+"\n")
	require.False(t, h.isCurrent(t, h.follower()))
	mustWrite(t, h.path(), "")
	require.False(t, h.isCurrent(t, h.follower()))
}

// A closed view can't answer, and a place that can't be looked at is an error.
func TestStandingReportsTrouble(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	beneath := exporter.Publisher{Path: filepath.Join(h.path(), "x"), Name: exporter.TrackedName}
	h.view(t, func(view *registry.View) {
		_, err := beneath.Standing(t.Context(), view)
		require.Error(t, err)
		_, err = beneath.IsCurrent(t.Context(), view)
		require.Error(t, err)
		_, err = beneath.Publish(t.Context(), view)
		require.Error(t, err)

		view.Close()
		_, err = h.follower().Standing(t.Context(), view)
		require.Error(t, err)
		_, err = h.follower().IsCurrent(t.Context(), view)
		require.Error(t, err)
		_, err = h.follower().Publish(t.Context(), view)
		require.Error(t, err)
		_, err = exporter.Differences(t.Context(), view, strings.NewReader(foreign), 20)
		require.Error(t, err)
		_, err = exporter.Differences(t.Context(), view, strings.NewReader(`{"tenants":[],`+at10+`}`), 20)
		require.Error(t, err)
	})
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
	h := mustTrack(t)
	h.must(t, h.follower().Publish, create("b"))
	h.must(t, h.follower().Publish, create("c"))
	h.must(t, h.follower().Publish, imports(`{"tenants":[{"id":"c","name":"c","x":"`+canary+`"}],`+at10+`}`))
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
	h := mustTrack(t)
	h.must(t, h.follower().Publish, create("b"))
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
	h := mustTrack(t)
	h.must(t, h.follower().Publish, create("b"))
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
	h := mustTrack(t)
	for _, text := range []string{"", canary, `{"tenants":[{"id":"` + canary + `"`, `{"tenants":[{"id":"a","name":"n","region":` + canary, withTenant(`"` + canary + `":1,"tenant_type":"` + canary + `"`)} {
		_, err := h.differences(t, text, 20)
		var refused *jsontext.FormatError
		require.ErrorAs(t, err, &refused)
	}
}
