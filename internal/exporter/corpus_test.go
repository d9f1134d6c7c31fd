package exporter_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// corpus returns the texts of a part of the conformance corpus by name.
func corpus(t testing.TB, part string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "conformance", part, "*.in.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, part)
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		texts[strings.TrimSuffix(filepath.Base(path), ".in.json")] = string(text)
	}
	return texts
}

// expected returns a file of the accepted part, or "" where there is none.
func expected(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "conformance", "accept", name))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return string(text)
}

func TestCorpusIsEncodedToTheByte(t *testing.T) {
	accepted := corpus(t, "accept")
	require.Len(t, accepted, 152)
	for name, text := range accepted {
		t.Run(name, func(t *testing.T) {
			f := mustDecode(t, text)
			full := expected(t, name+".out.json")
			require.NotEmpty(t, full)
			require.Equal(t, full, mustEncode(t, f))

			documented := expected(t, name+".drop.json")
			if documented == "" {
				documented = full
			}
			require.Equal(t, documented, mustEncodeDocumented(t, f))
		})
	}
}

func TestCanonicalTextComesBackUnchanged(t *testing.T) {
	for name := range corpus(t, "accept") {
		full := expected(t, name+".out.json")
		require.Equal(t, full, mustEncode(t, mustDecode(t, full)), name)
	}
}

func TestCorpusIsRefusedWithPlace(t *testing.T) {
	refused := corpus(t, "reject")
	require.Len(t, refused, 58)
	for name, text := range refused {
		t.Run(name, func(t *testing.T) {
			why := refusal(t, text)
			require.GreaterOrEqual(t, why.Place.Line, 1)
			require.GreaterOrEqual(t, why.Place.Column, 1)
			require.Regexp(t, `^line \d+ column \d+: (tenants\[\d+\]: )?\S`, why.Error())
			require.NotRegexp(t, `\.$`, why.Error())
		})
	}
}

// A text that is cut short anywhere is refused at its end: there is no cut that
// leaves a whole document.
func TestEveryCutIsRefusedAtTheEnd(t *testing.T) {
	text := withEverything(t)
	for cut := range len(text) {
		head := text[:cut]
		why := refusal(t, head)
		require.Contains(t, why.Problem, "ends too early", "cut at %d", cut)
		require.Equal(t, strings.Count(head, "\n")+1, why.Place.Line)
		require.Equal(t, cut-strings.LastIndex(head, "\n"), why.Place.Column)
	}
}

// withEverything is a text of several lines with every kind of token in it.
func withEverything(t *testing.T) string {
	pretty := mustEncode(t, mustDecode(t, corpus(t, "accept")["unknown-fields"]))
	text := strings.Replace(pretty, `"big"`, `"\ud83d\ude00\n\u00e9é漢😀": [true, false, -0.5E+3, {}], "region": "\udbff\udfff", "big"`, 1)
	require.NotEqual(t, pretty, text)
	return text
}

var longStrings = regexp.MustCompile(`"((?:[^"\\]|\\.){6,})"`)

// The corpus has names of the record's members in its texts, and so have messages.
var membersOfRecord = regexp.MustCompile(`^(tenants|synced_at|id|name|app_id|hostname|region|database_url|` +
	`internal_database_url|tenant_type|external_db_access|sync_token|shared_container_db)$`)

func TestRefusalsQuoteNothing(t *testing.T) {
	texts := corpus(t, "reject")
	for _, broken := range []string{`1`, `null`, `"hunter2hunter2`, `"hunter2\x"`, `{"hunter2hunter2":1,}`, `[]`, `hunter2hunter2`} {
		for _, name := range []string{"id", "name", "region", "database_url", "tenant_type", "external_db_access", "secret_name", "tenants"} {
			texts[name+broken] = `{"secret_name":{},"tenants":[{"secret_name":"secret value","` + name + `":` + broken + `}],"x":"secret value"}`
		}
	}
	for name, text := range texts {
		why := refusal(t, text).Error()
		require.NotContains(t, why, "hunter2", name)
		for _, match := range longStrings.FindAllStringSubmatch(text, -1) {
			if !membersOfRecord.MatchString(match[1]) {
				require.NotContains(t, why, match[1], name)
			}
		}
	}
}
