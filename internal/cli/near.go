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

// distance is how many letters have to be put in, taken away, replaced or swapped with the next to
// make b of a.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	rows := make([][]int, len(from)+1) // of the beginnings of a, by those of b
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			replaced := rows[i-1][j-1]
			if from[i-1] != to[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(from)][len(to)]
}
