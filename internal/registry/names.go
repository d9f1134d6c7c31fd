package registry

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// maxName bounds, in bytes, what sp itself lets be called something.
const maxName = 255

// checkLabel holds the rule for ids and names that sp creates. Control and format
// characters (bidirectional marks, zero width) are refused because a name that
// shows as another one sends a command to the wrong database. What an imported
// file holds is kept as it is.
func checkLabel(what, text string) error {
	if len(text) > maxName {
		return fmt.Errorf("%s: longer than %d bytes: %w", what, maxName, ErrInvalid)
	}
	if pgurl.IsConnection(text) {
		return fmt.Errorf("%s: is a way to a database, and names are shown everywhere: %w", what, ErrInvalid)
	}
	if secret.IsToken(text) {
		return fmt.Errorf("%s: is a token, and names are shown everywhere: %w", what, ErrInvalid)
	}
	return checkText(what, text)
}

// checkText holds the rule for every text that sp creates; a token may be longer than
// a name.
func checkText(what, text string) error {
	bad := func(why string) error { return fmt.Errorf("%s: %s: %w", what, why, ErrInvalid) }
	switch {
	case text == "":
		return bad("empty")
	case !utf8.ValidString(text):
		return bad("not UTF-8")
	case strings.TrimSpace(text) != text:
		return bad("starts or ends with a space")
	case strings.ContainsFunc(text, isUnseen):
		return bad("holds a control or invisible character")
	case hasFlood(text):
		return bad(fmt.Sprintf("holds more than %d combining marks in a row", maxMarks))
	}
	return nil
}

// isUnseen tells whether r shows as nothing, or moves what shows: controls, line
// ends, format characters, and what Unicode lets a font leave out.
func isUnseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// maxMarks is how many combining marks may sit on one letter. Every script in use
// does with fewer; a flood of them covers the lines above and below.
const maxMarks = 4

func hasFlood(text string) bool {
	marks := 0
	for _, r := range text {
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			return true
		}
	}
	return false
}

// checkID holds the rule for a tenant id that sp creates: a label that can also
// be given as an argument.
func checkID(id TenantID) error {
	if strings.HasPrefix(string(id), "-") {
		return fmt.Errorf("tenant id: starts with a dash: %w", ErrInvalid)
	}
	if strings.HasPrefix(string(id), OnlyID) {
		return fmt.Errorf("tenant id: starts with %s, which says that the rest is an id: %w", OnlyID, ErrInvalid)
	}
	return checkLabel("tenant id", string(id))
}

// CheckProfileName tells whether a profile may have that name: it is a directory
// and an argument, so ASCII letters, digits, `-` and `_`, not starting with `-`.
func CheckProfileName(name string) error {
	bad := func(why string) error { return fmt.Errorf("profile name: %s: %w", why, ErrInvalid) }
	switch {
	case name == "":
		return bad("empty")
	case len(name) > maxName:
		return bad(fmt.Sprintf("longer than %d bytes", maxName))
	case name[0] == '-':
		return bad("starts with a dash")
	}
	for _, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '_' {
			return bad("only ASCII letters, digits, - and _ are allowed")
		}
	}
	return nil
}

// maxLookedAt bounds the names that are compared, to some 15 ms.
const maxLookedAt = 10_000

// Lookalikes returns the tenants, a few of them, whose names differ from name but
// look like it: by case, by accents and how they are composed, or by letters of
// another alphabet. It reads names, and so is asked only when one is given; of very
// many it reads the first.
func (v *View) Lookalikes(ctx context.Context, name string) (found []TenantID, err error) {
	look := LikenessOf(name)
	for other, err := range v.tenantNames(ctx) {
		if err != nil {
			return nil, err
		}
		if other == name || LikenessOf(other) != look {
			continue
		}
		ids, err := v.TenantsNamed(ctx, other, maxCandidates)
		found = append(found, ids...)
		if err != nil || len(found) >= maxCandidates {
			return found[:min(len(found), maxCandidates)], err
		}
	}
	return found, nil
}

// tenantNames streams the names of all tenants, each once.
func (v *View) tenantNames(ctx context.Context) iter.Seq2[string, error] {
	after := ""
	return stream(maxLookedAt, func(size int64) ([]string, error) {
		names, err := v.q.TenantNamesAfter(ctx, queries.TenantNamesAfterParams{Name: after, Size: size})
		if len(names) > 0 {
			after = names[len(names)-1]
		}
		return names, err
	})
}

// LikenessOf returns what two names share that look alike, in the manner of Unicode's
// UTS 39, with the letters that people can type instead of its thousands: case,
// combining marks and what is not seen fall away, and each letter is the Latin one
// that it looks like.
func LikenessOf(name string) string {
	letters := likes()
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '2' && r <= '9' || r == '-': // as nearly all are
			return r
		case unicode.Is(unicode.M, r) || isUnseen(r):
			return -1
		case unicode.Is(unicode.Zs, r):
			return ' '
		case unicode.Is(unicode.Pd, r):
			return '-'
		case r >= '！' && r <= '～': // ASCII in full width
			r -= '！' - '!'
		}
		if like, ok := letters[r]; ok { // before the case: В is a B, and its small в is none
			return like
		}
		r = unicode.ToLower(r)
		if like, ok := letters[r]; ok {
			return like
		}
		return r
	}, name)
}

// likes maps a letter to the one that it looks like.
var likes = sync.OnceValue(func() map[rune]rune {
	const (
		letters = "àáâãäåāăąçćĉċčďđðèéêëēĕėęěĝğġģĥħìíîïĩīĭįıĵķĺļľŀłñńņňòóôõöøōŏőŕŗřśŝşšșţťŧțùúûüũūŭůűųŵýÿŷźżžɑɡſ" + // Latin
			"аеорсухѕіјԁһԛԝӏкмтАВЕКМНОРСТУХЅІЈ" + "ёєїйґў" + // Cyrillic
			"αορνικτχυγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + // Greek
			"01|’−"
		latin = "aaaaaaaaacccccdddeeeeeeeeegggghhiiiiiiiiijklllllnnnnooooooooorrrsssssttttuuuuuuuuuuwyyyzzzags" +
			"aeopcyxsijdhqwlkmtabekmhopctyxsij" + "eeiигy" +
			"aopviktxuyabezhikmnoptyx" +
			"oll'-"
	)
	found, to := map[rune]rune{}, []rune(latin)
	for i, r := range []rune(letters) {
		found[r] = to[i]
	}
	return found
})

// MixesAlphabets tells whether a name has Latin letters beside Cyrillic or Greek
// ones, as no word has, and a name that pretends to be another one may.
func MixesAlphabets(name string) bool {
	has := func(alphabet *unicode.RangeTable) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(alphabet, r) })
	}
	return has(unicode.Latin) && (has(unicode.Cyrillic) || has(unicode.Greek))
}
