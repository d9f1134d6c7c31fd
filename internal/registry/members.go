package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// Members is a list of JSON members that the record does not define, kept for
// the tool that wrote them: compact JSON text such as
//
//	"docker_project":"x","nested":{"a":[1,2]}
//
// without the braces around it, every name and string escaped as serde_json
// escapes it, so that equal values are equal bytes. The zero Members is empty.
// The text is a Secret because nobody knows what is in it.
type Members struct{ text secret.Secret }

// NewMembers returns the members written in text, which must have the form that
// the comment of Members draws.
func NewMembers(text string) Members {
	if text == "" {
		return Members{}
	}
	return Members{text: secret.New(text)}
}

// check tells whether the text has its form; what cuts it relies on that.
func (m Members) check() error {
	if m.Empty() {
		return nil
	}
	text := "{" + m.Reveal() + "}"
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(text)) != nil || compact.String() != text {
		return errors.New("unknown members are not compact JSON")
	}
	return nil
}

// Reveal returns the members' text.
func (m Members) Reveal() string { return m.text.Reveal() }

// Empty tells whether there are no members.
func (m Members) Empty() bool { return m.text.Empty() }

// Names returns the members' names, as escaped in JSON but without the quotes.
func (m Members) Names() []string {
	var names []string
	for name := range m.all {
		names = append(names, name)
	}
	return names
}

// value returns the member's value as JSON text.
func (m Members) value(name string) (string, bool) {
	for n, value := range m.all {
		if n == name {
			return value, true
		}
	}
	return "", false
}

// all yields each member's name and value, both as JSON text, the name without its quotes.
func (m Members) all(yield func(name, value string) bool) {
	rest := m.Reveal()
	for rest != "" {
		quoted := endOfValue(rest, ':')
		name := rest[1 : quoted-1]
		rest = rest[quoted+1:]
		end := endOfValue(rest, ',')
		if !yield(name, rest[:end]) || end == len(rest) {
			return
		}
		rest = rest[end+1:]
	}
}

// endOfValue returns where the JSON value at the start of s ends: before the
// first separator outside strings and brackets, or at the end of s.
func endOfValue(s string, separator byte) int {
	depth, inString := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == separator && depth == 0:
			return i
		}
	}
	return len(s)
}

// with returns m with the members of newer put in: a known name takes the newer
// value in its old place, a new one comes last.
func (m Members) with(newer Members) Members {
	values := map[string]string{}
	for name, value := range newer.all {
		values[name] = value
	}
	var text strings.Builder
	put := func(name, value string) {
		if text.Len() > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`"` + name + `":` + value)
	}
	for name, value := range m.all {
		if v, ok := values[name]; ok {
			value = v
			delete(values, name)
		}
		put(name, value)
	}
	for name, value := range newer.all {
		if _, ok := values[name]; ok {
			put(name, value)
		}
	}
	return NewMembers(text.String())
}

// differing names the members that only one of the two has, or whose values differ.
func (m Members) differing(o Members) []string {
	if m.text.Equal(o.text) {
		return nil
	}
	others := map[string]string{}
	for name, value := range o.all {
		others[name] = value
	}
	var names []string
	for name, value := range m.all {
		if v, ok := others[name]; !ok || v != value {
			names = append(names, name)
		}
		delete(others, name)
	}
	for name := range o.all {
		if _, ok := others[name]; ok {
			names = append(names, name)
		}
	}
	if names == nil {
		return []string{"(order of the members that the record does not define)"}
	}
	return names
}
