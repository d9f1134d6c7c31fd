package history

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
)

// maxDescribed bounds the things that a line names.
const maxDescribed = 3

// cells are a change as a pipe gets it.
func cells(c registry.Change) []string {
	did := describeEntries(c)
	switch {
	case c.Undoes != nil:
		did = fmt.Sprintf("undid %d: %s", *c.Undoes, did)
	case c.Restored != nil:
		did = fmt.Sprintf("restored a backup of change %d", *c.Restored)
	case c.Purged:
		did = "purged what could be brought back"
	}
	return []string{fmt.Sprint(c.Sequence), registry.FormatTime(c.MadeAt.Truncate(time.Second)), c.Command, did}
}

// describeEntries says in a line what a change did, in names of things and members.
func describeEntries(c registry.Change) string {
	return grouped(c, func(e registry.Entry) (verb, noun, thing string) {
		return verbOf(e), string(e.Entity), describeEntry(e)
	}, func(verb, noun string, things []string) string {
		if len(things) > maxDescribed {
			things = []string{cli.Counted(len(things), "of them")}
		}
		return strings.TrimSpace(verb + " " + noun + " " + strings.Join(things, ", "))
	})
}

// done is what was done to things of a kind.
type done struct{ verb, noun string }

// grouped puts together what was done alike, in the order in which it was done.
func grouped(c registry.Change, describe func(registry.Entry) (verb, noun, thing string), tell func(verb, noun string, things []string) string) string {
	var order []done
	groups := map[done][]string{}
	for _, e := range c.Entries {
		verb, noun, thing := describe(e)
		what := done{verb, noun}
		if _, known := groups[what]; !known {
			order = append(order, what)
		}
		groups[what] = append(groups[what], thing)
	}
	var parts []string
	for _, what := range order {
		parts = append(parts, tell(what.verb, what.noun, groups[what]))
	}
	if c.Omitted > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", c.Omitted))
	}
	return strings.Join(parts, "; ")
}

func verbOf(e registry.Entry) string {
	switch {
	case e.Before == nil:
		return "created"
	case e.After == nil:
		return "removed"
	}
	return "changed"
}

// describeEntry names the thing and, where it was changed, the members.
func describeEntry(e registry.Entry) string {
	name := e.ID
	if e.Entity == registry.SelectionEntity || e.Entity == "document" {
		name = ""
	}
	if e.Before == nil || e.After == nil {
		return name
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%s)", name, strings.Join(membersOf(e), ", ")))
}

// membersOf names the members that were changed.
func membersOf(e registry.Entry) (members []string) {
	for member := range e.Before {
		members = append(members, member)
	}
	for member := range e.After {
		if _, both := e.Before[member]; !both {
			members = append(members, member)
		}
	}
	slices.Sort(members)
	return members
}
