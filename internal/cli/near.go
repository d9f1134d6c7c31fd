package cli

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many names are offered.
const maxNear = 3

// Near returns the names that a mistyped word may mean, the nearest first: those that begin with it
// or differ from it in few letters.
func Near(word string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, name := range slices.Compact(names) {
		d := distance(strings.ToLower(word), strings.ToLower(name))
		if d <= max(1, (len(word)+1)/3) || len(word) > 1 && strings.HasPrefix(strings.ToLower(name), strings.ToLower(word)) {
			found = append(found, candidate{name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var near []string
	for _, c := range found[:min(len(found), maxNear)] {
		near = append(near, c.name)
	}
	return near
}

// DidYouMean adds to an error the names that a word may have been meant for; the command that lists
// them, where none is near.
func DidYouMean(err error, word string, names []string, list Next) error {
	near := Near(word, names)
	if len(near) == 0 {
		return Hint(err, "%s shows which there are", list)
	}
	quoted := make([]string, len(near))
	for i, name := range near {
		quoted[i] = Quoted(name)
	}
	return WithCandidates(Hint(err, "did you mean %s?", strings.Join(quoted, " or ")), near...)
}

// distance is how many letters have to be put in, taken away or replaced to make b of a.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		before := row[0]
		row[0] = i + 1
		for j, s := range to {
			replaced := before
			if r != s {
				replaced++
			}
			before = row[j+1]
			row[j+1] = min(replaced, before+1, row[j]+1)
		}
	}
	return row[len(to)]
}
