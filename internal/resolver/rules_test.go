package resolver_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rules states section 2 "Resolution" of the design once more, as a decision
// table: every combination fits exactly one line. `any` fits everything, a|b
// fits a and b. What follows `=>` is the outcome as outcome writes it. (C4: flag,
// variable, session, in this order.)
const rules = `
flag       variable      tenant    session  default     profiles

empty      any           any       any      any         any  => usage --profile
unknown    any           any       any      any         any  => not_found --profile
good|path  any           any       any      any         0    => not_found --profile
good|path  any           any       any      any         1    => flag a1 of tenant-a
good|path  any           any       any      any         2    => flag a2 of tenant-a

absent     unknown       any       any      any         any  => not_found SYSTEMPROMPT_PROFILE
absent     good|path     any       any      any         0    => not_found SYSTEMPROMPT_PROFILE
absent     good|path     any       any      any         1|2  => environment a1 of tenant-a

absent     absent|empty  selected  broken   any         any  => no_profile the session
absent     absent|empty  selected  good     any         0    => no_profile the session
absent     absent|empty  selected  good     any         1    => session a1 of tenant-a
absent     absent|empty  selected  good     any         2    => session a2 of tenant-a

absent     absent|empty  selected  none     good        0    => no_profile the default
absent     absent|empty  selected  none     good        1|2  => default a1 of tenant-a
absent     absent|empty  selected  none     none|other  0    => no_profile
absent     absent|empty  selected  none     none|other  1    => default a1 of tenant-a
absent     absent|empty  selected  none     none|other  2    => no_profile

absent     absent|empty  not       any      good        0    => no_profile the default
absent     absent|empty  not       any      good        1|2  => default a1 of tenant-a
absent     absent|empty  not       any      other       any  => default b1 of tenant-b
absent     absent|empty  not       any      none        0    => no_tenant
absent     absent|empty  not       any      none        1    => default a1 of tenant-a
absent     absent|empty  not       any      none        2    => no_tenant

absent     absent|empty  deleted   any      any         any  => no_tenant
`

type rule struct {
	fits    []string
	outcome string
}

func parseRules() (table []rule) {
	for line := range strings.Lines(rules) {
		if cells, outcome, ok := strings.Cut(line, "=>"); ok {
			table = append(table, rule{strings.Fields(cells), strings.TrimSpace(outcome)})
		}
	}
	return table
}

// ruled returns what the decision table says; a combination that fits no line
// or two is a fault of the table.
func ruled(t require.TestingT, table []rule, c combination) string {
	cells := []string{c.flag, c.variable, c.selection, c.session, c.standing, strconv.Itoa(c.profiles)}
	var outcomes []string
	for _, r := range table {
		fits := true
		for i, cell := range cells {
			fits = fits && (r.fits[i] == "any" || slices.Contains(strings.Split(r.fits[i], "|"), cell))
		}
		if fits {
			outcomes = append(outcomes, r.outcome)
		}
	}
	require.Len(t, outcomes, 1, "%s fits one line", c)
	return outcomes[0]
}

func TestEveryCombinationObeysTheRules(t *testing.T) {
	table := parseRules()
	require.Len(t, table, 24)
	all := combinations()
	require.Len(t, all, 5*5*3*3*3*3)
	seen := map[string]int{}
	for _, c := range all {
		want := ruled(t, table, c)
		require.Equal(t, want, resolve(t, c.world(), c.request()), "%s", c)
		seen[want]++
	}
	require.Equal(t, map[string]int{
		"usage --profile":                405, // 5 × 81 worlds
		"not_found --profile":            675, // 5 × 81 unknown, 2 × 5 × 27 good or path without a profile
		"flag a1 of tenant-a":            270,
		"flag a2 of tenant-a":            270,
		"not_found SYSTEMPROMPT_PROFILE": 135,
		"environment a1 of tenant-a":     108,
		"no_profile the session":         24,
		"session a1 of tenant-a":         6,
		"session a2 of tenant-a":         6,
		"no_profile the default":         8,
		"default a1 of tenant-a":         26,
		"default b1 of tenant-b":         18,
		"no_profile":                     8,
		"no_tenant":                      66,
	}, seen)
}
