package follow

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

func profilePath(name string) string { return "/p/.systemprompt/profiles/" + name + "/profile.yaml" }

func TestANewIndexIsWrittenAsTheOriginalWritesIt(t *testing.T) {
	t.Parallel()
	require.Equal(t, emptyIndex, mustPut(t, "", "", indexState{}), "S1 S19")
	now := indexState{
		Sessions:      []registry.Session{{Tenant: "c", Profile: "chosen only"}, sessionFor("b", "prod", "tok<b>"), sessionFor("a", "dev", "tok\u2028a")},
		Active:        pointer(registry.TenantID("b")),
		ActiveProfile: pointer("prod"),
		ProfilePath:   profilePath,
	}
	text := mustPut(t, "", "", now)
	require.Equal(t, strings.ReplaceAll(mustRead(t, "testdata/index-v4.json"), "LS", "\u2028"), text, "E2 E3 E15 I11")
	requireSessions(t, []registry.Session{now.Sessions[2], now.Sessions[1]}, mustIndex(t, []byte(text)).Sessions)
	require.Equal(t, "b", string(*mustIndex(t, []byte(text)).Active), "S16 I4")

	now.EntryVersion = 6
	now.Sessions[1].Authentication.Issuer = pointer("https://issuer")
	text = mustPut(t, "", "", now)
	require.Equal(t, strings.ReplaceAll(mustRead(t, "testdata/index-v6.json"), "LS", "\u2028"), text)
	requireSessions(t, []registry.Session{now.Sessions[2], now.Sessions[1]}, mustIndex(t, []byte(text)).Sessions) // E17
	require.Equal(t, 6, mustIndex(t, []byte(text)).EntryVersion)
}

func TestTheBaseDependsOnTheStateAlone(t *testing.T) {
	t.Parallel()
	a, b := sessionFor("a", "dev", "ta"), sessionFor("b", "prod", "tb")
	a.Authentication.Issuer = pointer("i")
	one := baseOfIndex(indexState{Sessions: []registry.Session{a, b}, ProfilePath: profilePath, EntryVersion: 4})
	other := baseOfIndex(indexState{Sessions: []registry.Session{b, a}, EntryVersion: 6})
	require.Equal(t, string(one), string(other))
	requireSessions(t, []registry.Session{a, b}, mustIndex(t, one).Sessions)
	require.NotContains(t, string(one), "updated_at")
}

// TestThePathsOfAnIndexAreOfThisDirectory has paths that lead into another one, as in a moved or
// copied project, rewritten, and nothing else of an entry.
func TestThePathsOfAnIndexAreOfThisDirectory(t *testing.T) {
	t.Parallel()
	const ours = `"profile_path": "/p/.systemprompt/profiles/dev/profile.yaml"`
	require.Contains(t, entryText("a"), ours)
	for there, want := range map[string]string{
		`"profile_path": "/elsewhere/.systemprompt/profiles/dev/profile.yaml"`: ours,
		`"profile_path": "/p/.systemprompt/profiles/staging/profile.yaml"`:     ours,
		`"profile_path": "/elsewhere/profile.yaml", "n": 1`:                    ours + `, "n": 1`,
		ours:                   ours,
		`"profile_path": null`: `"profile_path": null`,
		`"n": 1`:               `"n": 1`,
	} {
		existing := `{"sessions": {"tenant_a": ` + entryText("a", ours, there) + `}, "version": 1}`
		state := indexState{Sessions: mustIndex(t, []byte(existing)).Sessions, ProfilePath: profilePath}
		text := mustPut(t, existing, string(baseOfIndex(state)), state)
		if there == want {
			require.Equal(t, existing, text)
			continue
		}
		wanted, err := parseIndex([]byte(`{"sessions": {"tenant_a": ` + entryText("a", ours, want) + `}, "version": 1}`))
		require.NoError(t, err)
		require.Equal(t, string(wanted.text(noon)), text, there)

		state.ProfilePath = nil // a directory that JSON can't name
		require.Equal(t, existing, mustPut(t, existing, string(baseOfIndex(state)), state))
	}
}

// crowded is an index with things of others, in another layout and order.
var crowded = `{"future": {"b": 1.50, "a": [1E2]}, "updated_at": "2026-01-01T00:00:00Z", "active_key": "local", "sessions": {
	"tenant_z": ` + entryText("z", `"session_id": "s"`, `"z_new": [1.0], "session_id": "s"`) + `, "local": {"version": 4, "x": "\u003c"}, "other": 5,
	"tenant_a": ` + entryText("a") + `}, "version": 1}`

func TestWritingOverAnIndexChangesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	a, z := mustIndex(t, []byte(crowded)).Sessions[0], mustIndex(t, []byte(crowded)).Sessions[1]
	before := indexState{Sessions: []registry.Session{a, z}, ProfilePath: profilePath}
	base := string(baseOfIndex(before))
	require.Equal(t, crowded, mustPut(t, crowded, base, before), "S20 nothing changed: the same bytes")

	rotated := sessionFor("a", "dev", "new-token")
	text := mustPut(t, crowded, base, indexState{Sessions: []registry.Session{rotated, z}, ProfilePath: profilePath})
	require.Equal(t, mustRead(t, "testdata/index-over.json"), text, "S2 I5 I12")
	require.NotContains(t, text, `"session_token": "t",`+"\n      \"session_id\": \"sess-new", "I5: the old token is gone")

	again := mustPut(t, text, string(baseOfIndex(indexState{Sessions: []registry.Session{rotated, z}})), indexState{Sessions: []registry.Session{rotated, z}})
	require.Equal(t, text, again)

	moved := a
	moved.Profile = "staging"
	text = mustPut(t, crowded, base, indexState{Sessions: []registry.Session{moved, z}, ProfilePath: profilePath})
	require.Contains(t, text, `"profile_path": "/p/.systemprompt/profiles/staging/profile.yaml"`, "S9")

	text = mustPut(t, crowded, base, indexState{Sessions: []registry.Session{a}})
	require.NotContains(t, text, "tenant_z", "S6 I13 I14: removed, with its token")
	require.Contains(t, text, `"other": 5`)
	require.Contains(t, text, `"active_key": "local"`, "what is active is not ours here")
	require.Contains(t, text, `"updated_at": "2026-02-01T12:00:00.123456789Z"`, "S20")
	require.NotContains(t, mustPut(t, "", base, indexState{Sessions: []registry.Session{sessionFor("b", "dev", "tb")}}), `"t"`, "I14")
}

func TestARemovedTokenIsNowhereInTheIndex(t *testing.T) {
	t.Parallel()
	a, b := sessionFor("a", "dev", "token-of-a"), sessionFor("b", "prod", "token-of-b")
	both := indexState{Sessions: []registry.Session{a, b}, Active: pointer(a.Tenant)}
	text := mustPut(t, "", "", both)
	text = mustPut(t, text, string(baseOfIndex(both)), indexState{Sessions: []registry.Session{b}})
	require.NotContains(t, text, "token-of-a", "I14")
	require.Contains(t, text, "token-of-b", "I13")
	require.Contains(t, text, `"active_key": null`, "I13: it does not dangle, unlike the original's")
}

func TestWhatIsActiveIsWrittenWhereItChanged(t *testing.T) {
	t.Parallel()
	a, b := pointer(registry.TenantID("a")), pointer(registry.TenantID("b"))
	for _, c := range []struct {
		number, existing string
		before, now      indexState
		want             string
	}{
		{"S21 I1 a to b", `{"active_key": "tenant_a"}`, indexState{Active: a}, indexState{Active: b}, `"active_key": "tenant_b"`},
		{"S8 with profile", `{"active_key": null}`, indexState{}, indexState{Active: b, ActiveProfile: pointer("p")}, `"active_profile_name": "p"`},
		{"I13 to none", `{"active_key": "tenant_a"}`, indexState{Active: a}, indexState{}, `"active_key": null`},
		{"local stays", `{"active_key": "local", "z": 1}`, indexState{Active: a}, indexState{Active: a}, ""},
		{"local goes where ours changed", `{"active_key": "local"}`, indexState{Active: a}, indexState{Active: b}, `"active_key": "tenant_b"`},
		{"theirs stays where ours did not change", `{"active_key": "tenant_b"}`, indexState{Active: a}, indexState{Active: a}, ""},
		{"there already", `{"active_key": "tenant_b", "active_profile_name": "p"}`, indexState{Active: a}, indexState{Active: b, ActiveProfile: pointer("p")}, ""},
		{"gone already", `{}`, indexState{Active: a, ActiveProfile: pointer("p")}, indexState{Active: a}, ""},
	} {
		text := mustPut(t, c.existing, string(baseOfIndex(c.before)), c.now)
		if c.want == "" {
			require.Equal(t, c.existing, text, c.number)
			continue
		}
		require.Contains(t, text, c.want, c.number)
		require.Contains(t, text, `"version": 1`, c.number)
	}
	text := mustPut(t, `{"active_key": "tenant_a", "active_profile_name": "p"}`, string(baseOfIndex(indexState{Active: a, ActiveProfile: pointer("p")})), indexState{Active: a})
	require.NotContains(t, text, "active_profile_name", "only when set")
}

func TestTheIndexKeepsItsEntryVersion(t *testing.T) {
	t.Parallel()
	v6 := entryText("a", `"version": 4`, `"version": 6, "issuer": "i"`)
	for existing, want := range map[string]string{
		`{"sessions": {"tenant_a": ` + v6 + `}}`:             `"issuer": ""`,
		`{"sessions": {"tenant_a": ` + entryText("a") + `}}`: `"version": 4,` + "\n" + `      "tenant_key": "b"`,
		`{"sessions": {"local": {"version": 6}}}`:            `"issuer": ""`,
	} {
		before := indexState{Sessions: mustIndex(t, []byte(existing)).Sessions}
		now := indexState{Sessions: append(before.Sessions, sessionFor("b", "dev", "tb")), EntryVersion: 4}
		require.Contains(t, mustPut(t, existing, string(baseOfIndex(before)), now), want)
	}
}

func TestAForeignEntryOfOurKeyIsReplacedOnlyWhenOursChanged(t *testing.T) {
	t.Parallel()
	existing := `{"sessions":{"tenant_x":{"version":5,"z":1}}}`
	x := indexState{Sessions: []registry.Session{sessionFor("x", "dev", "tx")}}
	require.Equal(t, existing, mustPut(t, existing, string(baseOfIndex(x)), x))
	text := mustPut(t, existing, "", x)
	require.Contains(t, text, `"z": 1`)
	requireSessions(t, x.Sessions, mustIndex(t, []byte(text)).Sessions)
}

func TestWriteIndexRefusesWhatJSONCannotHold(t *testing.T) {
	t.Parallel()
	for _, now := range []indexState{
		{Sessions: []registry.Session{sessionFor("a", "dev", "\xff")}},
		{Active: pointer(registry.TenantID("\xff"))},
		{ActiveProfile: pointer("\xff")},
	} {
		_, err := writeIndex(nil, nil, now, noon)
		require.ErrorIs(t, err, registry.ErrInvalid)
	}
	_, err := writeIndex(nil, []byte("{"), indexState{}, noon)
	require.ErrorContains(t, err, "what was written last")
}

func TestAnIndexThatIsGoneIsWrittenWhole(t *testing.T) {
	t.Parallel()
	now := indexState{Sessions: []registry.Session{sessionFor("a", "dev", "ta")}, Active: pointer(registry.TenantID("a"))}
	require.Equal(t, mustPut(t, "", "", now), mustPut(t, "", string(baseOfIndex(now)), now))
}

func TestAnIndexThatSaysItAlreadyStaysAsItIs(t *testing.T) {
	t.Parallel()
	existing := `{"sessions":{"tenant_a":` + entryText("a") + `},"active_key":"tenant_a"}`
	compact, err := parseObject([]byte(existing))
	require.NoError(t, err)
	now := indexState{Sessions: mustIndex(t, []byte(existing)).Sessions, Active: pointer(registry.TenantID("a")), ProfilePath: profilePath}
	require.Equal(t, compact.Compact(), mustPut(t, compact.Compact(), "", now))
}

// I2: going to B and back leaves A's token and context as they were.
func TestSwitchingBackAndForthLeavesTheSessions(t *testing.T) {
	t.Parallel()
	a, b := sessionFor("a", "dev", "ta"), sessionFor("b", "prod", "tb")
	states := []indexState{}
	for _, id := range []registry.TenantID{"a", "b", "a"} {
		states = append(states, indexState{Sessions: []registry.Session{a, b}, Active: pointer(id)})
	}
	first := mustPut(t, "", "", states[0])
	second, err := writeIndex([]byte(first), baseOfIndex(states[0]), states[1], noon.Add(time.Minute))
	require.NoError(t, err)
	require.NotEqual(t, first, string(second))
	third, err := writeIndex(second, baseOfIndex(states[1]), states[2], noon)
	require.NoError(t, err)
	require.Equal(t, first, string(third))
}
