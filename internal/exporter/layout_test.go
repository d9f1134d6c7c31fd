package exporter_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/internal/exporter"
)

// tree is a JSON value: a scalar as it is spelled, or its members or elements.
type tree struct {
	scalar   string
	names    []string // of an object's members
	values   []tree
	isObject bool
}

func trees(depth int) *rapid.Generator[tree] {
	return rapid.Custom(func(t *rapid.T) tree {
		if depth == 0 || rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
			return tree{scalar: rapid.SampledFrom([]string{"1", "-0.50E+3", "true", "null", `"a,b"`, `"{\"}\\"`, `"é\n"`, `""`}).Draw(t, "scalar")}
		}
		v := tree{isObject: rapid.Bool().Draw(t, "object"), values: rapid.SliceOfN(trees(depth-1), 0, 5).Draw(t, "values")}
		for range v.values {
			v.names = append(v.names, rapid.SampledFrom([]string{"a", "b", "é", "\n", "id", `"`, ""}).Draw(t, "name"))
		}
		return v
	})
}

// write writes a tree as a file may hold it, repeats and odd spacing included.
func (v tree) write(t *rapid.T, b *strings.Builder) {
	space := func() string { return rapid.SampledFrom([]string{"", "", " ", "\n", "\r\n\t "}).Draw(t, "space") }
	if v.scalar != "" {
		b.WriteString(v.scalar)
		return
	}
	brackets := "[]"
	if v.isObject {
		brackets = "{}"
	}
	b.WriteString(brackets[:1] + space())
	for i, value := range v.values {
		if i > 0 {
			b.WriteString("," + space())
		}
		if v.isObject {
			name, _ := json.Marshal(v.names[i])
			if rapid.Bool().Draw(t, "escaped") && v.names[i] == "a" {
				name = []byte(`"\u0061"`)
			}
			b.Write(name)
			b.WriteString(space() + ":" + space())
		}
		value.write(t, b)
		b.WriteString(space())
	}
	b.WriteString(brackets[1:])
}

// pretty lays a tree out by the rules, the plain and slow way.
func (v tree) pretty(indent string) string {
	if v.scalar != "" {
		return v.scalar
	}
	var names, lines []string
	last := map[string]int{}
	for i, value := range v.values {
		if !v.isObject {
			lines = append(lines, value.pretty(indent+"  "))
			continue
		}
		quoted, _ := json.Marshal(v.names[i])
		line := string(quoted) + ": " + value.pretty(indent+"  ")
		if at, ok := last[v.names[i]]; ok {
			lines[at] = line
			continue
		}
		last[v.names[i]] = len(names)
		names = append(names, v.names[i])
		lines = append(lines, line)
	}
	brackets := "[]"
	if v.isObject {
		brackets = "{}"
	}
	if len(lines) == 0 {
		return brackets
	}
	between := "\n" + indent + "  "
	return brackets[:1] + between + strings.Join(lines, ","+between) + "\n" + indent + brackets[1:]
}

func TestUnknownValuesAreLaidOutLikeSerde(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := trees(4).Draw(t, "value")
		var text strings.Builder
		v.write(t, &text)
		f, err := decode(strings.NewReader(withUnknown(text.String())))
		require.NoError(t, err)
		var encoded strings.Builder
		require.NoError(t, exporter.Encode(&encoded, f.doc, f.all()))
		want := fmt.Sprintf(",\n      \"x\": %s\n    }\n  ],", v.pretty("      "))
		require.Contains(t, encoded.String(), want)
	})
}
