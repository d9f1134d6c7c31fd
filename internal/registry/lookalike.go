package registry

import (
	"context"
	"iter"
	"strings"
	"sync"
	"unicode"

	"github.com/sp-registry/sp/db/queries"
)

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
		ids, err := v.tenantsNamed(ctx, other, maxCandidates)
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
