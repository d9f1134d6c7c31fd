package exporter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/jsontext"
)

func FuzzDecode(f *testing.F) {
	for _, part := range []string{"accept", "reject"} {
		for _, text := range corpus(f, part) {
			f.Add(text)
		}
	}
	for _, text := range []string{
		withUnknown(`{"a":1,"a":{"b":[],"b":{}}}`), withTenant(`"x":[1E+5,-0,1.50],"x":"\ud83d\ude00","region":null`),
		withUnknown(`01`), withUnknown(strings.Repeat("[", 121) + strings.Repeat("]", 121)), named(`"\ud800\u0041"`),
		`{"v":1,` + at10 + `,"v":[{}],"tenants":[]}` + "\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := decode(strings.NewReader(text))
		if err != nil {
			requireRefusalInText(t, text, err)
			return
		}
		require.True(t, json.Valid([]byte(text)))
		encoded := mustEncode(t, read)
		require.Equal(t, encoded, mustEncode(t, mustDecode(t, encoded)))
		require.Equal(t, meaning(t, text), meaning(t, encoded))

		documented := mustDecode(t, mustEncodeDocumented(t, read))
		require.True(t, documented.doc.Unknown.Empty())
		require.Len(t, documented.tenants, len(read.tenants))
	})
}

// requireRefusalInText demands a place that the text has, or its end.
func requireRefusalInText(t *testing.T, text string, err error) {
	t.Helper()
	var why *jsontext.FormatError
	require.ErrorAs(t, err, &why)
	lines := strings.Split(text, "\n")
	require.LessOrEqual(t, 1, why.Place.Line)
	require.LessOrEqual(t, why.Place.Line, len(lines))
	require.LessOrEqual(t, 1, why.Place.Column)
	require.LessOrEqual(t, why.Place.Column, len(lines[why.Place.Line-1])+1)
}

// meaning returns what another parser makes of a tenants.json, with the defaults
// put in and without the time.
func meaning(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var whole map[string]any
	require.NoError(t, decoder.Decode(&whole))
	delete(whole, "synced_at")
	for _, element := range whole["tenants"].([]any) {
		tenant := element.(map[string]any)
		for _, name := range []string{"app_id", "hostname", "region", "database_url", "internal_database_url", "sync_token", "shared_container_db"} {
			if tenant[name] == nil {
				delete(tenant, name)
			}
		}
		if _, ok := tenant["tenant_type"]; !ok {
			tenant["tenant_type"] = "local"
		}
		if _, ok := tenant["external_db_access"]; !ok {
			tenant["external_db_access"] = false
		}
	}
	return whole
}
