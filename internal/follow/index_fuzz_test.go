package follow

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// FuzzIndex writes over whatever an index may be: what is not ours comes out as it went
// in, what is ours says what it should, and writing it once more changes nothing.
func FuzzIndex(f *testing.F) {
	for _, text := range []string{
		"", emptyIndex, crowded, `{"sessions": {"tenant_x": 1, "local": {}, "": null, "tenant_": {"version": 6}}}`,
		`{"sessions":{"tenant_x":` + entryText("x") + `,"tenant_x":{"a":1,"a":2}},"active_key":"tenant_x","z":1,"z":2}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, existing []byte) {
		before, err := readIndex(existing)
		if err != nil {
			require.ErrorIs(t, err, ErrUnusable)
			require.Less(t, len(err.Error()), 150, "in words of our own")
			_, err = writeIndex(existing, nil, indexState{}, noon)
			require.Error(t, err)
			return
		}
		same, err := writeIndex(existing, baseOfIndex(indexState{Sessions: before.Sessions, Active: before.Active}), indexState{Sessions: before.Sessions, Active: before.Active}, noon)
		require.NoError(t, err)
		if len(existing) > 0 {
			require.Equal(t, string(existing), string(same), "nothing changed")
		}
		now := indexState{Sessions: []registry.Session{sessionFor("x", "dev", "tx")}, Active: pointer(registry.TenantID("x"))}
		text, err := writeIndex(existing, nil, now, noon)
		require.NoError(t, err)
		after, err := readIndex(text)
		require.NoError(t, err)
		require.Equal(t, "x", string(*after.Active))
		requireOthersStay(t, existing, text)
		again, err := writeIndex(text, baseOfIndex(now), now, noon.Add(1))
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}

// requireOthersStay compares everything but the entry of tenant x and what is active.
func requireOthersStay(t *testing.T, existing, text []byte) {
	t.Helper()
	before, err := parseIndex(existing)
	require.NoError(t, err)
	after, err := parseIndex(text)
	require.NoError(t, err)
	for _, m := range before.sessions.Without("tenant_x") {
		require.Equal(t, m.Value, after.sessions.Value(m.Name))
	}
	require.Len(t, after.sessions.Without("tenant_x"), len(before.sessions.Without("tenant_x")))
	for _, m := range before.top.Without("active_key", "sessions", "updated_at") {
		require.Equal(t, m.Value, after.top.Value(m.Name))
	}
	if ours := after.sessions.Value("tenant_x"); before.EntryVersion != 0 {
		require.Equal(t, before.EntryVersion, map[string]int{"4": 4, "6": 6}[objectIn(ours).Value("version")])
	}
}
