package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// corpus is shared with the exporter, whose tests read it without a registry.
const corpus = "../../internal/exporter/testdata/conformance"

// corpusFiles returns the corpus's files of that kind, and insists on their number.
func corpusFiles(t *testing.T, kind string, count int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, kind, "*.in.json"))
	require.NoError(t, err)
	require.Len(t, files, count)
	for i := range files {
		files[i], err = filepath.Abs(files[i])
		require.NoError(t, err)
	}
	return files
}

func corpusName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".in.json") }

// expectation returns the bytes that an export of the imported file must have.
func expectation(t *testing.T, file string, dropUnknown bool) string {
	t.Helper()
	stem := strings.TrimSuffix(file, ".in.json")
	if dropUnknown {
		if text, err := os.ReadFile(stem + ".drop.json"); err == nil {
			return string(text)
		}
	}
	text, err := os.ReadFile(stem + ".out.json")
	require.NoError(t, err)
	return string(text)
}

func TestAcceptedFilesComeOutAsTheOriginalToolWritesThem(t *testing.T) {
	t.Parallel()
	for _, file := range corpusFiles(t, "accept", 152) {
		t.Run(corpusName(file), func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.must("init")
			s.must("import", file)
			s.must("export", "--path", "out.json")
			require.Equal(t, expectation(t, file, false), s.read("out.json"))
			s.must("export", "--path", "drop.json", "--drop-unknown")
			require.Equal(t, expectation(t, file, true), s.read("drop.json"))
			require.Equal(t, expectation(t, file, false), s.must("export", "-").stdout)
		})
	}
}

// TestRefusedFilesChangeNothing imports each refused file into one registry that
// has tenants of the same ids, so that there is something to spoil.
func TestRefusedFilesChangeNothing(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("import", s.write("before.json", `{"tenants": [{"id": "a", "name": "before"}, {"id": "x", "name": "x"}], "synced_at": "2026-02-01T10:00:00Z"}`))
	s.must("export")
	before := harness.Snapshot(filepath.Join(s.dir, ".systemprompt"), nil)
	for _, file := range corpusFiles(t, "reject", 58) {
		for _, flags := range [][]string{nil, {"--exact", "--prune", "-y"}, {"--dry-run"}, {"--json"}} {
			o := s.run(append([]string{"import", file}, flags...)...)
			require.Equal(t, 6, o.exit, "%s %v: %s", corpusName(file), flags, o.stderr)
			require.Equal(t, before, harness.Snapshot(filepath.Join(s.dir, ".systemprompt"), nil), "%s %v", corpusName(file), flags)
			checkRefusal(t, file, o)
		}
		none := newSandbox(t)
		require.Equal(t, 6, none.run("import", file).exit)
		require.NoDirExists(t, filepath.Join(none.dir, ".systemprompt"), corpusName(file))
	}
}

// checkRefusal tells that a refusal says where, and nothing of what the file holds.
func checkRefusal(t *testing.T, file string, o outcome) {
	t.Helper()
	said := o.stdout + o.stderr
	require.Regexp(t, `line [1-9][0-9]* column [1-9][0-9]*`, said)
	said = strings.ReplaceAll(said, file, "") // it may well be named
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, secret := range longStrings(string(text)) {
		require.NotContains(t, said, secret, corpusName(file))
	}
}

// ofTheRecord are words that any refusal may use.
var ofTheRecord = strings.Fields(`id name app_id hostname region database_url internal_database_url tenant_type
	external_db_access sync_token shared_container_db tenants synced_at local cloud`)

// longStrings finds, without parsing what can't be parsed, whatever stands between
// two quotes of either kind and has at least six characters.
func longStrings(text string) []string {
	var found []string
	for _, quote := range []string{`"`, `'`} {
		for _, part := range strings.Split(text, quote) {
			if utf8.RuneCountInString(part) >= 6 && !isOneOf(part, ofTheRecord) {
				found = append(found, part)
			}
		}
	}
	return found
}

func isOneOf(word string, words []string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// TestRealProgramAgrees runs a handful of the corpus through the program itself.
func TestRealProgramAgrees(t *testing.T) {
	t.Parallel()
	for i, file := range corpusFiles(t, "accept", 152) {
		if i%25 != 0 {
			continue
		}
		p := newPlace(t)
		p.Must("import", file)
		p.Must("export", "--path", "out.json")
		text, err := os.ReadFile(filepath.Join(p.Dir, "out.json"))
		require.NoError(t, err)
		require.Equal(t, expectation(t, file, false), string(text))
	}
}

func TestTenThousandTenantsComeOutByteIdentically(t *testing.T) {
	t.Parallel()
	count := 10_000
	if testing.Short() {
		count = 1000 // SQLite under the race detector takes half a minute for all of them
	}
	var text strings.Builder
	text.WriteString("{\n  \"tenants\": [\n")
	for i := range count {
		fmt.Fprintf(&text, `    {
      "id": "local_%08x",
      "name": "tenant \u001f %d",
      "database_url": "postgres://user:p%d@localhost:5432/db_%d",
      "tenant_type": "local",
      "external_db_access": %t
    }`, i, i, i, i, i%3 == 0)
		if i < count-1 {
			text.WriteString(",")
		}
		text.WriteString("\n")
	}
	text.WriteString("  ],\n  \"synced_at\": \"2026-02-01T10:00:00Z\"\n}")
	require.True(t, json.Valid([]byte(text.String())))
	s := newSandbox(t)
	s.must("import", s.write("many.json", text.String()))
	s.must("export", "--path", "out.json")
	require.True(t, text.String() == s.read("out.json"), "the bytes differ")
	require.True(t, text.String() == s.must("export", "-").stdout, "the bytes differ")
	require.Contains(t, s.must("import", "--dry-run", "many.json").stdout, fmt.Sprintf("0 added, 0 updated, %d unchanged", count))
}
