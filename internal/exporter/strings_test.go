package exporter_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func TestStringsMeanWhatJSONSays(t *testing.T) {
	for text, want := range map[string]string{
		`"\"\\\/\b\f\n\r\t"`:       "\"\\/\b\f\n\r\t",
		`"\u0000"`:                 "\x00",
		`"\u0041\u00e9\u6F22"`:     "Aé漢",
		`"\uD83D\ude00"`:           "😀",
		`"\udbff\uDFFF"`:           "\U0010FFFF",
		`"\ud800\udc00"`:           "\U00010000",
		`"\ud7ff\ue000"`:           "\ud7ff\ue000",
		`"\ufeff\uffff\ufffd"`:     "\ufeff\uffff\ufffd",
		"\"\x7f\u0080\u2028<>&\"":  "\x7f\u0080\u2028<>&",
		"\"\U0010FFFF\U00010000\"": "\U0010FFFF\U00010000",
		"\"\ufeff\ufffd\uffff\"":   "\ufeff\ufffd\uffff",
		`"\\u0041"`:                `\u0041`,
		`"\\\\\""`:                 `\\"`,
	} {
		require.Equal(t, want, nameOf(t, named(text)), text)
	}
}

func TestEscapesAreWrittenAsSerdeWritesThem(t *testing.T) {
	for c := range rune(0x100) {
		want := string(c)
		switch c {
		case '"', '\\':
			want = `\` + want
		case '\b':
			want = `\b`
		case '\f':
			want = `\f`
		case '\n':
			want = `\n`
		case '\r':
			want = `\r`
		case '\t':
			want = `\t`
		default:
			if c < 0x20 {
				want = fmt.Sprintf(`\u%04x`, c)
			}
		}
		escaped := fmt.Sprintf(`"_\u%04X_"`, c)
		want = `"_` + want + `_"`
		require.Contains(t, mustEncode(t, mustDecode(t, named(escaped))), `"name": `+want)
		require.Equal(t, want+`:[`+want+`]`, unknownOf(t, withTenant(escaped+`: [ `+escaped+`]`)))
	}
}

func TestBadStringsAreRefusedAtTheByte(t *testing.T) {
	const start = len(`{"tenants":[{"id":"a","name":`) + 1
	for text, column := range map[string]int{
		`"\x"`: 2, `"\U0041"`: 2, `"\ "`: 2, `"\'"`: 2, `"\0"`: 2, "\"\\\n\"": 2, "\"\\\x00\"": 2,
		`"\u"`: 3, `"\u004"`: 6, `"\u00g0"`: 5, `"\u-001"`: 3, `"\u+001"`: 3, "\"\\u00\x00\"": 5, `"\u 041"`: 3, `"\u{41}"`: 3,
		`"ab\ud800"`: 3, `"\udfff"`: 1, `"\ud800\u0041"`: 1, `"\ud800\ud800"`: 1, `"\ud800x"`: 1, `"\ud800\n"`: 1, `"\ud800\u12"`: 11,
		`"\udc00\ud800"`: 1,
		"\"a\tb\"":       2, "\"a\x00b\"": 2, "\"\x1f\"": 1, "\"\r\"": 1,
		"\"\x80\"": 1, "\"a\xbf\"": 2, "\"\xc0\x80\"": 1, "\"\xc1\xbf\"": 1, "\"\xc3\"": 1, "\"\xc3(\"": 1, "\"\xe0\x80\x80\"": 1,
		"\"\xe6\xbc\"": 1, "\"é\xed\xa0\x80\"": 3, "\"\xed\xbf\xbf\"": 1, "\"\xf0\x80\x80\x80\"": 1, "\"\xf4\x90\x80\x80\"": 1,
		"\"\xf0\x9f\x98\"": 1, "\"\xf5\x80\x80\x80\"": 1, "\"\xff\"": 1, "\"\xfe\xff\"": 1,
	} {
		require.Equal(t, jsontext.Place{Line: 1, Column: start + column}, refusal(t, named(text)).Place, "%q", text)
		refusal(t, withTenant(text+`:1`))
		refusal(t, withUnknown(`{"a":[`+text+`]}`))
		refusal(t, withTenant(`"region":`+text))
	}
}

// Whatever stands on the edge of the window reads as it does in its middle.
func TestWindowEdgesAreInvisible(t *testing.T) {
	const window = 64 << 10
	head := `{"tenants":[{"id":"a","name":"`
	tail := "é漢😀\\u00e9\\ud83d\\ude00\\n\\\"\\\\x"
	for pad := window - len(head) - len(tail) - 2; pad <= window-len(head)+2; pad++ {
		name := strings.Repeat("p", pad)
		text := head + name + tail + `","n":-12.5e+3,"t":[true,null]}],` + at10 + `}`
		f := mustDecode(t, text)
		require.Equal(t, name+"é漢😀é😀\n\"\\x", f.tenants[0].Name)
		require.Equal(t, `"n":-12.5e+3,"t":[true,null]`, f.tenants[0].Unknown.Reveal())

		for _, bad := range []string{"\xff", "\x01", `\x`, "\xed\xa0\x80"} {
			why := refusal(t, head+name+tail+bad+text)
			at := len(head) + pad + len(tail) + 1
			if bad == `\x` {
				at++
			}
			require.Equal(t, jsontext.Place{Line: 1, Column: at}, why.Place)
		}
	}
}

func TestLongValuesAreReadUpToTheLimit(t *testing.T) {
	const limit = 16 << 20
	longest := strings.Repeat("é", limit/2)
	require.Len(t, nameOf(t, named(`"`+longest+`"`)), limit)

	for _, text := range []string{
		named(`"` + longest + `x"`),
		withUnknown(strings.Repeat("1", limit+1)),
		withUnknown("[" + strings.Repeat(`"0123456789",`, limit/12) + "0]"),
		withTenant(`"x":"` + longest[:limit/2] + `","y":"` + longest[:limit/2] + `"`),
	} {
		why := refusal(t, text)
		require.Equal(t, "tenants[0]: a value of more than 16 MiB", why.Problem)
		require.Less(t, why.Place.Column, limit/2+100)
	}
}

// The text of a string survives encoding and decoding, whatever it is.
func FuzzStringSurvives(f *testing.F) {
	for _, text := range []string{"", "a", "\x00\x1f\x7f\"\\/", "\u2028<>&", "\U0010FFFF", "é漢😀", "\ufeff", strings.Repeat("x", 70_000) + "é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		secret := secret.New(text)
		tenant := registry.NewLocal("a", "n"+text, secret)
		tenant.Region = &text
		before := file{tenants: []registry.Tenant{tenant}}
		after := mustDecode(t, mustEncode(t, before))
		require.Empty(t, tenant.Differing(after.tenants[0]))
	})
}
