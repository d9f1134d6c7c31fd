package exporter_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeRefusesWithPlace(t *testing.T) {
	rejected := corpus(t, "reject")
	for name, want := range map[string]string{
		"access-null":            `line 1 column 55: tenants[0]: member "external_db_access" is neither true nor false`,
		"array-top":              `line 1 column 1: the text does not start with an object`,
		"bad-escape":             `line 1 column 32: tenants[0]: not an escape that JSON knows`,
		"comment":                `line 1 column 1: the text does not start with an object`,
		"duplicate-id-key":       `line 1 column 23: tenants[0]: member "id" is given twice`,
		"duplicate-optional-key": `line 1 column 49: tenants[0]: member "region" is given twice`,
		"duplicate-tenants-key":  `line 1 column 15: member "tenants" is given twice`,
		"empty-file":             `line 1 column 1: the text ends too early`,
		"id-empty":               `line 1 column 19: tenants[0]: member "id" is empty`,
		"id-key-upper":           `line 1 column 33: tenants[0]: member "id" is missing`,
		"id-null":                `line 1 column 19: tenants[0]: member "id" is not a string`,
		"invalid-utf8":           `line 1 column 31: tenants[0]: not UTF-8`,
		"leading-bom":            `line 1 column 1: the text does not start with an object`,
		"lone-low-surrogate":     `line 1 column 31: tenants[0]: an escape of half a surrogate pair`,
		"lone-surrogate":         `line 1 column 31: tenants[0]: an escape of half a surrogate pair`,
		"missing-name":           `line 1 column 22: tenants[0]: member "name" is missing`,
		"missing-synced-at":      `line 1 column 14: member "synced_at" is missing`,
		"missing-tenants":        `line 1 column 36: member "tenants" is missing`,
		"nan":                    `line 1 column 38: tenants[0]: not a JSON value`,
		"number-leading-zero":    `line 1 column 39: tenants[0]: a number with a needless zero in front`,
		"raw-newline":            `line 1 column 32: tenants[0]: a control character in a string is not escaped`,
		"region-number":          `line 1 column 43: tenants[0]: member "region" is neither a string nor null`,
		"single-quotes":          `line 1 column 2: expected the name of a member in double quotes`,
		"tenants-null":           `line 1 column 12: member "tenants" is not an array`,
		"time-date-only":         `line 1 column 73: member "synced_at" is not an RFC 3339 time with a zone, in the years 0001 to 9999`,
		"time-null":              `line 1 column 27: member "synced_at" is not a string`,
		"trailing-comma":         `line 1 column 50: a comma with nothing behind it`,
		"trailing-object":        `line 1 column 96: more text behind the document`,
		"truncated":              `line 1 column 76: the text ends too early`,
		"truncated-in-string":    `line 1 column 41: tenants[0]: the text ends too early`,
		"type-null":              `line 1 column 48: tenants[0]: member "tenant_type" is not a string`,
		"type-upper":             `line 1 column 48: tenants[0]: member "tenant_type" is neither local nor cloud`,
		"url-object":             `line 1 column 49: tenants[0]: member "database_url" is neither a string nor null`,
		"utf16":                  `line 1 column 1: the text does not start with an object`,
	} {
		require.Contains(t, rejected, name)
		require.Equal(t, want, refusal(t, rejected[name]).Error(), name)
	}
}

func TestPlaceCountsLinesAndBytes(t *testing.T) {
	for text, want := range map[string]string{
		"\n\n  x":                          "line 3 column 3: the text does not start with an object",
		"\r\r\n\tx":                        "line 2 column 2: the text does not start with an object",
		"{\"é\":1,x":                       "line 1 column 9: expected the name of a member in double quotes",
		"{\n\"漢\U0001F600\": \n  01}":      "line 3 column 4: a number with a needless zero in front",
		"{\"tenants\":[\n{\"id\":\n\n7}]}": "line 4 column 1: tenants[0]: member \"id\" is not a string",
		"{\"tenants\":[{\"id\":\"a\",\"name\":\"b\"},\n{\"id\":\"a\",\"name\":\"b\"},\n 5]}": "line 3 column 2: tenants[2]: not an object",
		"{\"tenants\":[\n{\"id\":\"a\"\n }]}":                                                "line 3 column 2: tenants[0]: member \"name\" is missing",
		`{"x":-00}`:                                                                          "line 1 column 8: a number with a needless zero in front",
		"{\n":                                                                                "line 2 column 1: the text ends too early",
	} {
		require.Equal(t, want, refusal(t, text).Error(), "%q", text)
	}
}

func TestPlaceOfTenantIsItsObject(t *testing.T) {
	f := mustDecode(t, "{\"tenants\": [ {\"id\":\"a\",\"name\":\"é\"},{\"id\":\"b\",\"name\":\"n\"},\n\t{\"id\":\"c\",\"name\":\"n\"}],\n"+at10+"}")
	var places []string
	for _, at := range f.places {
		places = append(places, at.String())
	}
	require.Equal(t, []string{"line 1 column 15", "line 1 column 38", "line 2 column 2"}, places)
}

func TestNumbersAreReadAsJSONSpellsThem(t *testing.T) {
	for _, number := range []string{
		"0", "-0", "7", "-7", "10", "0.0", "-0.0", "1.50", "1e5", "1E5", "1e+5", "1E+5", "1e-05", "0e0", "-0E-0",
		"1.0e400", "1e999999", "123456789012345678901234567890", "0.1234567890123456789012345678901234567890",
		strings.Repeat("9", 200_000),
	} {
		require.Equal(t, `"x":`+number, unknownOf(t, withUnknown(number)))
		require.Equal(t, `"x":[`+number+`,`+number+`]`, unknownOf(t, withUnknown("[ "+number+"\n,"+number+"\t]")))
	}
	for _, number := range []string{
		"01", "00", "-01", "+1", "-", "--1", ".5", "-.5", "1.", "1.e5", "1e", "1e+", "1E-", "1e1.5", "1.2.3", "0x10", "1_000",
		"NaN", "nan", "Infinity", "-Infinity", "1a", "١", "１",
	} {
		refusal(t, withUnknown(number))
		refusal(t, withUnknown("["+number+"]"))
	}
}

func TestWordsAreReadExactly(t *testing.T) {
	for _, word := range []string{"true", "false", "null"} {
		require.Equal(t, `"x":`+word, unknownOf(t, withUnknown(word)))
		for _, bad := range []string{strings.ToUpper(word), word[:len(word)-1], word + "x", word + "1", " " + word[1:], strings.ToUpper(word[:1]) + word[1:]} {
			refusal(t, withUnknown(bad))
			refusal(t, withTenant(`"external_db_access":`+bad))
			refusal(t, withTenant(`"region":`+bad))
		}
	}
}

func TestBrokenStructureIsRefused(t *testing.T) {
	for _, text := range []string{
		" ", "{", "}", "[]", "{}", "{]", `"x"`, "1", "true", "/**/{}", "#", "\x00", "\ufeff",
		`{"tenants":[],}`, `{,"tenants":[],` + at10 + `}`, `{"tenants":[],,` + at10 + `}`, `{"tenants":[]` + at10 + `}`,
		`{"tenants":[] ` + at10 + `}`, `{"tenants" [],` + at10 + `}`, `{"tenants":,` + at10 + `}`, `{"tenants"::[],` + at10 + `}`,
		`{"tenants":[],` + at10 + `}}`, `{"tenants":[],` + at10 + `},`, `{"tenants":[],` + at10 + "}\x00",
		`{"tenants":[],` + at10 + `}//`, `{"tenants":[],` + at10 + "}\u00a0", `{"tenants":[],` + at10 + "}\f", `{"tenants":[],` + at10 + "}\v",
		`{"tenants":[,],` + at10 + `}`, `{"tenants":[{"id":"a","name":"n"},],` + at10 + `}`, `{"tenants":[[]],` + at10 + `}`,
		`{"tenants":[null],` + at10 + `}`, `{"tenants":[{}],` + at10 + `}`, `{"tenants":["a"],` + at10 + `}`,
		`{"tenants":[["a","n",null,null,null,null,null,"local",false,null,null]],` + at10 + `}`,
		`{"tenants":[{"id":"a","name":"n",}],` + at10 + `}`, `{"tenants":[{"id":"a" "name":"n"}],` + at10 + `}`,
		`{"tenants":[{"id":"a","name":"n"}{"id":"b","name":"n"}],` + at10 + `}`, `{"tenants":[{"id":"a","name":"n"]],` + at10 + `}`,
		`{"Tenants":[],` + at10 + `}`, `{"tenants":[],"Synced_at":"2026-02-01T10:00:00Z"}`,
		`{"tenants":[],` + at10 + `,` + at10 + `}`, `{"tenants":[],"synced_\u0061t":null,` + at10 + `}`,
		`{'tenants':[],` + at10 + `}`, `{tenants:[],` + at10 + `}`, `{"tenants":[],` + at10 + `,1:2}`, `{"tenants":[],` + at10 + `,null:2}`,
		withUnknown(`[1,]`), withUnknown(`[,1]`), withUnknown(`[1 2]`), withUnknown(`[1}`), withUnknown(`{"a":1]`), withUnknown(`{"a"}`),
		withUnknown(`{"a":}`), withUnknown(`{"a":1,}`), withUnknown(`{,}`), withUnknown(`{"a":1 "b":2}`), withUnknown(`[`), withUnknown(``),
		withUnknown(`{1:2}`), withUnknown(`'x'`), withUnknown(`[1]]`), withUnknown("\u00a01"), withUnknown(`undefined`), withUnknown(`/**/1`),
	} {
		refusal(t, text)
	}
}

// A known member is known however its name is written, and given once.
func TestKnownMemberTwiceIsRefused(t *testing.T) {
	for _, name := range []string{"app_id", "hostname", "region", "database_url", "internal_database_url", "sync_token", "shared_container_db"} {
		for _, value := range []string{`null`, `""`, `"x"`} {
			refusal(t, withTenant(`"`+name+`":null,"`+name+`":`+value))
			refusal(t, withTenant(`"`+name+`":`+value+`,"`+name+`":null`))
			why := refusal(t, withTenant(`"`+name+`":`+value+`,"`+strings.Replace(name, "a", `\u0061`, 1)+`":`+value))
			require.Equal(t, `tenants[0]: member "`+name+`" is given twice`, why.Problem)
		}
	}
	refusal(t, withTenant(`"tenant_type":"local","tenant_type":"local"`))
	refusal(t, withTenant(`"external_db_access":true,"external_db_access":true`))
	refusal(t, withTenant(`"\u0069d":"a"`))
}

func TestWrongTypesAreRefused(t *testing.T) {
	for _, name := range []string{"app_id", "hostname", "region", "database_url", "internal_database_url", "sync_token", "shared_container_db"} {
		for _, value := range []string{"0", "true", "[]", "{}", `["x"]`} {
			why := refusal(t, withTenant(`"`+name+`":`+value))
			require.Equal(t, `tenants[0]: member "`+name+`" is neither a string nor null`, why.Problem)
		}
	}
	for _, value := range []string{"null", "0", "true", "[]", "{}", `""`, `"LOCAL"`, `"Cloud"`, `"local "`, `"locals"`, `"loca"`, `"local\u0000"`} {
		refusal(t, withTenant(`"tenant_type":`+value))
	}
	for _, value := range []string{"null", "0", "1", `"true"`, "[]", "{}", `""`} {
		refusal(t, withTenant(`"external_db_access":`+value))
	}
}
