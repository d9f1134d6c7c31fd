package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// maxDescribed bounds the things that a line names.
const maxDescribed = 3

// describeEntries says in a line what a change did, in names of things and members.
func describeEntries(c registry.Change) string {
	var parts []string
	var order []string
	groups := map[string][]string{}
	for _, e := range c.Entries {
		verb := verbOf(e) + string(e.Entity)
		if _, known := groups[verb]; !known {
			order = append(order, verb)
		}
		groups[verb] = append(groups[verb], describeEntry(e))
	}
	for _, verb := range order {
		things := groups[verb]
		if len(things) > maxDescribed {
			things = []string{counted(len(things), "of them")}
		}
		parts = append(parts, strings.TrimSpace(verb+" "+strings.Join(things, ", ")))
	}
	if c.Omitted > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", c.Omitted))
	}
	return strings.Join(parts, "; ")
}

func verbOf(e registry.Entry) string {
	switch {
	case e.Before == nil:
		return "created "
	case e.After == nil:
		return "removed "
	}
	return "changed "
}

// describeEntry names the thing and, where it was changed, the members.
func describeEntry(e registry.Entry) string {
	name := e.ID
	if e.Entity == registry.SelectionEntity || e.Entity == registry.DocumentEntity { // there is one of each
		name = ""
	}
	if e.Before == nil || e.After == nil {
		return name
	}
	var members []string
	for member := range e.Before {
		members = append(members, member)
	}
	for member := range e.After {
		if _, both := e.Before[member]; !both {
			members = append(members, member)
		}
	}
	slices.Sort(members)
	return strings.TrimSpace(fmt.Sprintf("%s (%s)", name, strings.Join(members, ", ")))
}

// counted is a number of things, in the right number of words.
func counted(n int, thing string) string {
	switch {
	case n == 1 || strings.HasPrefix(thing, "of "):
		return fmt.Sprintf("%d %s", n, thing)
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
