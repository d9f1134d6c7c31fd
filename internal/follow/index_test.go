package follow

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// noon is when the sessions of the tests were last used.
var noon = time.Date(2026, 2, 1, 12, 0, 0, 123456789, time.UTC)

// sessionFor is a session of a tenant that authenticates with a token.
func sessionFor(tenant registry.TenantID, profile, token string) registry.Session {
	return registry.Session{Tenant: tenant, Profile: profile, ChosenAt: noon, Authentication: &registry.Authentication{
		Token: secret.New(token), SessionID: "sess-" + token, ContextID: "6f0c4a7e-0000-4000-8000-000000000001",
		UserID: "u1", UserEmail: "dev@example.com", UserType: "admin",
		CreatedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(23 * time.Hour), LastUsed: noon,
	}}
}

// pointer returns a pointer to a value.
func pointer[T any](value T) *T { return &value }

// mustIndex reads an index.
func mustIndex(t *testing.T, text []byte) index {
	t.Helper()
	x, err := readIndex(text)
	require.NoError(t, err)
	return x
}

// mustPut writes a state over an index.
func mustPut(t *testing.T, existing, base string, now indexState) string {
	t.Helper()
	text, err := writeIndex([]byte(existing), []byte(base), now, noon)
	require.NoError(t, err)
	return string(text)
}

// requireSessions compares sessions by what their entries hold.
func requireSessions(t *testing.T, want, got []registry.Session) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, sameSession(want[i], got[i], 6), "session %d", i)
		require.True(t, want[i].ChosenAt.Equal(got[i].ChosenAt), "session %d", i)
	}
}

// entryText is an entry as a v4 file holds it, with some members put in their place.
func entryText(tenant string, replaced ...string) string {
	members := strings.Join([]string{
		`"version": 4`, `"tenant_key": "` + tenant + `"`, `"profile_name": "dev"`, `"profile_path": "/p/.systemprompt/profiles/dev/profile.yaml"`,
		`"session_token": "t"`, `"session_id": "s"`, `"context_id": "c"`, `"user_id": "u"`, `"user_email": "a@b.cd"`, `"user_type": "admin"`,
		`"created_at": "2026-02-01T11:00:00Z"`, `"expires_at": "2026-02-02T11:00:00Z"`, `"last_used": "2026-02-01T12:00:00Z"`,
	}, ", ")
	text := "{" + members + "}"
	if len(replaced)%2 != 0 {
		panic("pairs")
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(text, replaced[i]) {
			panic(replaced[i])
		}
		text = strings.Replace(text, replaced[i], replaced[i+1], 1)
	}
	return text
}

const emptyIndex = "{\n  \"version\": 1,\n  \"sessions\": {},\n  \"active_key\": null,\n  \"updated_at\": \"2026-02-01T12:00:00.123456789Z\"\n}"

func TestAnIndexIsReadAndItsForeignEntriesAreTold(t *testing.T) {
	t.Parallel()
	entry := func(replaced ...string) string { return entryText("x", replaced...) }
	v6 := []string{`"version": 4`, `"version": 6, "issuer": "https://i"`}
	for _, c := range []struct {
		number, key, entry, why string // why is empty for one of ours
	}{
		{"K2 K3 some tenant", "tenant_x", entry(), ""},
		{"K3 a local tenant is a tenant", "tenant_local_19b", entryText("local_19b"), ""},
		{"K1 E9 E11 the local key: sp has no session of no tenant", "local", entryText("local"), "of no tenant"},
		{"K1 local without tenant_key", "local", entry(`"tenant_key": "x", `, ""), "of no tenant"},
		{"E10 E11 I10 other id than its key", "tenant_y", entry(), "another tenant"},
		{"E11 tenant key, entry is local", "tenant_x", entryText("local"), "another tenant"},
		{"E11 tenant key, entry of none", "tenant_x", entry(`"tenant_key": "x", `, ""), "another tenant"},
		{"E11 tenant key, entry of null", "tenant_x", entry(`"tenant_key": "x"`, `"tenant_key": null`), "another tenant"},
		{"S10 unknown key", "weird-key", entry(), "not tenant_ID"},
		{"S10 no id", "tenant_", entryText(""), "not tenant_ID"},
		{"E3 no path", "tenant_x", entry(`"profile_path": "/p/.systemprompt/profiles/dev/profile.yaml", `, ""), ""},
		{"E3 path of a wrong type", "tenant_x", entry(`"/p/.systemprompt/profiles/dev/profile.yaml"`, "5"), "profile_path is not a string"},
		{"E8 I8 empty token is a session that is not valid", "tenant_x", entry(`"t"`, `""`), ""},
		{"E1 default user type", "tenant_x", entry(`"user_type": "admin", `, ""), ""},
		{"unknown user type: the original reads no such file", "tenant_x", entry(`"admin"`, `"canary"`), "user_type is unknown"},
		{"profile name", "tenant_x", entry(`"dev"`, `"../dev"`), "no name of a profile"},
		{"profile name, Unicode: the original allows it, a directory of sp does not", "tenant_x", entry(`"dev"`, `"dév"`), "no name of a profile"},
		{"missing member", "tenant_x", entry(`"session_token": "t", `, ""), "it has no session_token"},
		{"null member", "tenant_x", entry(`"t"`, "null"), "session_token is not a string"},
		{"ill-typed member", "tenant_x", entry(`"s"`, "7"), "session_id is not a string"},
		{"missing time", "tenant_x", entry(`"expires_at": "2026-02-02T11:00:00Z", `, ""), "it has no expires_at"},
		{"v4 needs all times", "tenant_x", entry(`"created_at": "2026-02-01T11:00:00Z", `, ""), "it has no created_at"},
		{"bad time", "tenant_x", entry("2026-02-02T11", "2026-02-32T11"), "expires_at is not a time"},
		{"other case", "tenant_x", entry("session_token", "Session_Token"), "it has no session_token"},
		{"twice", "tenant_x", entry(`"session_id": "s"`, `"session_id": "s", "session_id": "s"`), "session_id twice"},
		{"unknown member twice", "tenant_x", entry(`"session_id": "s"`, `"session_id": "s", "z": 1, "z": 2`), ""},
		{"no object", "tenant_x", `[1]`, "not an object"},
		{"no version", "tenant_x", entry(`"version": 4, `, ""), "neither 4 nor 6"},
		{"version 3", "tenant_x", entry(`"version": 4`, `"version": 3`), "neither 4 nor 6"},
		{"version text", "tenant_x", entry(`"version": 4`, `"version": "4"`), "neither 4 nor 6"},
		{"version 4.0", "tenant_x", entry(`"version": 4`, `"version": 4.0`), "neither 4 nor 6"},
		{"E18 v5: the original gives up the file, sp leaves the entry to others", "tenant_x", entry(`"version": 4`, `"version": 5`), "neither 4 nor 6"},
		{"E16 v6: on purpose its issuer is kept and compared with none, sp being nobody's server", "tenant_x", entry(v6...), ""},
		{"E18 v6 without issuer", "tenant_x", entry(`"version": 4`, `"version": 6`), "it has no issuer"},
		{"v6 may leave out times", "tenant_x", entry(append(v6, `"created_at": "2026-02-01T11:00:00Z", `, "", `, "last_used": "2026-02-01T12:00:00Z"`, "")...), ""},
		{"v6 needs a user type", "tenant_x", entry(append(v6, `"user_type": "admin", `, "")...), "it has no user_type"},
		{"v4 with an issuer: another program's member", "tenant_x", entry(`"version": 4`, `"version": 4, "issuer": 5`), ""},
	} {
		x, err := readIndex(fmt.Appendf(nil, `{"sessions": {"tenant_w": %s, %s: %s}}`, entryText("w"), jsontext.Quote(c.key), c.entry))
		require.NoError(t, err, c.number)
		if c.why == "" {
			require.Len(t, x.Sessions, 2, "%s: %v", c.number, x.Foreign)
			require.Empty(t, x.Foreign, c.number)
			continue
		}
		require.Len(t, x.Sessions, 1, c.number)
		require.Equal(t, c.key, x.Foreign[0].Key, c.number)
		require.Contains(t, x.Foreign[0].Why, c.why, c.number)
		require.NotContains(t, x.Foreign[0].Why, "canary", c.number)
	}
}

func TestAnIndexIsReadAsAWhole(t *testing.T) {
	t.Parallel()
	for number, c := range map[string]struct {
		text string
		want index
	}{
		"S1 nothing":             {"", index{}},
		"S24":                    {`{"sessions": {}}`, index{}},
		"S24 without sessions":   {`{"version":0}`, index{}},
		"S10 unset":              {`{"sessions": {}, "active_key": null}`, index{}},
		"K4 S10 S7 local":        {`{"active_key": "local"}`, index{ActiveKey: pointer("local")}},
		"K4 S10 S21 tenant":      {`{"active_key": "tenant_my-org"}`, index{ActiveKey: pointer("tenant_my-org"), Active: pointer(registry.TenantID("my-org"))}},
		"S10 C10 unknown-format": {`{"active_key": "unknown-format"}`, index{ActiveKey: pointer("unknown-format")}},
		"S8 I4":                  {`{"active_key": "tenant_b", "active_profile_name": "p"}`, index{ActiveKey: pointer("tenant_b"), Active: pointer(registry.TenantID("b")), ActiveProfile: pointer("p")}},
		"S9 ghost":               {`{"active_key": "tenant_ghost", "active_profile_name": "p", "sessions": {}}`, index{ActiveKey: pointer("tenant_ghost"), Active: pointer(registry.TenantID("ghost")), ActiveProfile: pointer("p")}},
	} {
		require.Equal(t, c.want, mustIndex(t, []byte(c.text)), number)
	}
	x := mustIndex(t, []byte(`{"sessions": {"tenant_b": `+entryText("b")+`, "local": {"version": 6}, "tenant_a": `+entryText("a")+`}}`))
	require.Equal(t, 6, x.EntryVersion, "the first by its key")
	require.Len(t, x.Sessions, 2, "K6: three keys are three entries")
	require.Equal(t, "local", x.Foreign[0].Key)
	require.Equal(t, registry.TenantID("a"), x.Sessions[0].Tenant, "S15 both, by the tenant's id")
	require.Equal(t, registry.TenantID("b"), x.Sessions[1].Tenant)
	require.Equal(t, x.Sessions[0].Authentication.LastUsed, x.Sessions[0].ChosenAt)
}

func TestAnIndexThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		`{not valid json`:                           "line 1 column 2: expected the name of a member", // S22, E13
		`garbage`:                                   "line 1 column 1: not a JSON object",             // S23: sp never resets what it can't read
		`{"version": 99, "sessions": {}}`:           "version is 99",                                  // S25
		`{"version": "1", "sessions": {}}`:          "version is not",
		`{"version": 1.0}`:                          "version is not",
		`{"sessions": []}`:                          "sessions is not an object",
		`{"sessions": null}`:                        "sessions is not an object",
		`{"sessions": {}, "sessions": {}}`:          "says sessions twice",
		`{"active_key": 5}`:                         "active_key is not a string",
		`{"active_profile_name": true}`:             "active_profile_name is not a string",
		`{"updated_at": "canary"}`:                  "updated_at is not a time",
		`{"updated_at": null}`:                      "updated_at is not a string",
		`[]`:                                        "not a JSON object",
		`{"version": 1, "active_key": "canary" "x"`: "line 1 column 39: expected a comma",
	} {
		_, err := readIndex([]byte(text))
		require.ErrorIs(t, err, ErrUnusable, text)
		require.ErrorContains(t, err, why, text)
		require.NotContains(t, err.Error(), "canary")
		_, err = writeIndex([]byte(text), nil, indexState{}, noon)
		require.ErrorIs(t, err, ErrUnusable, "nor is it overwritten: %s", text)
		_, _, err = mergeIndex(nil, nil, []byte(text), indexState{}, registry.Nobody)
		require.ErrorIs(t, err, ErrUnusable, text)
	}
}

// What the original asks of a session, E6 E8 I7 I8.
func TestASessionIsValidWhileItHasATokenAndTime(t *testing.T) {
	t.Parallel()
	for number, c := range map[string]struct {
		token          string
		at             time.Duration
		expired, valid bool
	}{
		"E6 E8 S4 fresh":       {"t", 0, false, true},
		"E6 S4 expired":        {"t", 24 * time.Hour, true, false},
		"E6 at the very end":   {"t", 23 * time.Hour, true, false},
		"E6 just before":       {"t", 23*time.Hour - 1, false, true},
		"E8 S4 I8 empty token": {"", 0, false, false},
		"I7 expired 1 s ago":   {"t", 23*time.Hour + time.Second, true, false},
	} {
		text := mustPut(t, "", "", indexState{Sessions: []registry.Session{sessionFor("x", "dev", c.token)}})
		sessions := mustIndex(t, []byte(text)).Sessions
		require.Len(t, sessions, 1, "%s: it is there, valid or not", number)
		a := sessions[0].Authentication
		require.Equal(t, c.expired, a.IsExpired(noon.Add(c.at)), number)
		require.Equal(t, c.valid, !a.Token.Empty() && !a.IsExpired(noon.Add(c.at)), number)
	}
}
