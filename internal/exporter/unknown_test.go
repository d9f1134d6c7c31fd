package exporter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUnknownMembersAreKeptCompact(t *testing.T) {
	for members, want := range map[string]string{
		` "x" : { } `:                 `"x":{}`,
		"\"x\":[\n]":                  `"x":[]`,
		`"x":[ [ ] , { } , [ { } ] ]`: `"x":[[],{},[{}]]`,
		"\"x\"\t:\r\n{ \"a\" : [ 1 , true ] , \"b\":null}": `"x":{"a":[1,true],"b":null}`,
		`"":0`:                               `"":0`,
		`"":{"":{"":""}}`:                    `"":{"":{"":""}}`,
		`"ID":1,"Name":2,"REGION":3," id":4`: `"ID":1,"Name":2,"REGION":3," id":4`,
		`"tenants":1,"synced_at":2`:          `"tenants":1,"synced_at":2`,
		`"x":{"id":1,"id":2,"name":null,"tenants":[]}`:           `"x":{"id":2,"name":null,"tenants":[]}`,
		`"\u0078\n":"\u0078\/\u001F"`:                            `"x\n":"x/\u001f"`,
		`"[":"]","{":"}",":":",","\"":"\\","\\":"\\\""`:          `"[":"]","{":"}",":":",","\"":"\\","\\":"\\\""`,
		`"region":null,"x":1,"hostname":"h","y":2,"app_id":null`: `"x":1,"y":2`,
	} {
		require.Equal(t, want, unknownOf(t, withTenant(members)))
	}
}

func TestLastOfRepeatedStandsFirst(t *testing.T) {
	for members, want := range map[string]string{
		`"x":1,"x":2`:                   `"x":2`,
		`"x":1,"y":2,"x":3`:             `"x":3,"y":2`,
		`"y":1,"x":2,"y":3,"x":4,"z":5`: `"y":3,"x":4,"z":5`,
		`"x":1,"\u0078":2,"X":3`:        `"x":2,"X":3`,
		`"\n":1,"a":0,"\u000a":2`:       `"\n":2,"a":0`,
		`"é":1,"a":0,"\u00e9":2`:        `"é":2,"a":0`,
		`"x":1,"x":1,"x":1,"x":[2]`:     `"x":[2]`,
		`"x":{"a":1,"b":2,"a":{}}`:      `"x":{"a":{},"b":2}`,
		`"x":{"a":1},"y":0,"x":{"b":2}`: `"x":{"b":2},"y":0`,
		`"x":[{"a":1,"a":2},{"a":3}]`:   `"x":[{"a":2},{"a":3}]`,
		`"x":{"a":{"b":1,"b":2},"a":{"c":[{"d":1,"e":0,"d":2}],"c":[{"f":1,"f":2}]}},"y":{"z":1,"z":2}`: `"x":{"a":{"c":[{"f":2}]}},"y":{"z":2}`,
		`"x":1,"region":"r","x":2,"hostname":null,"w":3,"x":4`:                                          `"x":4,"w":3`,
		`"ab":1,"a":2,"b":3,"a":4,"ab":5`:                                                               `"ab":5,"a":4,"b":3`,
	} {
		require.Equal(t, want, unknownOf(t, withTenant(members)))
	}
}

func TestUnknownMembersBesideTenantsAreKept(t *testing.T) {
	f := mustDecode(t, ` { "v" : 3 , "tenants" : [ ] , "ID" : { "b":1, "b":[ ] } ,`+at10+`, "v" : "\u00e9" , "z" : { } } `+"\r\n\t ")
	require.Equal(t, `"v":"é","ID":{"b":[]},"z":{}`, f.doc.Unknown.Reveal())
	require.Equal(t, "{\n  \"tenants\": [],\n  \"synced_at\": \"2026-02-01T10:00:00Z\",\n  \"v\": \"é\",\n  \"ID\": {\n    \"b\": []\n  },\n  \"z\": {}\n}", mustEncode(t, f))
	require.Equal(t, "{\n  \"tenants\": [],\n  \"synced_at\": \"2026-02-01T10:00:00Z\"\n}", mustEncodeDocumented(t, f))

	f = mustDecode(t, `{`+at10+`,"tenants":[{"name":"n","x":1,"id":"a"},{"id":"b","name":"m"}],"x":2}`)
	require.Equal(t, `"x":1`, f.tenants[0].Unknown.Reveal())
	require.True(t, f.tenants[1].Unknown.Empty(), "a tenant has none of the one before")
	require.Equal(t, `"x":2`, f.doc.Unknown.Reveal())
}

func TestUnknownValuesNestSoDeep(t *testing.T) {
	shapes := map[string]func(depth int) string{
		"arrays":  func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) },
		"objects": func(depth int) string { return strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1) },
		"mixed": func(depth int) string {
			value := "null"
			for i := range depth {
				value = []string{"[" + value + ",1]", `{"a":1,"b":` + value + "}"}[i%2]
			}
			return value
		},
	}
	for name, shape := range shapes {
		for _, around := range []func(string) string{
			withUnknown,
			func(value string) string { return `{"tenants":[],` + at10 + `,"x":` + value + `}` },
		} {
			deepest := mustEncode(t, mustDecode(t, around(shape(120))))
			require.Equal(t, deepest, mustEncode(t, mustDecode(t, deepest)), name)

			text := around(shape(121))
			why := refusal(t, text)
			require.True(t, strings.HasSuffix(why.Problem, "a value nests more than 120 deep"), name)
			require.Equal(t, strings.Index(text, `"x":`)+5+bracketAtDepth(shape(121), 121), why.Place.Column, name)
		}
	}
}

// bracketAtDepth returns where in a value the first bracket of that depth opens.
func bracketAtDepth(value string, want int) int {
	depth := 0
	for i, c := range value {
		switch c {
		case '[', '{':
			if depth++; depth == want {
				return i
			}
		case ']', '}':
			depth--
		}
	}
	return -1
}

// Many members, many of them repeated, take no more than a moment.
func TestBigUnknownObjectsAreReadQuickly(t *testing.T) {
	const members = 50_000
	var value strings.Builder
	value.WriteString("{")
	for i := range 4 * members {
		fmt.Fprintf(&value, `"m%d":[{"a":1,"a":2}],`, i%members)
	}
	value.WriteString(`"m0":0}`)
	began := time.Now()
	text := unknownOf(t, withUnknown(value.String()))
	require.Less(t, time.Since(began), 5*time.Second)
	require.Equal(t, members, strings.Count(text, `"m`))
	require.True(t, strings.HasPrefix(text, `"x":{"m0":0,"m1":[{"a":2}],"m2":`))
}
