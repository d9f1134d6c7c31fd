package registry

import (
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/secret"
)

// Unknown is a list of JSON members that the record does not define, kept for
// the tool that wrote them: compact text, as jsontext calls it, such as
//
//	"docker_project":"x","nested":{"a":[1,2]}
//
// The zero Unknown is empty.
// The text is a Secret because nobody knows what is in it.
type Unknown struct{ text secret.Secret }

// NewUnknown returns the members written in text, which must have the form that
// the comment of Unknown draws.
func NewUnknown(text string) Unknown {
	if text == "" {
		return Unknown{}
	}
	return Unknown{text: secret.New(text)}
}

// check tells whether the text has its form; what cuts it relies on that.
func (m Unknown) check() error {
	if m.Empty() {
		return nil
	}
	if !jsontext.AreCompact(m.Reveal()) {
		return errors.New("unknown members are not compact JSON")
	}
	return nil
}

// Reveal returns the members' text.
func (m Unknown) Reveal() string { return m.text.Reveal() }

// Empty tells whether there are no members.
func (m Unknown) Empty() bool { return m.text.Empty() }

// Names returns the members' names, as escaped in JSON but without the quotes.
func (m Unknown) Names() []string {
	var names []string
	for name := range m.all {
		names = append(names, name)
	}
	return names
}

// value returns the member's value as JSON text.
func (m Unknown) value(name string) (string, bool) {
	for n, value := range m.all {
		if n == name {
			return value, true
		}
	}
	return "", false
}

// all yields each member's name and value, both as JSON text, the name without its quotes.
func (m Unknown) all(yield func(name, value string) bool) {
	for name, value := range jsontext.Members(m.Reveal()) {
		if !yield(name[1:len(name)-1], value) {
			return
		}
	}
}

// with returns m with the members of newer put in: a known name takes the newer
// value in its old place, a new one comes last.
func (m Unknown) with(newer Unknown) Unknown {
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
	return NewUnknown(text.String())
}

// differing names the members that only one of the two has, or whose values differ.
func (m Unknown) differing(o Unknown) []string {
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
