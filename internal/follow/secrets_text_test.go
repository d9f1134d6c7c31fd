package follow

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// secretsOf makes members of name, value, name, value.
func secretsOf(texts ...string) (members []secretMember) {
	for i := 0; i < len(texts); i += 2 {
		members = append(members, secretMember{texts[i], secret.New(texts[i+1])})
	}
	return members
}

func TestNewSecretsAreWrittenInTheOrderOfTheOriginal(t *testing.T) {
	t.Parallel()
	ours := secretsOf("zeta", "z", "sync_token", "s", "openai", "o", "github", "g", "database_url", "postgres://u:p<&>@h/d", "jwt_secret", "j", "internal_database_url", "i")
	text, conflicts, err := writeSecrets(nil, []byte(`{"gone":"x"}`), ours)
	require.NoError(t, err)
	require.Empty(t, conflicts)
	require.Equal(t, "{\n  \"jwt_secret\": \"j\",\n  \"database_url\": \"postgres://u:p<&>@h/d\",\n  \"gemini\": null,\n  \"anthropic\": null,\n"+
		"  \"openai\": \"o\",\n  \"internal_database_url\": \"i\",\n  \"sync_token\": \"s\",\n  \"github\": \"g\",\n  \"zeta\": \"z\"\n}", string(text))
	read, err := readSecrets(text)
	require.NoError(t, err)
	require.Equal(t, string(baseOfSecrets(ours)), string(baseOfSecrets(read)))
	require.Len(t, read, len(ours), "null is none")
}

const (
	realURL   = "postgres://u:pw@h/d"
	maskedURL = "postgres://u:***@h/d"
)

func TestSecretsAreMergedByMember(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ existing, base, ours, want, conflicts string }{
		"same":                     {`{"a": "1" , "x":1.0}`, `{"a":"1"}`, "a=1", `{"a": "1" , "x":1.0}`, ""},
		"same without base":        {`{"a": "1" }`, ``, "a=1", `{"a": "1" }`, ""},
		"ours changed":             {`{"z":[1],"a":"1","b":"2"}`, `{"a":"1"}`, "a=9", `{"z":[1],"a":"9","b":"2"}`, ""},
		"ours new":                 {`{"x":null}`, ``, "sync_token=s b=2 jwt_secret=j", `{"x":null,"jwt_secret":"j","sync_token":"s","b":"2"}`, ""},
		"ours new where null":      {`{"openai":null,"x":{"b":1e3}}`, ``, "openai=o", `{"openai":"o","x":{"b":1e3}}`, ""},
		"null in base":             {`{"openai":null}`, `{"openai":null}`, "openai=o", `{"openai":"o"}`, ""},
		"theirs changed":           {`{"a":"7"}`, `{"a":"1"}`, "a=1", `{"a":"7"}`, ""},
		"theirs removed":           {`{}`, `{"a":"1"}`, "a=1", `{}`, ""},
		"theirs nulled":            {`{"gemini":null}`, `{"gemini":"1"}`, "gemini=1", `{"gemini":null}`, ""},
		"both changed":             {`{"a":"7","b":"1"}`, `{"a":"1","b":"1"}`, "a=8 b=2", `{"a":"7","b":"2"}`, "a"},
		"both changed alike":       {`{"a":"8"}`, `{"a":"1"}`, "a=8", `{"a":"8"}`, ""},
		"both added":               {`{"a":"7"}`, ``, "a=8", `{"a":"7"}`, "a"},
		"theirs removed, ours new": {`{}`, `{"a":"1"}`, "a=8", `{}`, "a"},
		"ours removed":             {`{"a":"1","b":2}`, `{"a":"1"}`, "", `{"b":2}`, ""},
		"ours removed, nullable":   {`{"openai":"1","b":2}`, `{"openai":"1"}`, "", `{"openai":null,"b":2}`, ""},
		"both removed":             {`{"b":2}`, `{"a":"1"}`, "", `{"b":2}`, ""},
		"ours removed, nulled":     {`{"a":null}`, `{"a":"1"}`, "", `{"a":null}`, ""},
		"ours removed, changed":    {`{"a":"7"}`, `{"a":"1"}`, "", `{"a":"7"}`, "a"},
		"another type":             {`{"a":5}`, `{"a":"1"}`, "a=8", `{"a":5}`, "a"},
		"masked theirs":            {`{"database_url":"` + maskedURL + `"}`, `{"database_url":"` + realURL + `"}`, "database_url=" + realURL, `{"database_url":"` + realURL + `"}`, ""},
		"masked theirs, no base":   {`{"database_url":"` + maskedURL + `"}`, ``, "database_url=" + realURL, `{"database_url":"` + realURL + `"}`, ""},
		"masked theirs, removed":   {`{"database_url":"` + maskedURL + `"}`, `{"database_url":"` + realURL + `"}`, "", `{}`, ""},
		"masked ours":              {`{"database_url":"` + realURL + `"}`, `{"database_url":"` + realURL + `"}`, "database_url=" + maskedURL, `{"database_url":"` + realURL + `"}`, ""},
	} {
		var ours []secretMember
		for _, text := range strings.Fields(c.ours) {
			name, value, _ := strings.Cut(text, "=")
			ours = append(ours, secretsOf(name, value)...)
		}
		text, conflicts, err := writeSecrets([]byte(c.existing), []byte(c.base), ours)
		require.NoError(t, err, name)
		require.Equal(t, c.conflicts, strings.Join(conflicts, " "), name)
		if c.want == c.existing {
			require.Equal(t, c.want, string(text), "%s: the same bytes", name)
			continue
		}
		want, err := parseObject([]byte(c.want))
		require.NoError(t, err)
		require.Equal(t, string(want.Pretty()), string(text), name)
	}
}

func TestSecretsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		`["canary"]`:          "not a JSON object",
		`{"canary"`:           "line 1 column 10: the text ends too early",
		`{"jwt_secret":5}`:    "jwt_secret is not a string",
		`{"database_url":{}}`: "database_url is not a string",
		`{"jwt_secret":"canary","jwt_secret":"x"}`: "jwt_secret twice",
	} {
		_, err := readSecrets([]byte(text))
		require.ErrorIs(t, err, ErrUnusable, text)
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), "canary")
		_, _, err = writeSecrets([]byte(text), nil, nil)
		require.ErrorIs(t, err, ErrUnusable, "nor is it overwritten")
	}
	read, err := readSecrets([]byte(`{"b":"1","n":5,"a":"2","z":null,"b":"3"}`))
	require.NoError(t, err)
	require.Len(t, read, 2)
	require.Equal(t, "b3a2", read[0].Name+read[0].Value.Reveal()+read[1].Name+read[1].Value.Reveal())
	_, _, err = writeSecrets(nil, nil, secretsOf("a", "\xff"))
	require.ErrorIs(t, err, registry.ErrInvalid)
	_, _, err = writeSecrets(nil, []byte("{"), nil)
	require.ErrorContains(t, err, "what was written last")
}

// I17: what is written for one profile holds nothing of another.
func TestTwoSecretFilesShareNothing(t *testing.T) {
	t.Parallel()
	a, _, err := writeSecrets(nil, nil, secretsOf("jwt_secret", "of-a"))
	require.NoError(t, err)
	b, _, err := writeSecrets(nil, nil, secretsOf("jwt_secret", "of-b"))
	require.NoError(t, err)
	require.NotContains(t, string(a), "of-b")
	require.NotContains(t, string(b), "of-a")
}

// C14.
func TestAJWTSecretIs64RandomAlphanumerics(t *testing.T) {
	t.Parallel()
	first, err := NewJWTSecret(rand.Reader)
	require.NoError(t, err)
	second, err := NewJWTSecret(rand.Reader)
	require.NoError(t, err)
	require.Regexp(t, `^[A-Za-z0-9]{64}$`, first.Reveal())
	require.False(t, first.Equal(second))

	unfair := append(bytes.Repeat([]byte{255, 248}, 48), bytes.Repeat([]byte{247, 0}, 48)...)
	fair, err := NewJWTSecret(bytes.NewReader(unfair))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("9A", 32), fair.Reveal(), "what would favour some is drawn again")
	_, err = NewJWTSecret(strings.NewReader("short"))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
