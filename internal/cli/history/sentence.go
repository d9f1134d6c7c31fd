package history

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
)

// sentence is a change as people get it at a terminal: what it means, in the names of the things.
func (s sayer) sentence(c registry.Change) []string {
	did := s.words(c)
	switch {
	case c.Undoes != nil:
		did = fmt.Sprintf("undid change %d: %s", *c.Undoes, did)
	case c.Restored != nil:
		did = fmt.Sprintf("restored a backup of change %d", *c.Restored)
	case c.Purged:
		did = "forgot what undo and copies could bring back"
	}
	when := c.MadeAt.UTC().Format("2006-01-02 15:04Z")
	command := ""
	if s.command > 0 {
		command = cli.Cut(cli.Printable(strings.TrimPrefix(c.Command, "sp ")), s.command) // the sentence tells more
	}
	return []string{fmt.Sprint(c.Sequence), when, cli.Age(s.now.Sub(c.MadeAt)), command, did}
}

func (s sayer) words(c registry.Change) string {
	if said := withoutUses(c.Entries); len(said) > 0 {
		c.Entries = said
	}
	return grouped(c, func(e registry.Entry) (verb, noun, thing string) {
		switch e.Entity {
		case registry.TenantEntity:
			if member(e.Before, "name") != "" && member(e.After, "name") != "" {
				return "renamed", "tenant", s.tenant(e)
			}
			return verbOf(e), "tenant", s.tenant(e)
		case registry.ProfileEntity:
			verb, thing = s.profile(e)
			return verb, "profile", thing
		case registry.SessionEntity:
			verb, thing = s.session(e)
			return verb, "", thing
		case registry.SelectionEntity:
			return s.selection(e), "", ""
		}
		return "set", "", strings.Join(membersOf(e), ", ")
	}, tellThings)
}

// withoutUses are the entries but for those that say only when a session was used.
func withoutUses(entries []registry.Entry) []registry.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e registry.Entry) bool {
		isUse := e.Entity == registry.SessionEntity && e.Before != nil && e.After != nil
		for _, name := range membersOf(e) {
			isUse = isUse && slices.Contains([]string{"chosen_at", "used_at"}, name)
		}
		return isUse
	})
}

// tellThings names a few things, and counts many.
func tellThings(verb, noun string, things []string) string {
	switch {
	case noun != "" && len(things) > maxDescribed:
		return verb + " " + cli.Counted(len(things), noun)
	case len(things) > maxDescribed:
		things = []string{cli.Counted(len(things), "of them")}
	case noun != "" && len(things) > 1:
		noun += "s"
	}
	parts := []string{verb, noun, strings.Join(things, ", ")}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

// tenant names a tenant and, where it was changed, the members.
func (s sayer) tenant(e registry.Entry) string {
	switch before, after := member(e.Before, "name"), member(e.After, "name"); {
	case e.Before == nil:
		return named(after, e.ID)
	case e.After == nil:
		return named(before, e.ID)
	case before != "" && after != "":
		return fmt.Sprintf("%s to %s%s", before, after, besides(e, "name"))
	}
	return s.id(e.ID) + besides(e)
}

func (s sayer) profile(e registry.Entry) (verb, thing string) {
	before, after := member(e.Before, "tenant_id"), member(e.After, "tenant_id")
	switch {
	case e.Before == nil:
		return "created", fmt.Sprintf("%s of %s", e.ID, s.id(after))
	case e.After == nil:
		return "removed", fmt.Sprintf("%s of %s", e.ID, s.id(before))
	case after != "":
		return "linked", fmt.Sprintf("%s to %s instead of %s%s", e.ID, s.id(after), s.id(before), besides(e, "tenant_id"))
	}
	return "changed", e.ID + besides(e)
}

// session tells of a session by what it means: which profile was chosen, and who logged in.
func (s sayer) session(e registry.Entry) (verb, thing string) {
	tenant := s.name(registry.TenantID(e.ID))
	before, after := member(e.Before, "profile"), member(e.After, "profile")
	_, had := e.Before["token"]
	_, has := e.After["token"]
	switch {
	case e.After == nil:
		return "ended", "the session of " + tenant
	case has:
		return "logged in", "to " + tenant
	case had:
		return "logged out", "of " + tenant
	case before != "":
		return "chose", fmt.Sprintf("profile %s for %s instead of %s", after, tenant, before)
	case after != "":
		return "chose", fmt.Sprintf("profile %s for %s", after, tenant)
	}
	return "used", "the session of " + tenant
}

func (s sayer) selection(e registry.Entry) string {
	var did []string
	did = appendMove(did, e, "tenant_id", func(id string) string {
		if id == "" {
			return "selected no tenant"
		}
		return "selected " + s.id(id)
	}, s.id)
	did = appendMove(did, e, "default_profile", func(name string) string {
		if name == "" {
			return "made no profile the default"
		}
		return "made " + name + " the default profile"
	}, func(name string) string { return name })
	if did == nil {
		return "changed the selection"
	}
	return strings.Join(did, "; ")
}

// appendMove says what was done to a member, if anything was, and what it was before, if it was something.
func appendMove(did []string, e registry.Entry, name string, done, shown func(string) string) []string {
	switch before, after := member(e.Before, name), member(e.After, name); {
	case before == after:
		return did
	case before == "":
		return append(did, done(after))
	default:
		return append(did, done(after)+" instead of "+shown(before))
	}
}

// besides names, in brackets, the members that were changed, but for some.
func besides(e registry.Entry, but ...string) string {
	members := slices.DeleteFunc(membersOf(e), func(name string) bool { return slices.Contains(but, name) })
	if len(members) == 0 {
		return ""
	}
	if len(members) > maxDescribed {
		members = append(members[:maxDescribed], fmt.Sprintf("%d more", len(members)-maxDescribed))
	}
	return " (" + strings.Join(members, ", ") + ")"
}

func (s sayer) id(id string) string { return s.name(registry.TenantID(id)) }

// name is what a tenant is called, its id where that is not known.
func (s sayer) name(id registry.TenantID) string {
	if ref := s.names(id); ref.Name != nil {
		return *ref.Name
	}
	return string(id)
}

func named(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// member is a text of an image; "" where there is none.
func member(image map[string]json.RawMessage, name string) (text string) {
	_ = json.Unmarshal(image[name], &text) // what is no text has nothing to say
	return text
}
