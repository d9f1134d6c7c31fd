package jsontext

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJSONIsWrittenAsSerdeWritesIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                           `{}`,
		`{"a":[],"b":{}}`:              "{\n  \"a\": [],\n  \"b\": {}\n}",
		`{"a":{"b":[1,{"c":null}]}}`:   "{\n  \"a\": {\n    \"b\": [\n      1,\n      {\n        \"c\": null\n      }\n    ]\n  }\n}",
		`{"n":1.0,"m":1E+2,"k":-0}`:    "{\n  \"n\": 1.0,\n  \"m\": 1E+2,\n  \"k\": -0\n}",
		`{"\u003c":"\u003e&\/\u2028"}`: "{\n  \"<\": \">&/\u2028\"\n}",
		`{"a":"\u0008\f\u001F\u007f\ud83d\ude00 \\u"}`: "{\n  \"a\": \"\\b\\f\\u001f\x7f😀 \\\\u\"\n}",
		"\n{ \"a\" :\t[ 1 , 2 ] }\r\n ":                "{\n  \"a\": [\n    1,\n    2\n  ]\n}",
		`{"a":"{,:}[\"]"}`:                             "{\n  \"a\": \"{,:}[\\\"]\"\n}",
		"{\"u\":\"\u2028\u2029\"}":                     "{\n  \"u\": \"\u2028\u2029\"\n}",
	} {
		o, err := ParseObject([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, string(o.Pretty()), text)
		again, err := ParseObject(o.Pretty())
		require.NoError(t, err)
		require.Equal(t, o, again)
	}
}

func TestWhatIsNoJSONFileIsRefusedAndNotQuoted(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"":                          "line 1 column 1: the text ends too early",
		"{\n\"canary\n":             "line 2 column 8: a control character in a string is not escaped",
		`{"canary":1}{}`:            "line 1 column 13: more text behind the document",
		`{"canary":1,}`:             "line 1 column 13: a comma with nothing behind it",
		`["canary"]`:                "line 1 column 1: not a JSON object",
		`"canary"`:                  "not a JSON object",
		"null":                      "not a JSON object",
		"\uFEFF{}":                  "byte order mark",
		"{\"canary\":\"\xff\"}":     "line 1 column 12: not UTF-8",
		`{"canary":"\ud800"}`:       "line 1 column 12: an escape of half a surrogate pair",
		`{"canary":"\ud800\n"}`:     "half a surrogate pair",
		`{"canary":"\ud800\u0041"}`: "half a surrogate pair",
		`{"canary":"\uDC00\uD800"}`: "half a surrogate pair",
		`{"\\\ud800x":1}`:           "half a surrogate pair",
		`{"canary":` + strings.Repeat("[", 120) + strings.Repeat("]", 120) + `}`: "more than 120 deep",
		`{"canary":` + strings.Repeat("[", 16<<20):                               "more than 120 deep",
	} {
		_, err := ParseObject([]byte(text))
		var refused *FormatError
		require.ErrorAs(t, err, &refused, why)
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), "canary")
	}
	_, err := ParseObject([]byte(`{"a":` + strings.Repeat("[", 119) + strings.Repeat("]", 119) + `}`))
	require.NoError(t, err)
}

func TestJSONKeepsEveryValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "object")
		text, err := json.Marshal(want)
		require.NoError(t, err)
		o, err := ParseObject(text)
		require.NoError(t, err)
		var got map[string][]string
		require.NoError(t, json.Unmarshal(o.Pretty(), &got))
		require.Equal(t, want, got)
	})
}

func TestOnlyCompactMembersAreCompact(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", `"a":1`, `"a":{"b":[1,{}]},"é\u0001":-1.50e+10,"":null,"a":"twice"`} {
		require.True(t, AreCompact(text), text)
	}
	for _, text := range []string{
		" ", `"a": 1`, `"a":1,`, `,"a":1`, `"a"`, `"a":`, `a:1`, `{}`, `"a":1}`, `"a":1},{"b":2`, `"a":"\/"`, `"\u0061":1`, `"a":"\u001F"`,
		"\"a\":\"\xff\"", `"a":[1, 2]`, `"a":01`, "\"a\":\"\n\"",
	} {
		require.False(t, AreCompact(text), text)
	}
}

func TestAMemberOfAnObjectIsRepeatedAsOftenAsItStandsThere(t *testing.T) {
	t.Parallel()
	o, err := ParseObject([]byte(`{"a":1,"b":{"c":1,"c":2},"\u0061":3}`))
	require.NoError(t, err)
	require.Equal(t, Object{{"a", "1"}, {"b", `{"c":1,"c":2}`}, {"a", "3"}}, o)
	once, twice := o.Once("b")
	require.Equal(t, Object{{"a", "3"}, {"b", `{"c":1,"c":2}`}}, once)
	require.Empty(t, twice)
	_, twice = o.Once("a")
	require.Equal(t, "a", twice)
}
