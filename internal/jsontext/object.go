package jsontext

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
)

// Object is a JSON object: its members in their order, a repeated one as often as it
// stands there, each value as compact text.
type Object []Member

// Member is one member of an object.
type Member struct{ Name, Value string }

// ParseObject returns the object that text is. Its errors are FormatErrors.
func ParseObject(text []byte) (Object, error) {
	s := scanText(text)
	switch {
	case s.space() == '{':
	case bytes.HasPrefix(text, []byte("\uFEFF")):
		return nil, s.Fail("a byte order mark")
	default:
		return nil, s.Fail("not a JSON object")
	}
	compact, err := s.compact(make([]byte, 0, len(text)))
	if err != nil {
		return nil, err
	}
	return ObjectOf(string(compact)), nil
}

// compact appends one value, with its repeated members, to an empty text, and demands the
// end of what is read.
func (s *Scanner) compact(text []byte) ([]byte, error) {
	c := Compactor{s: s, start: s.Place(), text: text, all: true}
	if err := c.value(0); err != nil {
		return nil, err
	}
	return c.text, s.Finish()
}

// comparison is a text and its compact form.
type comparison struct {
	scanner       Scanner
	text, compact []byte
}

// comparisons are used again: every tenant of an export comes by here.
var comparisons = sync.Pool{New: func() any { return new(comparison) }}

// AreCompact tells whether a text has the form of compact members.
func AreCompact(members string) bool {
	c := comparisons.Get().(*comparison)
	defer comparisons.Put(c)
	c.text = append(append(append(c.text[:0], '{'), members...), '}')
	c.scanner = Scanner{window: c.text, err: io.EOF, line: 1}
	compact, err := c.scanner.compact(c.compact[:0])
	c.compact = compact
	return err == nil && bytes.Equal(compact, c.text)
}

// Members yields the members that a compact text holds: each name as it is written, in
// its quotes, and its value.
func Members(compact string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for compact != "" {
			colon := lengthOfString(compact)
			end := colon + 1 + lengthOfValue(compact[colon+1:])
			if !yield(compact[:colon], compact[colon+1:end]) {
				return
			}
			compact = compact[min(end+1, len(compact)):]
		}
	}
}

// lengthOfValue says how many bytes the value at the start of compact takes.
func lengthOfValue(compact string) int {
	depth := 0
	for i := 0; i < len(compact); i++ {
		switch compact[i] {
		case '"':
			i += lengthOfString(compact[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(compact)
}

// ObjectOf returns the object that a value is, with nothing in it if it is none.
func ObjectOf(value string) (o Object) {
	if !strings.HasPrefix(value, "{") {
		return nil
	}
	for name, value := range Members(value[1 : len(value)-1]) {
		o = append(o, Member{unquote(name), value})
	}
	return o
}

// Text returns what a value says if it is a string.
func Text(value string) (string, bool) {
	if !strings.HasPrefix(value, `"`) {
		return "", false
	}
	return unquote(value), true
}

// unquote returns what a string says that is known to be one.
func unquote(quoted string) string {
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1]
	}
	text, _ := scanText([]byte(quoted)).Text()
	return string(text)
}

// Once returns the object with each name once, the last value at the first place, and
// which of the known names was there twice, for that is no slip to pass over.
func (o Object) Once(known ...string) (_ Object, twice string) {
	places := make(map[string]int, len(o))
	var unique Object
	for _, m := range o {
		place, seen := places[m.Name]
		switch {
		case !seen:
			places[m.Name] = len(unique)
			unique = append(unique, m)
		case slices.Contains(known, m.Name):
			return nil, m.Name
		default:
			unique[place].Value = m.Value
		}
	}
	return unique, ""
}

// Value returns the value of a member, "" where there is none.
func (o Object) Value(name string) string {
	if i := o.index(name); i >= 0 {
		return o[i].Value
	}
	return ""
}

func (o Object) index(name string) int {
	return slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
}

// With returns the object with a member: in its place where there is one, else last.
func (o Object) With(name, value string) Object {
	i := o.index(name)
	o = slices.Clone(o)
	if i < 0 {
		return append(o, Member{name, value})
	}
	o[i].Value = value
	return o
}

// Without returns the object without members of these names.
func (o Object) Without(names ...string) Object {
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return slices.Contains(names, m.Name) })
}

// In returns the object with the members of these names first, in their order.
func (o Object) In(order ...string) Object {
	var sorted Object
	for _, name := range order {
		if value := o.Value(name); value != "" {
			sorted = append(sorted, Member{name, value})
		}
	}
	return append(sorted, o.Without(order...)...)
}

// Compact writes the object as one value.
func (o Object) Compact() string {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(AppendString(text, m.Name), ':')
		text = append(text, m.Value...)
	}
	return string(append(text, '}'))
}

// Pretty writes the object as serde_json does for a file.
func (o Object) Pretty() []byte {
	compact := o.Compact()
	return AppendIndented(make([]byte, 0, len(compact)*5/4), compact, 0)
}
