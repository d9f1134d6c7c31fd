package jsontext

import (
	"bytes"
	"cmp"
	"slices"
)

// maxDepth is how deep a value may nest; serde_json gives up a little later.
const maxDepth = 120

// Compactor makes compact text of some members of an object that a scanner reads; of a
// repeated member, the last value comes to the first place. Together the members are
// one value: no more than maxValue of text is kept.
type Compactor struct {
	s     *Scanner
	start Place // of the member being read
	text  []byte
	found []found // members of the objects that are open, the outermost first
	all   bool    // repeated members stay as they are
}

// NewCompactor returns a compactor of what s reads.
func NewCompactor(s *Scanner) *Compactor { return &Compactor{s: s} }

// found is where a member stands in the text: text[start:value] is its name with
// the colon, text[value:end] its value.
type found struct {
	start, value, end int
	first             int // start of the first member of that name
}

// Members returns what was gathered, and begins the next object.
func (c *Compactor) Members() string {
	c.closeObject(0, 0)
	text := string(c.text)
	c.text = c.text[:0]
	return text
}

// Add takes the member at start whose name was just read and whose value comes next.
func (c *Compactor) Add(name []byte, start Place) error {
	c.start = start
	if len(c.text) > 0 {
		c.text = append(c.text, ',')
	}
	return c.member(name, 0)
}

func (c *Compactor) member(name []byte, depth int) error {
	f := found{start: len(c.text), first: len(c.text)}
	c.text = append(AppendString(c.text, name), ':')
	f.value = len(c.text)
	err := c.value(depth)
	f.end = len(c.text)
	if !c.all {
		c.found = append(c.found, f)
	}
	return err
}

// value takes a value that stands in depth arrays and objects.
func (c *Compactor) value(depth int) (err error) {
	switch b := c.s.Peek(); {
	case b == '{' || b == '[':
		if depth == maxDepth {
			return c.s.Fail("a value nests more than 120 deep")
		}
		c.s.pos++
		c.text = append(c.text, b)
		if b == '{' {
			err = c.object(depth + 1)
		} else {
			err = c.array(depth + 1)
		}
	case b == '"':
		var text []byte
		text, err = c.s.Text()
		c.text = AppendString(c.text, text)
	case b == '-' || '0' <= b && b <= '9':
		var text []byte
		text, err = c.s.number()
		c.text = append(c.text, text...)
	default:
		err = c.word()
	}
	if err == nil && len(c.text) > maxValue {
		err = c.s.FailAt(c.start, tooLong)
	}
	return err
}

// word takes true, false or null.
func (c *Compactor) word() error {
	for _, word := range []string{"true", "false", "null"} {
		if c.s.Peek() == word[0] {
			c.text = append(c.text, word...)
			return c.s.Literal(word)
		}
	}
	return c.s.Fail(notValue)
}

func (c *Compactor) array(depth int) error {
	for first := true; ; first = false {
		more, err := c.s.Next(first, ']')
		if err != nil {
			return err
		}
		if !more {
			c.text = append(c.text, ']')
			return nil
		}
		if !first {
			c.text = append(c.text, ',')
		}
		if err := c.value(depth); err != nil {
			return err
		}
	}
}

func (c *Compactor) object(depth int) error {
	start, outer := len(c.text), len(c.found)
	for first := true; ; first = false {
		name, _, more, err := c.s.NextMember(first)
		if err != nil {
			return err
		}
		if !more {
			c.closeObject(start, outer)
			c.text = append(c.text, '}')
			return nil
		}
		if !first {
			c.text = append(c.text, ',')
		}
		if err := c.member(name, depth); err != nil {
			return err
		}
	}
}

// closeObject ends the object whose members are found[outer:] and stand in
// text[start:]: of a repeated member, the last value comes to the first place.
func (c *Compactor) closeObject(start, outer int) {
	own := c.found[outer:]
	c.found = c.found[:outer]
	kept := c.withoutRepeats(own)
	if len(kept) == len(own) {
		return
	}
	old := slices.Clone(c.text[start:])
	c.text = c.text[:start]
	for i, f := range kept {
		if i > 0 {
			c.text = append(c.text, ',')
		}
		c.text = append(c.text, old[f.start-start:f.end-start]...)
	}
}

// withoutRepeats returns the members to keep, each name once, in order. It sorts:
// looking up each name among all others would take too long in a big object.
func (c *Compactor) withoutRepeats(own []found) []found {
	if len(own) < 2 {
		return own
	}
	name := func(f found) []byte { return c.text[f.start:f.value] }
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
