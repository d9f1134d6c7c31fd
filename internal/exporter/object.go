package exporter

import "github.com/sp-registry/sp/internal/jsontext"

// object reads the members of an object of which some are defined: those once at
// most, all others into unknown.
type object struct {
	s       *jsontext.Scanner
	defined []string
	unknown *jsontext.Compactor

	seen  uint // bit i: defined[i] was read
	begun bool
}

// next passes to the value of the next defined member and returns its index;
// past the end of the object it returns false.
func (o *object) next() (i int, more bool, err error) {
	for {
		text, at, more, err := o.s.NextMember(!o.begun)
		if err != nil || !more {
			return 0, false, err
		}
		o.begun = true
		i = indexOf(o.defined, text)
		if i < 0 {
			if err := o.unknown.Add(text, at); err != nil {
				return 0, false, err
			}
			continue
		}
		if o.seen&(1<<i) != 0 {
			return 0, false, o.s.FailAt(at, about(o.defined[i], "is given twice"))
		}
		o.seen |= 1 << i
		return i, true, nil
	}
}

// require refuses an object, past whose end s stands, that lacks one of some
// defined members. The place is the closing brace: there it could be put.
func (o *object) require(names ...string) error {
	for _, name := range names {
		if o.seen&(1<<indexOf(o.defined, []byte(name))) == 0 {
			end := o.s.Place()
			end.Column--
			return o.s.FailAt(end, about(name, "is missing"))
		}
	}
	return nil
}

// indexOf returns where name stands in names, or -1.
func indexOf(names []string, name []byte) int {
	for i := range names {
		if names[i] == string(name) {
			return i
		}
	}
	return -1
}
