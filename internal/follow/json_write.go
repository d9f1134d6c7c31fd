package follow

import (
	"slices"
	"strings"
)

// value returns the value of a member, "" where there is none.
func (o object) value(name string) string {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return ""
}

// with returns the object with a member: in its place where there is one, else last.
func (o object) with(name, value string) object {
	o = slices.Clone(o)
	for i := range o {
		if o[i].name == name {
			o[i].value = value
			return o
		}
	}
	return append(o, pair{name, value})
}

// without returns the object without members of these names.
func (o object) without(names ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m pair) bool { return slices.Contains(names, m.name) })
}

// in returns the object with the members of these names first, in their order.
func (o object) in(order ...string) object {
	var sorted object
	for _, name := range order {
		if value := o.value(name); value != "" {
			sorted = append(sorted, pair{name, value})
		}
	}
	return append(sorted, o.without(order...)...)
}

// compact writes the object as one value.
func (o object) compact() string {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(appendString(text, m.name), ':')
		text = append(text, m.value...)
	}
	return string(append(text, '}'))
}

// pretty writes the object as serde_json does for a file: two spaces a level, each
// member and element on a line of its own, `{}` and `[]` on one, no newline at the end.
func (o object) pretty() []byte {
	compact := o.compact()
	text := make([]byte, 0, len(compact)*5/4)
	depth := 0
	line := func() { text = append(append(text, '\n'), strings.Repeat("  ", depth)...) }
	for i := 0; i < len(compact); i++ {
		switch c := compact[i]; c {
		case '"':
			end := i + endOfString(compact[i:])
			text = append(text, compact[i:end]...)
			i = end - 1
		case ':':
			text = append(text, ": "...)
		case ',':
			text = append(text, c)
			line()
		case '{', '[':
			text = append(text, c)
			if compact[i+1] == '}' || compact[i+1] == ']' {
				i++
				text = append(text, compact[i])
				continue
			}
			depth++
			line()
		case '}', ']':
			depth--
			line()
			text = append(text, c)
		default:
			text = append(text, c)
		}
	}
	return text
}
