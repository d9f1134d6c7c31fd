package registry

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// LikenessOf returns what names share that people can't tell apart: the same in
// another composition, case or width, with something invisible in it, or with
// letters of another alphabet that look like Latin ones. It is for comparing, not
// for showing, and a rule of thumb: Unicode's own list of confusables (UTS 39) has
// thousands of them, of which these are the ones that a keyboard gives.
func LikenessOf(name string) string {
	latin := twins()
	plain := strings.Map(func(r rune) rune {
		switch twin, ok := latin[r]; {
		case ok:
			return twin
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, norm.NFKC.String(name))
	return strings.ToLower(strings.ToUpper(plain)) // both, for letters of more than two cases
}

// twins are the letters of the Cyrillic and the Greek alphabet that look like a
// Latin one in most fonts. No start of the program pays for them.
var twins = sync.OnceValue(func() map[rune]rune {
	const (
		others = "авсԁеһіјкӏморԛѕтѵԝхуүАВСЕНІЈКМОРЅТХУ" + "αικνορυχϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
		latin  = "abcdehijklmopqstvwxyyabcehijkmopstxy" + "aikvopuxjabezhikmnoptyx"
	)
	letters, pairs := []rune(latin), map[rune]rune{}
	for i, other := range []rune(others) {
		pairs[other] = letters[i]
	}
	return pairs
})

// MixesAlphabets tells whether a name has Latin letters beside Cyrillic or Greek
// ones, as no word has, and a name that pretends to be another one may.
func MixesAlphabets(name string) bool {
	has := func(alphabet *unicode.RangeTable) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(alphabet, r) })
	}
	return has(unicode.Latin) && (has(unicode.Cyrillic) || has(unicode.Greek))
}
