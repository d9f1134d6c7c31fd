package project

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// YAMLEdit is a single value to set: what names it from the top on, and a string, an int
// or a bool.
type YAMLEdit struct {
	Path  []string
	Value any
}

// EditYAML returns the text of a YAML file with single values changed in their place, so
// that comments, layout and all else stay as they are, byte for byte. A value that is not
// there gets a line at the end of its mapping, or a section at the end. What can't be
// changed so, such as a value in `{}` or one with an anchor, is refused with
// registry.ErrInvalid; so is whatever would change more than it should.
func EditYAML(text []byte, edits []YAMLEdit) ([]byte, error) {
	if len(text) > maxYAML {
		return nil, badYAML(fmt.Sprintf("it is larger than %d MiB", maxYAML>>20))
	}
	for _, edit := range edits {
		var err error
		if text, err = edit.apply(text); err != nil {
			return nil, err
		}
	}
	return text, nil
}

func (e YAMLEdit) apply(text []byte) ([]byte, error) {
	value, err := e.node()
	if err != nil {
		return nil, err
	}
	top, err := parse(text)
	if err != nil {
		return nil, err
	}
	if e.holds(top, value) {
		return text, nil
	}
	f, err := e.find(top)
	if err != nil {
		return nil, err
	}
	edited, err := f.edit(text, value)
	if err != nil {
		return nil, err
	}
	if err := f.check(top, edited, value); err != nil {
		return nil, err
	}
	return edited, nil
}

// holds tells whether the value is there already, in whatever way.
func (e YAMLEdit) holds(at, value *yaml.Node) bool {
	for _, name := range e.Path {
		if at == nil {
			return false
		}
		var err error
		if at, err = member(at, name); err != nil {
			return false
		}
	}
	return at != nil && at.Kind == yaml.ScalarNode && at.Value == value.Value && at.ShortTag() == value.Tag
}

// node is the value as it is to be read.
func (e YAMLEdit) node() (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch v := e.Value.(type) {
	case string:
		n.Tag, n.Value = "!!str", v
	case int:
		n.Tag, n.Value = "!!int", strconv.Itoa(v)
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	default:
		return nil, fmt.Errorf("%s: %w: a value of type %T", strings.Join(e.Path, "."), registry.ErrInvalid, v)
	}
	if len(e.Path) == 0 {
		return nil, fmt.Errorf("%w: a value without a name", registry.ErrInvalid)
	}
	return n, nil
}

// edit puts the value into the text.
func (f found) edit(text []byte, value *yaml.Node) ([]byte, error) {
	lines := linesOf(text)
	if len(f.missing) > 0 {
		return f.insert(lines, value)
	}
	if why := whyNotScalar(f.value); why != "" {
		return nil, f.refuse(f.value, why)
	}
	if f.value.Tag != "!!null" && value.Tag == "!!str" {
		value.Style = f.value.Style & (yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle)
	}
	written := scalarText(value)
	at, old := f.value, ""
	if isEmpty(f.value) {
		at = f.key
	}
	line, start, ok := lines.locate(at)
	if ok {
		old, ok = tokenAt(line[start:], at)
	}
	end := start + len(old)
	if ok && at == f.key {
		colon := len(line[end:]) - len(strings.TrimLeft(line[end:], " \t"))
		start = end + colon + 1
		end, written = start, " "+written
		ok = start <= len(line) && line[start-1] == ':'
	}
	if !ok {
		return nil, f.refuse(at, "it goes over several lines, or is written in a way that sp does not edit")
	}
	lines[at.Line-1] = line[:start] + written + line[end:]
	return []byte(strings.Join(lines, "")), nil
}

// insert puts what is missing behind the last line of its mapping that says something.
func (f found) insert(lines yamlLines, value *yaml.Node) ([]byte, error) {
	indent, last := 0, len(lines)
	switch {
	case f.value != nil: // an empty section
		indent, last = f.key.Column+1, f.key.Line
	case len(f.parents) > 0:
		indent = f.parents[len(f.parents)-1].Content[0].Column - 1
		last = lines.lastOf(f.parents)
	}
	ending := lines.ending()
	var added strings.Builder
	if last > 0 && !strings.HasSuffix(lines[last-1], "\n") {
		added.WriteString(ending)
	}
	for i, name := range f.missing {
		key := scalarText(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name})
		added.WriteString(strings.Repeat(" ", indent+2*i) + key + ":")
		if i == len(f.missing)-1 {
			added.WriteString(" " + scalarText(value))
		}
		added.WriteString(ending)
	}
	return []byte(strings.Join(slices.Insert(slices.Clone(lines), last, added.String()), "")), nil
}

// scalarText is how a value stands in a file, on one line.
func scalarText(value *yaml.Node) string {
	n := *value
	if n.Tag == "!!str" && strings.ContainsAny(n.Value, "\n\r\t\u0085\u2028\u2029\uFEFF") {
		n.Style = yaml.DoubleQuotedStyle
	}
	text, err := yaml.Marshal(&n)
	if err != nil { // it is made here, of kinds that marshal
		panic(err)
	}
	return string(bytes.TrimSuffix(text, []byte("\n")))
}
