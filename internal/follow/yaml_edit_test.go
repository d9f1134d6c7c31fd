package follow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/internal/registry"
)

func TestEditYAMLChangesNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		path string
		new  any
		want string
	}{
		"plain":                  {"a: 1\ncloud:\n  tenant_id: x\n  z: 1\n", "cloud.tenant_id", "y", "a: 1\ncloud:\n  tenant_id: y\n  z: 1\n"},
		"same value":             {"a:   'x' # c", "a", "x", "a:   'x' # c"},
		"same value in braces":   {"a: {b: x}", "a.b", "x", "a: {b: x}"},
		"trailing comment":       {"a: x   # keep # this\n", "a", "longer value", "a: longer value   # keep # this\n"},
		"no comment":             {"a: x#y\n", "a", "z", "a: z\n"},
		"comment in quotes":      {"a: 'x # y' # c\n", "a", "z", "a: 'z' # c\n"},
		"tab":                    {"a:\tx\t# c\n", "a", "y", "a:\ty\t# c\n"},
		"trailing space":         {"a: x  \nb: y\n", "a", "z", "a: z  \nb: y\n"},
		"quoted key":             {"\"a\": x\n'b' : y\n", "b", "z", "\"a\": x\n'b' : z\n"},
		"single quotes":          {"a: 'it''s' # ''\n", "a", "it's not", "a: 'it''s not' # ''\n"},
		"double quotes":          {`a: "x\"y\\" # "` + "\n", "a", `"`, `a: "\"" # "` + "\n"},
		"escape":                 {`a: "\x41\u00e9"`, "a", "b", `a: "b"`},
		"CRLF":                   {"a: x\r\nb: y # c\r\nc: z\r\n", "b", "n", "a: x\r\nb: n # c\r\nc: z\r\n"},
		"no newline":             {"a: x\nb: y", "b", "z", "a: x\nb: z"},
		"Unicode before":         {"# ümläut 😀\n\"ключ😀\": {x: 1}\n'ö': é # ü\n", "ö", "z", "# ümläut 😀\n\"ключ😀\": {x: 1}\n'ö': z # ü\n"},
		"Unicode on the line":    {"\"ö😀é\":   'x'   # 😀\n", "ö😀é", "ü", "\"ö😀é\":   'ü'   # 😀\n"},
		"byte order mark":        {"\uFEFFa: x\nb: y\n", "a", "z", "\uFEFFa: z\nb: y\n"},
		"other line breaks":      {"# a\u2028# b\u0085# c\ra: x\u2029b: y\n", "b", "z", "# a\u2028# b\u0085# c\ra: x\u2029b: z\n"},
		"number":                 {"server:\n  port: 8080 # p\n", "server.port", 9090, "server:\n  port: 9090 # p\n"},
		"number as text":         {"a: x\n", "a", "123", "a: \"123\"\n"},
		"text that needs quotes": {"a: x\n", "a", "b: c # d", "a: 'b: c # d'\n"},
		"text of two lines":      {"a: x\n", "a", "b\nc", "a: \"b\\nc\"\n"},
		"empty text":             {"a: x\n", "a", "", "a: \"\"\n"},
		"true":                   {"a: false\n", "a", true, "a: true\n"},
		"text true":              {"a: false\n", "a", "true", "a: \"true\"\n"},
		"null":                   {"a: ~ # c\n", "a", "x", "a: x # c\n"},
		"nothing":                {"a:\nb: y\n", "a", "x", "a: x\nb: y\n"},
		"nothing, comment":       {"a:  # c\nb: y\n", "a", "x", "a: x  # c\nb: y\n"},
		"nothing, no newline":    {"c:\n  \"a\" :", "c.a", "x", "c:\n  \"a\" : x"},
		"complex key":            {"? a\n: x\n", "a", "y", "? a\n: y\n"},
		"sequences around":       {"s:\n- a: 1\n- a: 2\na: 3\n", "a", "x", "s:\n- a: 1\n- a: 2\na: x\n"},
		"block text around":      {"s: |\n  a: 1\n\n  # no comment\na: 3\n", "a", "x", "s: |\n  a: 1\n\n  # no comment\na: x\n"},
		"document marks":         {"%YAML 1.1\n---\na: x\n...\n", "a", "y", "%YAML 1.1\n---\na: y\n...\n"},
		"anchors elsewhere":      {"b: &b {x: 1}\nc: *b\na: x\n", "a", "y", "b: &b {x: 1}\nc: *b\na: y\n"},
		"duplicates elsewhere":   {"b: 1\nb: 2\na: x\n", "a", "y", "b: 1\nb: 2\na: y\n"},

		"new key":                   {"cloud:\n    validation: warn\n# c\nz: 1\n", "cloud.tenant_id", "x", "cloud:\n    validation: warn\n    tenant_id: x\n# c\nz: 1\n"},
		"new key at the end":        {"cloud:\n  validation: warn", "cloud.tenant_id", "x", "cloud:\n  validation: warn\n  tenant_id: x\n"},
		"new key CRLF":              {"cloud:\r\n  v: w\r\n\r\nz: 1\r\n", "cloud.t", "x", "cloud:\r\n  v: w\r\n  t: x\r\n\r\nz: 1\r\n"},
		"new key behind block":      {"cloud:\n  v: |\n    text\n\nz: 1\n", "cloud.t", "x", "cloud:\n  v: |\n    text\n  t: x\n\nz: 1\n"},
		"new key behind deep":       {"c:\n  s:\n  - a:\n      b: 1\n# z\nz: 1\n", "c.t", "x", "c:\n  s:\n  - a:\n      b: 1\n  t: x\n# z\nz: 1\n"},
		"new key behind many lines": {"c:\n  v: 'a\n\n    b'\nz: 1\n", "c.t", "x", "c:\n  v: 'a\n\n    b'\n  t: x\nz: 1\n"},
		"new key at top":            {"a: 1\n# end\n", "b", "x", "a: 1\nb: x\n# end\n"},
		"new key before the end":    {"---\na: 1\n...\n", "b", "x", "---\na: 1\nb: x\n...\n"},
		"new section":               {"a: 1\n", "cloud.tenant_id", "x", "a: 1\ncloud:\n  tenant_id: x\n"},
		"new section, no newline":   {"a: 1", "cloud.deep.tenant_id", 5, "a: 1\ncloud:\n  deep:\n    tenant_id: 5\n"},
		"empty section":             {"cloud: # c\nz: 1\n", "cloud.tenant_id", "x", "cloud: # c\n  tenant_id: x\nz: 1\n"},
		"empty nested section":      {"a:\n  cloud:\n  z: 1\n", "a.cloud.t", "x", "a:\n  cloud:\n    t: x\n  z: 1\n"},
		"empty section, no newline": {"cloud:", "cloud.t", "x", "cloud:\n  t: x\n"},
		"empty file":                {"", "cloud.t", "x", "cloud:\n  t: x\n"},
		"comments only":             {"# c", "a", "x", "# c\na: x\n"},
		"document start only":       {"---\n", "a", "x", "---\na: x\n"},
		"odd name":                  {"a: 1\n", "b: c", "x", "a: 1\n'b: c': x\n"},
		"indented top":              {"  a: 1\n  b: 2\n", "c", "x", "  a: 1\n  b: 2\n  c: x\n"},
	} {
		path := strings.Split(c.path, ".")
		got, err := editYAML([]byte(c.text), []YAMLEdit{{path, c.new}})
		require.NoError(t, err, name)
		require.Equal(t, c.want, string(got), name)
	}
}

func TestEditYAMLRefusesWhatItWouldHaveToGuess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, path, want string }{
		"braces":               {"x: 1\na: {b: 1}\n", "a.b", "a.b: not allowed: line 2: it is in braces"},
		"braces, new key":      {"a: {}\n", "a.b", "line 1: it is in braces"},
		"braces at top":        {"{a: 1}\n", "a", "line 1: it is in braces"},
		"JSON":                 {`{"a": "b"}`, "a", "it is in braces"},
		"literal":              {"a: |\n  x\n", "a", "line 1: it is a block of text"},
		"folded":               {"a: >-\n  x\n", "a", "it is a block of text"},
		"anchor":               {"a: &x y\n", "a", "it has an anchor"},
		"anchor of nothing":    {"a: &x\nb: 1\n", "a", "it has an anchor"},
		"anchored mapping":     {"a: &x\n  b: 1\n", "a.b", "it has an anchor"},
		"alias":                {"b: &x y\na: *x\n", "a", "line 2: it is an alias"},
		"alias on the way":     {"b: &x {c: d}\na: *x\n", "a.c", "it is an alias"},
		"tag":                  {"a: !!str y\n", "a", "it has a tag"},
		"tagged mapping":       {"a: !!map\n  b: 1\n", "a.b", "it has a tag"},
		"merge":                {"b: &x {c: d}\na:\n  <<: *x\n", "a.c", "a merge key may hold it"},
		"mapping":              {"a:\n  b: 1\n", "a", "it is not a single value"},
		"list":                 {"a: [b]\n", "a", "it is not a single value"},
		"list on the way":      {"a: [b]\n", "a.b", "is not a mapping"},
		"text on the way":      {"a: canary\n", "a.b", "is not a mapping"},
		"null on the way":      {"a: ~\n", "a.b", "is not a mapping"},
		"list at top":          {"- canary\n", "a", "is not a mapping"},
		"twice":                {"a: 1\nb: 2\na: 3\n", "a", "line 3: it is there twice"},
		"several lines":        {"a: x\n  y\n", "a", "over several lines"},
		"several quoted lines": {"a: 'x\n  y'\n", "a", "over several lines"},
		"question only":        {"? a\n", "a", "over several lines"},
		"block that would eat": {"a:\n  b: |+\n    x\n\n\nz: 1\n", "a.c", "would change more"},
		"block with a comment": {"a:\n  b: |\n    x\n    # y\nz: 1\n", "a.c", "would change more"},
		"malformed":            {"a: [canary\n", "a", "it is not YAML"},
		"two documents":        {"a: 1\n---\na: 2\n", "a", "more than one document"},
		"not UTF-8":            {"a: \xff\n", "a", "not UTF-8"},
		"alias loop":           {"canary: &a [*a]\nx: 1\n", "x", "stand for too much"},
		"too large":            {strings.Repeat("#", maxYAML+1), "x", "larger than 1 MiB"},
		"grows too large":      {"#" + strings.Repeat("x", maxYAML-3), "x", "would change more"},
	} {
		got, err := editYAML([]byte(c.text), []YAMLEdit{{strings.Split(c.path, "."), "new"}})
		require.ErrorIs(t, err, registry.ErrInvalid, "%s: %s", name, got)
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "canary", name)
		require.Nil(t, got)
	}
	_, err := editYAML(nil, []YAMLEdit{{[]string{"a"}, 1.5}})
	require.ErrorIs(t, err, registry.ErrInvalid)
	_, err = editYAML(nil, []YAMLEdit{{nil, "x"}})
	require.ErrorIs(t, err, registry.ErrInvalid)
}

func TestSeveralEditsHoldTogether(t *testing.T) {
	t.Parallel()
	got, err := editYAML([]byte("# head\nserver:\n  host: a # h\n"), []YAMLEdit{
		{[]string{"server", "host"}, "b"}, {[]string{"server", "port"}, 9}, {[]string{"cloud", "tenant_id"}, "x"}, {[]string{"cloud", "validation"}, "warn"},
	})
	require.NoError(t, err)
	require.Equal(t, "# head\nserver:\n  host: b # h\n  port: 9\ncloud:\n  tenant_id: x\n  validation: warn\n", string(got))
}

// Whatever a mapping looks like and whatever text is put in: an edit is refused, or it
// is there and all else reads as before.
func TestEditYAMLHoldsForEveryText(t *testing.T) {
	t.Parallel()
	gap := rapid.SampledFrom([]string{" ", "  ", "\t", " \t "})
	tail := rapid.SampledFrom([]string{"", " # c", "  ", "\t#: 'x", " #😀"})
	written := rapid.SampledFrom([]string{"x", "'it''s'", `"q\"#"`, "", "~", "8080", "a b#c", "'# no'", "é😀", "{a: b}", "|\n    t\n    # u", ">\n    f", "&n v", "[1,\n    2]", "\n    k: v", "x\n    y", "'x\n\n    y'"})
	ending := rapid.SampledFrom([]string{"\n", "\r\n"})
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		keys := rapid.SampledFrom([]string{"k%d", "'k%d'", `"k%d"`})
		for s := range rapid.IntRange(1, 3).Draw(t, "sections") {
			fmt.Fprintf(&text, "s%d:%s\n", s, tail.Draw(t, "tail"))
			for k := range rapid.IntRange(0, 4).Draw(t, "keys") {
				fmt.Fprintf(&text, "  "+keys.Draw(t, "key")+":%s%s%s\n", k, gap.Draw(t, "gap"), written.Draw(t, "value"), tail.Draw(t, "tail"))
			}
		}
		source := strings.ReplaceAll(text.String(), "\n", ending.Draw(t, "ending"))
		if rapid.Bool().Draw(t, "no newline") {
			source = strings.TrimRight(source, "\r\n")
		}
		before, err := parse([]byte(source))
		if err != nil {
			t.Skip("not YAML")
		}
		path := []string{fmt.Sprintf("s%d", rapid.IntRange(0, 3).Draw(t, "s")), fmt.Sprintf("k%d", rapid.IntRange(0, 5).Draw(t, "k"))}
		value := rapid.String().Draw(t, "new")
		got, err := editYAML([]byte(source), []YAMLEdit{{path, value}})
		if err != nil {
			require.ErrorIs(t, err, registry.ErrInvalid)
			return
		}
		after, err := parse(got)
		require.NoError(t, err)
		section, err := member(after, path[0])
		require.NoError(t, err)
		set, err := member(section, path[1])
		require.NoError(t, err)
		require.Equal(t, value, set.Value)
		kept := path
		if there, _ := member(before, path[0]); there == nil {
			kept = path[:1]
		}
		require.Equal(t, outline(before, kept), outline(after, kept))
		for line := range strings.Lines(source) {
			if at := strings.Index(line, " #"); at >= 0 {
				require.Contains(t, string(got), strings.TrimRight(line[at:], "\r\n"), "comments stay")
			}
		}
	})
}
