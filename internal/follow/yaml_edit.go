package follow

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// YAMLEdit sets a single value: the keys that lead to it from the top, and a string, an int or a
// bool.
type YAMLEdit struct {
	Path  []string
	Value any
}

// editYAML returns the text of a YAML file with single values changed in their place, so
// that comments, layout and all else stay as they are, byte for byte. A value that is not
// there gets a line at the end of its mapping, or a section at the end. What can't be
// changed so, such as a value in `{}` or one with an anchor, is refused with
// registry.ErrInvalid; so is whatever would change more than it should.
func editYAML(text []byte, edits []YAMLEdit) ([]byte, error) {
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

// found is where an edit takes place.
type found struct {
	path []string
	// parents are the mappings on the way that are there, nil for an empty file.
	parents []*yaml.Node
	// key and value are the last that are there of the path: the one to change, or a
	// section that is still empty.
	key, value *yaml.Node
	// missing are the names that are not there.
	missing []string
}

// find follows the path through block mappings.
func (e YAMLEdit) find(top *yaml.Node) (found, error) {
	f := found{path: e.Path, missing: e.Path}
	for at := top; at != nil && len(f.missing) > 0; at = f.value {
		if isEmpty(at) {
			return f, nil
		}
		if why := whyNotMapping(at); why != "" {
			return f, f.refuse(at, why)
		}
		f.parents = append(f.parents, at)
		f.key, f.value = nil, nil
		for i := 0; i < len(at.Content); i += 2 {
			switch key := at.Content[i]; {
			case key.Tag == "!!merge":
				return f, f.refuse(key, "a merge key may hold it")
			case key.Kind != yaml.ScalarNode || key.Value != f.missing[0]:
			case f.key != nil:
				return f, f.refuse(key, "it is there twice")
			default:
				f.key, f.value = key, at.Content[i+1]
			}
		}
		if f.key != nil {
			f.missing = f.missing[1:]
		}
	}
	return f, nil
}

// isEmpty tells whether nothing is written where a value could be.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == "" && n.Anchor == "" && n.Style == 0
}

func whyNotMapping(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0:
		return "it is in braces"
	case n.Kind == yaml.MappingNode:
		return whyMarked(n)
	case n.Kind == yaml.AliasNode:
		return "it is an alias"
	}
	return "what should hold it is not a mapping"
}

func whyMarked(n *yaml.Node) string {
	switch {
	case n.Anchor != "":
		return "it has an anchor"
	case n.Style&yaml.TaggedStyle != 0:
		return "it has a tag"
	}
	return ""
}

func whyNotScalar(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "it is an alias"
	case n.Kind != yaml.ScalarNode:
		return "it is not a single value"
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return "it is a block of text"
	}
	return whyMarked(n)
}

func (f found) refuse(at *yaml.Node, why string) error {
	return fmt.Errorf("%s: %w: line %d: %s (edit it by hand)", strings.Join(f.path, "."), registry.ErrInvalid, at.Line, why)
}

// check reads the edited text again: the value is there, and nothing else has changed.
// It is the net below the editing of bytes.
func (f found) check(before *yaml.Node, edited []byte, value *yaml.Node) error {
	spoiled := fmt.Errorf("%s: %w: to change it would change more than that (edit it by hand)", strings.Join(f.path, "."), registry.ErrInvalid)
	after, err := parse(edited)
	if err != nil || after == nil || len(edited) > maxYAML {
		return spoiled
	}
	again, err := YAMLEdit{Path: f.path}.find(after)
	if err != nil || len(again.missing) > 0 || again.value.Value != value.Value || again.value.ShortTag() != value.Tag {
		return spoiled
	}
	kept := f.path[:len(f.path)-len(f.missing)]
	if f.value == nil { // its first name is new
		kept = f.path[:len(kept)+1]
	}
	for _, made := range again.parents[len(kept):] {
		if len(made.Content) != 2 {
			return spoiled
		}
	}
	if before == nil || isEmpty(before) {
		before = &yaml.Node{Kind: yaml.MappingNode}
	}
	if !slices.Equal(outline(before, kept), outline(after, kept)) {
		return spoiled
	}
	return nil
}

// outline lists what a document says, but for what path names.
func outline(n *yaml.Node, path []string) []string {
	said := []string{fmt.Sprint(n.Kind, n.ShortTag(), n.Anchor)}
	if n.Kind != yaml.MappingNode {
		said = append(said, n.Value)
	}
	for i := 0; i < len(n.Content); i++ {
		child := n.Content[i]
		var below []string
		if n.Kind == yaml.MappingNode && i%2 == 1 && len(path) > 0 && n.Content[i-1].Value == path[0] {
			if len(path) == 1 {
				said = said[:len(said)-3] // its name
				continue
			}
			below = path[1:]
		}
		said = append(said, outline(child, below)...)
	}
	return append(said, "end")
}

// lineBreaks end a line for YAML 1.1.
const lineBreaks = "\r\n\u0085\u2028\u2029"

// yamlLines is a text cut behind its line breaks, which is how the parser counts
// lines. A byte order mark is not a part of the first column.
type yamlLines []string

func linesOf(text []byte) (lines yamlLines) {
	rest := string(text)
	for rest != "" {
		end := strings.IndexAny(rest, lineBreaks)
		if end < 0 {
			return append(lines, rest)
		}
		_, size := utf8.DecodeRuneInString(rest[end:])
		if strings.HasPrefix(rest[end:], "\r\n") {
			size = 2
		}
		lines = append(lines, rest[:end+size])
		rest = rest[end+size:]
	}
	return lines
}

// ending is how the text ends its lines.
func (lines yamlLines) ending() string {
	if len(lines) > 0 && strings.HasSuffix(lines[0], "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// locate returns the line of a node and the byte where it starts there: the parser
// counts columns in characters.
func (lines yamlLines) locate(n *yaml.Node) (line string, start int, ok bool) {
	if n.Line < 1 || n.Line > len(lines) {
		return "", 0, false
	}
	line = lines[n.Line-1]
	if n.Line == 1 && strings.HasPrefix(line, "\uFEFF") {
		start = len("\uFEFF")
	}
	for range n.Column - 1 {
		if start >= len(line) {
			return "", 0, false
		}
		_, size := utf8.DecodeRuneInString(line[start:])
		start += size
	}
	return line, start, start <= len(line)
}

// tokenAt returns the scalar as it is written at the start of rest, if it ends on its line
// and means what the node says.
func tokenAt(rest string, n *yaml.Node) (token string, ok bool) {
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0:
		token = quotedToken(rest, '\'')
	case n.Style&yaml.DoubleQuotedStyle != 0:
		token = quotedToken(rest, '"')
	default:
		return n.Value, n.Value != "" && strings.HasPrefix(rest, n.Value) // else it goes on elsewhere
	}
	var again yaml.Node
	if token == "" || yaml.Unmarshal([]byte(token), &again) != nil || len(again.Content) != 1 {
		return "", false
	}
	return token, again.Content[0].Value == n.Value
}

// quotedToken returns the scalar in quotes at the start of rest, with them.
func quotedToken(rest string, quote byte) string {
	if rest == "" || rest[0] != quote {
		return ""
	}
	for i := 1; i < len(rest); i++ {
		switch {
		case quote == '"' && rest[i] == '\\':
			i++
		case rest[i] != quote:
		case quote == '\'' && strings.HasPrefix(rest[i+1:], "'"):
			i++
		default:
			return rest[:i+1]
		}
	}
	return ""
}

// lastOf returns the number of the last line with something of the last of the nested
// mappings: the one before whatever follows it, but for blank lines and comments.
func (lines yamlLines) lastOf(parents []*yaml.Node) int {
	next := len(lines) + 1
	for i, parent := range parents[:len(parents)-1] {
		child := slices.Index(parent.Content, parents[i+1])
		if child+1 < len(parent.Content) {
			next = parent.Content[child+1].Line
		}
	}
	last := next - 1
	for ; last > 0; last-- {
		line := strings.TrimSpace(lines[last-1])
		if line != "" && line[0] != '#' && line != "..." {
			break
		}
	}
	return last
}
