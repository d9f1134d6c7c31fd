package exporter

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// maxDepth is how deep a value of an unknown member may nest.
const maxDepth = 120

// unknown gathers the members of one object that the record does not define, as
// the compact text that registry.Members keeps. Together they are one value: no
// more than maxValue of text is kept.
type unknown struct {
	s     *scanner
	start Place // of the member being read
	text  []byte
	found []found // members of the objects that are open, the outermost first
}

// found is where a member stands in the text: text[start:value] is its name with
// the colon, text[value:end] its value.
type found struct {
	start, value, end int
	first             int // start of the first member of that name
}

// members returns what was gathered, and begins the next object.
func (u *unknown) members() registry.Members {
	u.closeObject(0, 0)
	text := string(u.text)
	u.text = u.text[:0]
	return registry.NewMembers(text)
}

// add takes the member at start whose name was just read and whose value comes next.
func (u *unknown) add(name []byte, start Place) error {
	u.start = start
	if len(u.text) > 0 {
		u.text = append(u.text, ',')
	}
	return u.member(name, 0)
}

func (u *unknown) member(name []byte, depth int) error {
	f := found{start: len(u.text), first: len(u.text)}
	u.text = append(appendString(u.text, name), ':')
	f.value = len(u.text)
	err := u.value(depth)
	f.end = len(u.text)
	u.found = append(u.found, f)
	return err
}

// value takes a value that stands in depth arrays and objects.
func (u *unknown) value(depth int) (err error) {
	switch c := u.s.peek(); {
	case c == '{' || c == '[':
		if depth == maxDepth {
			return u.s.fail("a value nests more than 120 deep")
		}
		u.s.pos++
		u.text = append(u.text, c)
		if c == '{' {
			err = u.object(depth + 1)
		} else {
			err = u.array(depth + 1)
		}
	case c == '"':
		var text []byte
		text, err = u.s.string()
		u.text = appendString(u.text, text)
	case c == '-' || '0' <= c && c <= '9':
		var text []byte
		text, err = u.s.number()
		u.text = append(u.text, text...)
	default:
		err = u.word()
	}
	if err == nil && len(u.text) > maxValue {
		err = u.s.failAt(u.start, tooLong)
	}
	return err
}

// word takes true, false or null.
func (u *unknown) word() error {
	for _, word := range []string{"true", "false", "null"} {
		if u.s.peek() == word[0] {
			u.text = append(u.text, word...)
			return u.s.literal(word)
		}
	}
	return u.s.fail(notValue)
}

func (u *unknown) array(depth int) error {
	for first := true; ; first = false {
		more, err := u.s.next(first, ']')
		if err != nil {
			return err
		}
		if !more {
			u.text = append(u.text, ']')
			return nil
		}
		if !first {
			u.text = append(u.text, ',')
		}
		if err := u.value(depth); err != nil {
			return err
		}
	}
}

func (u *unknown) object(depth int) error {
	start, outer := len(u.text), len(u.found)
	for first := true; ; first = false {
		name, _, more, err := u.s.nextMember(first)
		if err != nil {
			return err
		}
		if !more {
			u.closeObject(start, outer)
			u.text = append(u.text, '}')
			return nil
		}
		if !first {
			u.text = append(u.text, ',')
		}
		if err := u.member(name, depth); err != nil {
			return err
		}
	}
}

// closeObject ends the object whose members are found[outer:] and stand in
// text[start:]: of a repeated member, the last value comes to the first place.
func (u *unknown) closeObject(start, outer int) {
	own := u.found[outer:]
	u.found = u.found[:outer]
	kept := u.withoutRepeats(own)
	if len(kept) == len(own) {
		return
	}
	old := slices.Clone(u.text[start:])
	u.text = u.text[:start]
	for i, f := range kept {
		if i > 0 {
			u.text = append(u.text, ',')
		}
		u.text = append(u.text, old[f.start-start:f.end-start]...)
	}
}

// withoutRepeats returns the members to keep, each name once, in order. It sorts:
// looking up each name among all others would take too long in a big object.
func (u *unknown) withoutRepeats(own []found) []found {
	if len(own) < 2 {
		return own
	}
	name := func(f found) []byte { return u.text[f.start:f.value] }
	slices.SortFunc(own, func(a, b found) int {
		return cmp.Or(bytes.Compare(name(a), name(b)), a.start-b.start)
	})
	kept := own[:0]
	for _, f := range own {
		if last := len(kept) - 1; last >= 0 && bytes.Equal(name(kept[last]), name(f)) {
			f.first = kept[last].first
			kept[last] = f
			continue
		}
		kept = append(kept, f)
	}
	slices.SortFunc(kept, func(a, b found) int { return a.first - b.first })
	return kept
}
