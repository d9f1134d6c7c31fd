package registry

import (
	"math"
	"slices"
	"strings"
	"time"
)

// The other program reads tenants.json, changes it and writes it whole, some time later and
// without a lock. Of what sp did in between, its file says nothing. The rule:
//
//  1. It can have read only what stood in the file: a state that sp published. The last one
//     is doubtful where it still waits for its place, because a command was stopped, and
//     where its placing put the file aside: then 3 alone tells.
//  2. What it did itself it knew, from the time at which sp took it over.
//  3. A file that shows what sp did, as the published state N was the first to show it, was
//     read at N or later: all that sp did up to N was known. What is from a file that was
//     kept aside shows nothing: it stood in the file's place before.
//  4. Of what sp did after that, what stood in the file for ten minutes when the other
//     program wrote it was known, and what is younger was not.
//  5. What was known is the base of a merge, member by member. Whether the tenant is there
//     is decided as one more member.
//  6. What the file has as the base has it, they did not change: sp's stays, and sp says so
//     if the file showed it, or it is theirs. What sp has as the base has it, is theirs.
//  7. What both changed, somebody has to settle. --theirs takes every state that was
//     published for known: what sp did there, the file takes back.
//  8. An undo is a change by sp. Where a backup was restored, nobody knows a base.

// unsure is for how long sp's own change is taken to be unknown to the other program, unless
// its file shows otherwise: from the time of the file in which sp published it.
const unsure = 10 * time.Minute

// looked is how far back it is looked for what the file may show: that sp changed something to
// what it had been before then says nothing.
const looked = 24 * time.Hour

// knowledge is what the other program had read when it wrote its file.
type knowledge struct {
	known  int64   // what sp did up to this change, it knew
	states []int64 // the later states that it can have read, in order
	blind  bool    // nobody knows what it knew
}

// published is a state that stood in the file, since then, or perhaps did not.
type published struct {
	revision int64
	since    time.Time
	unread   bool
}

// knows returns what the clock says that the other program knew when it wrote a file, of
// states in order, the first of which it knew for certain.
func knows(first int64, states []published, written time.Time) (k knowledge) {
	k.known = first
	for _, s := range states {
		if k.states = append(k.states, s.revision); !s.unread && written.Sub(s.since) >= unsure {
			k.known = s.revision
		}
	}
	return k
}

// version is a tenant as a change left it: its image, nil where it was not there.
type version struct {
	from  int64
	image image
	by    author
}

// author is who made a change of tenants. Of what it did in a file that was kept aside, the other
// program may not know when it writes the next time.
type author int

const (
	bySP author = iota
	byOther
	byOtherUnseen
	byOtherSince // after the file was written that is merged now
)

// itself is the name of the member that says whether the tenant is there, and there the
// value of that.
const itself, there = "", "there"

func (v version) value(name string) string {
	switch {
	case name == itself && v.image != nil:
		return there
	case strings.HasPrefix(name, ofUnknown) && v.image[unknownMembers] != nil:
		return string(v.image[unknownMembers]) // it is not known, so nothing is the same
	}
	return string(v.image[name])
}

// value is what a member was, from a change until another.
type value struct {
	from, until int64
	text        string // empty where it was absent
	by          author
	gone        bool // because the tenant was
}

// valuesOf returns what a member was, one after the other: first what it was at the first
// version, last what it is.
func valuesOf(past []version, name string) (values []value) {
	for _, v := range past {
		next := value{from: v.from, until: math.MaxInt64, text: v.value(name), by: v.by, gone: v.image == nil && name != itself}
		if n := len(values); n > 0 {
			if last := &values[n-1]; last.text == next.text && last.gone == next.gone {
				continue
			} else {
				last.until = v.from
			}
		}
		values = append(values, next)
	}
	return values
}

// base returns which of the values the other program knew last. What it did in a file that was
// kept aside, it knows unless it shows any value from before that: then it may have read that only.
func (k knowledge) base(values []value, file string) (i int) {
	for n, v := range values {
		before := slices.ContainsFunc(values[:n], func(v value) bool { return !v.gone && v.text == file })
		own := v.by == byOtherUnseen && n > 0 && !before
		if v.by == byOther || own || v.from <= k.known {
			i = n
		}
	}
	return i
}

// verdict says what is to become of a member.
type verdict int

const (
	stays         verdict = iota // as it is here
	stale                        // it stays, and the file shows it as it was before sp changed it
	theirsChanged                // only the other program changed it
	bothChanged
)

// decide says what is to become of a member that the file shows as file.
func (k knowledge) decide(values []value, file string) verdict {
	base, ours := k.base(values, file), values[len(values)-1].text
	switch {
	case file == ours:
		return stays
	case k.blind:
		return bothChanged
	case file == values[base].text && k.showed(values[base+1:]):
		return stale
	case file == values[base].text:
		return stays
	case ours == values[base].text:
		return theirsChanged
	}
	return bothChanged
}

// showed tells whether the other program can know any of these values: tenants.json ever was so new
// as to show it, or it is its own.
func (k knowledge) showed(values []value) bool {
	return slices.ContainsFunc(values, func(v value) bool {
		return v.by != bySP || len(k.states) > 0 && v.from <= k.states[len(k.states)-1]
	})
}

// date returns the state that first showed a member as the file does, because of what sp
// did: at that or later it was read. It is 0 where the file does not tell.
func (k knowledge) date(values []value, file string) int64 {
	for i, v := range values {
		if v.text != file || v.gone {
			continue
		}
		n, _ := slices.BinarySearch(k.states, v.from)
		switch shown := n < len(k.states) && k.states[n] < v.until; {
		case v.by != bySP, shown && i == 0:
			return 0
		case shown:
			return k.states[n]
		}
	}
	return 0
}
