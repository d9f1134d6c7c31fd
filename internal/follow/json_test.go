package follow

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
		o, err := parseObject([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, string(o.pretty()), text)
		again, err := parseObject(o.pretty())
		require.NoError(t, err)
		require.Equal(t, o, again)
	}
}

func TestWhatIsNoJSONFileIsRefusedAndNotQuoted(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"":                          "not JSON near line 1",
		"{\n\"canary\n":             "not JSON near line 2",
		`{"canary":1}{}`:            "not JSON",
		`{"canary":1,}`:             "not JSON",
		`["canary"]`:                "not a JSON object",
		`"canary"`:                  "not a JSON object",
		"null":                      "not a JSON object",
		"\uFEFF{}":                  "byte order mark",
		"{\"canary\":\"\xff\"}":     "not UTF-8",
		`{"canary":"\ud800"}`:       "half a surrogate pair",
		`{"canary":"\ud800\n"}`:     "half a surrogate pair",
		`{"canary":"\ud800\u0041"}`: "half a surrogate pair",
		`{"canary":"\uDC00\uD800"}`: "half a surrogate pair",
		`{"\\\ud800x":1}`:           "half a surrogate pair",
		`{"canary":` + strings.Repeat("[", 120) + strings.Repeat("]", 120) + `}`: "more than 120 deep",
		strings.Repeat("[", 16<<20): "not JSON",
	} {
		_, err := parseObject([]byte(text))
		require.ErrorIs(t, err, ErrUnusable, why)
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), "canary")
	}
	_, err := parseObject([]byte(`{"a":` + strings.Repeat("[", 119) + strings.Repeat("]", 119) + `}`))
	require.NoError(t, err)
}

func TestJSONKeepsEveryValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.String())).Draw(t, "object")
		text, err := json.Marshal(want)
		require.NoError(t, err)
		o, err := parseObject(text)
		require.NoError(t, err)
		var got map[string][]string
		require.NoError(t, json.Unmarshal(o.pretty(), &got))
		require.Equal(t, want, got)
	})
}
