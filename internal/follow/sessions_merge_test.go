package follow

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

func TestMergeIndexTakesWhatTheOthersChanged(t *testing.T) {
	t.Parallel()
	a, b, c := sessionFor("a", "dev", "ta"), sessionFor("b", "prod", "tb"), sessionFor("c", "prod", "tc")
	newA, ourA := sessionFor("a", "dev", "new"), sessionFor("a", "dev", "ours")
	state := func(active string, sessions ...registry.Session) indexState {
		s := indexState{Sessions: sessions}
		if active != "" {
			s.Active, s.ActiveProfile = pointer(registry.TenantID(active)), pointer("of-"+active)
		}
		return s
	}
	for name, c := range map[string]struct {
		base, theirs, ours indexState
		put, removed       string
		active             string // "-" for none
		conflicts          []string
	}{
		"nothing":                   {state("a", a), state("a", a), state("a", a), "", "", "", nil},
		"added":                     {state("a", a), state("a", a, b), state("a", a), "b:tb", "", "", nil},
		"changed":                   {state("a", a), state("a", newA), state("a", a), "a:new", "", "", nil},
		"removed":                   {state("", a, b), state("", b), state("", a, b), "", "a", "", nil},
		"selected":                  {state("a", a), state("b", a), state("a", a), "", "", "b", nil},
		"selected none":             {state("a", a), state("", a), state("a", a), "", "", "-", nil},
		"ours changed only":         {state("a", a), state("a", a), state("b", ourA, b), "", "", "", nil},
		"both alike":                {state("a", a), state("b", newA), state("b", newA), "", "", "", nil},
		"both removed":              {state("", a), state(""), state(""), "", "", "", nil},
		"both changed":              {state("", a), state("", newA), state("", ourA), "", "", "", []string{"sessions.tenant_a"}},
		"removed, and changed here": {state("", a), state(""), state("", ourA), "", "", "", []string{"sessions.tenant_a"}},
		"changed, and removed here": {state("", a), state("", newA), state(""), "", "", "", []string{"sessions.tenant_a"}},
		"both added":                {state(""), state("", newA), state("", ourA), "", "", "", []string{"sessions.tenant_a"}},
		"selected by both":          {state("a"), state("b"), state("c"), "", "", "", []string{"active_key", "active_profile_name"}},
		"several":                   {state("a", a, b), state("b", newA, c), state("a", a, b), "a:new c:tc", "b", "b", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs, err := writeIndex(nil, nil, c.theirs, noon)
			require.NoError(t, err)
			change, conflicts, err := mergeIndex(baseOfIndex(c.base), nil, theirs, c.ours, registry.Nobody)
			require.NoError(t, err)
			require.Equal(t, c.conflicts, conflicts)
			requireChange(t, change, c.put, c.removed, c.active)
		})
	}
}

func requireChange(t *testing.T, change indexChange, put, removed, active string) {
	t.Helper()
	var puts, gone, selected string
	for _, s := range change.put {
		puts += " " + string(s.Tenant) + ":" + s.Authentication.Token.Reveal()
	}
	for _, id := range change.removed {
		gone += " " + string(id)
	}
	require.Equal(t, change.activeChanged, change.profileChanged)
	if change.activeChanged {
		if selected = " -"; change.active != nil {
			selected = " " + string(*change.active)
			require.Equal(t, "of-"+string(*change.active), *change.activeProfile)
		}
	}
	for _, pair := range [][2]string{{put, puts}, {removed, gone}, {active, selected}} {
		if pair[0] != "" {
			pair[0] = " " + pair[0]
		}
		require.Equal(t, pair[0], pair[1])
	}
	require.Equal(t, put+removed+active == "", change.isEmpty())
}

func TestAConflictIsSettledAsToldAndStillNamed(t *testing.T) {
	t.Parallel()
	base := baseOfIndex(indexState{Sessions: []registry.Session{sessionFor("a", "dev", "ta")}, Active: pointer(registry.TenantID("a"))})
	theirs, err := writeIndex(nil, nil, indexState{Sessions: []registry.Session{sessionFor("a", "dev", "theirs")}}, noon)
	require.NoError(t, err)
	ours := indexState{Sessions: []registry.Session{sessionFor("a", "dev", "ours")}, Active: pointer(registry.TenantID("b"))}
	for _, settle := range []registry.Side{registry.Nobody, registry.Theirs, registry.Ours} {
		change, conflicts, err := mergeIndex(base, nil, theirs, ours, settle)
		require.NoError(t, err)
		require.Equal(t, []string{"sessions.tenant_a", "active_key"}, conflicts)
		require.Equal(t, settle != registry.Theirs, change.isEmpty())
		if settle == registry.Theirs {
			require.Equal(t, "theirs", change.put[0].Authentication.Token.Reveal())
			require.True(t, change.activeChanged)
			require.Nil(t, change.active)
		}
	}
	settled, err := writeIndex(theirs, theirs, ours, noon)
	require.NoError(t, err)
	requireSessions(t, ours.Sessions, mustIndex(t, settled).Sessions) // with theirs as the base, ours is made to hold
	require.Equal(t, "b", string(*mustIndex(t, settled).Active))
}

func TestMergeIndexLeavesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	state := indexState{Sessions: []registry.Session{sessionFor("a", "dev", "ta")}, Active: pointer(registry.TenantID("a"))}
	for name, theirs := range map[string]string{
		"an entry that became foreign is not gone": `{"sessions":{"tenant_a":{"version":7}},"active_key":"tenant_a"}`,
		"a key of no tenant selects nothing":       `{"sessions":{"tenant_a":5},"active_key":"local"}`,
		"nor does a name that is none":             `{"sessions":{"tenant_a":5},"active_key":"tenant_a","active_profile_name":"../x"}`,
	} {
		change, conflicts, err := mergeIndex(baseOfIndex(state), nil, []byte(theirs), state, registry.Theirs)
		require.NoError(t, err, name)
		require.True(t, change.isEmpty(), name)
		require.Empty(t, conflicts, name)
	}
}

func TestAnOldIndexDoesNotTakeTheIssuerAway(t *testing.T) {
	t.Parallel()
	a := sessionFor("a", "dev", "ta")
	a.Authentication.Issuer = pointer("https://issuer")
	state := indexState{Sessions: []registry.Session{a}}
	v4, err := writeIndex(nil, nil, state, noon)
	require.NoError(t, err)
	change, _, err := mergeIndex(baseOfIndex(state), nil, v4, state, registry.Nobody)
	require.NoError(t, err)
	require.True(t, change.isEmpty())

	used := a
	authentication := *a.Authentication
	authentication.LastUsed, authentication.Issuer = noon.Add(1), nil
	used.Authentication = &authentication
	v4, err = writeIndex(nil, nil, indexState{Sessions: []registry.Session{used}}, noon)
	require.NoError(t, err)
	change, _, err = mergeIndex(baseOfIndex(state), nil, v4, state, registry.Nobody)
	require.NoError(t, err)
	require.Equal(t, "https://issuer", *change.put[0].Authentication.Issuer)

	state.EntryVersion, used.Authentication = 6, &authentication
	v6, err := writeIndex(nil, nil, indexState{Sessions: []registry.Session{used}, EntryVersion: 6}, noon)
	require.NoError(t, err)
	change, _, err = mergeIndex(baseOfIndex(state), nil, v6, state, registry.Nobody)
	require.NoError(t, err)
	require.Nil(t, change.put[0].Authentication.Issuer, "a new one can say that there is none")
}
