package registry

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const tricky = `"docker_project":"x","a\"b":"}{][,:\"","nested":{"a":[1,2,{"b\\":"\\"}],"c":"]"},"\\":[],"é\u0001":-1.50e+10,"":null,"t":true`

func TestMembersAreCutAtTheirSeparators(t *testing.T) {
	t.Parallel()
	var all [][2]string
	for name, value := range NewUnknown(tricky).all {
		all = append(all, [2]string{name, value})
	}
	require.Equal(t, [][2]string{
		{"docker_project", `"x"`},
		{`a\"b`, `"}{][,:\""`},
		{"nested", `{"a":[1,2,{"b\\":"\\"}],"c":"]"}`},
		{`\\`, "[]"},
		{`é\u0001`, "-1.50e+10"},
		{"", "null"},
		{"t", "true"},
	}, all)
	require.Equal(t, []string{"docker_project", `a\"b`, "nested", `\\`, `é\u0001`, "", "t"}, NewUnknown(tricky).Names())
	for name := range NewUnknown(tricky).all {
		require.Equal(t, "docker_project", name)
		break
	}
}

func TestMembersAreFoundByName(t *testing.T) {
	t.Parallel()
	m := NewUnknown(tricky)
	value, ok := m.value(`a\"b`)
	require.True(t, ok)
	require.Equal(t, `"}{][,:\""`, value)
	_, ok = m.value("a")
	require.False(t, ok, "a member of a member is none")
	_, ok = m.value("t")
	require.True(t, ok)
	_, ok = Unknown{}.value("")
	require.False(t, ok)
	require.True(t, Unknown{}.Empty())
	require.True(t, NewUnknown("").Empty())
	require.False(t, m.Empty())
}

func TestWithTakesNewValuesInTheirOldPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"", "", ""},
		{`"a":1`, "", `"a":1`},
		{"", `"a":1`, `"a":1`},
		{`"a":1,"b":2`, `"b":3`, `"a":1,"b":3`},
		{`"a":1,"b":2`, `"c":4,"a":{"x":[]},"d":5`, `"a":{"x":[]},"b":2,"c":4,"d":5`},
		{`"a":1`, `"A":2`, `"a":1,"A":2`},
		{`"a":{"b":1}`, `"b":2`, `"a":{"b":1},"b":2`},
	} {
		require.Equal(t, c[2], NewUnknown(c[0]).with(NewUnknown(c[1])).Reveal(), c)
	}
}

func TestDifferingMembersAreNamed(t *testing.T) {
	t.Parallel()
	const order = "(order of the members that the record does not define)"
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{"", "", nil},
		{`"a":1`, `"a":1`, nil},
		{`"a":1`, `"a":1.0`, []string{"a"}},
		{`"a":1,"b":2`, `"b":3,"c":4`, []string{"a", "b", "c"}},
		{"", `"a":1`, []string{"a"}},
		{`"a":1`, "", []string{"a"}},
		{`"a":1,"b":2`, `"b":2,"a":1`, []string{order}},
	} {
		require.Equal(t, c.want, NewUnknown(c.a).differing(NewUnknown(c.b)), c)
	}
}

// anyMembers generates members as the importer makes them, with their names and values.
func anyMembers(t *rapid.T, label string) (Unknown, map[string]string) {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c"\\:,{}\[\]]{0,2}`), 0, 4, rapid.ID).Draw(t, label)
	values := map[string]string{}
	var parts []string
	for _, name := range names {
		quoted := marshal(name)
		value := rapid.SampledFrom([]string{"1", `"`, "null", `{"a":"}"}`, `[",",":"]`, `"\\"`, `{}`}).Draw(t, "value")
		if value == `"` {
			value = marshal(rapid.StringMatching(`["\\,:{}\[\]a]{0,4}`).Draw(t, "text"))
		}
		values[quoted[1:len(quoted)-1]] = value
		parts = append(parts, quoted+":"+value)
	}
	return NewUnknown(strings.Join(parts, ",")), values
}

func marshal(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func TestMembersComeApartAndTogetherAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, values := anyMembers(t, "a")
		b, newer := anyMembers(t, "b")
		got := map[string]string{}
		for name, value := range a.all {
			got[name] = value
		}
		require.Equal(t, values, got)
		merged := a.with(b)
		require.True(t, json.Valid([]byte("{"+merged.Reveal()+"}")), merged.Reveal())
		for name, value := range newer {
			values[name] = value
		}
		got = map[string]string{}
		for name, value := range merged.all {
			got[name] = value
		}
		require.Equal(t, values, got)
		require.Equal(t, merged.Reveal(), merged.with(b).Reveal(), "a second time changes nothing")
		for i, name := range a.Names() {
			require.Equal(t, name, merged.Names()[i], "known names keep their places")
		}
		require.Empty(t, a.differing(a))
		require.Equal(t, len(a.differing(b)) == 0, a.Reveal() == b.Reveal())
	})
}

// A file that another hand wrote is refused, not believed.
func TestMalformedMembersInARowAreRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	for _, text := range []string{
		"x", " ", `"a"`, `"a":`, `"a":1,`, `,"a":1`, `"a" :1`, `"a": 1`, `"a":1}`, `"a":1},{"b":1`, `"a`, `{}`, `[]`, `1`, `"`, `"a":1"b":2`, `:`, "\x00",
	} {
		quoted := "'" + strings.ReplaceAll(text, "\x00", "' || char(0) || '") + "'"
		for _, table := range []string{"tenants", "registry_meta"} {
			mustMess(t, d.path, "UPDATE "+table+" SET unknown_members = "+quoted)
			v, err := d.View(t.Context())
			require.NoError(t, err)
			_, tenantErr := v.Tenant(t.Context(), "a")
			_, stateErr := v.State(t.Context())
			v.Close()
			require.True(t, tenantErr != nil || stateErr != nil, "%s %q", table, text)
			mustMess(t, d.path, "UPDATE "+table+" SET unknown_members = ''")
		}
	}
	mustMess(t, d.path, "UPDATE tenants SET unknown_members = '"+tricky+"'")
	v := d.mustView(t)
	tenant, err := v.Tenant(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, tricky, tenant.Unknown.Reveal())
}
