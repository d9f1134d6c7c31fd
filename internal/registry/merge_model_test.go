package registry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"pgregory.net/rapid"
)

// side is what one program knows: members by name, of tenants by id. What is absent is "".
type side map[string]map[string]string

// modelled are the members that change; x and y are not those of the record, and is says
// whether the tenant is there.
var modelled = []string{
	"name", "app_id", "hostname", "region", "database_url", "internal_database_url", "tenant_type", "external_db_access",
	"sync_token", "shared_container_db", "x", "y",
}

const is = ""

// twoValued are the members of which two programs may choose the same value.
var twoValued = map[string][]string{"tenant_type": {string(Local), string(Cloud)}, "external_db_access": {"false", "true"}}

func isURL(member string) bool { return strings.HasSuffix(member, "database_url") }

// forgets tells whether that a file lacks the member says nothing.
func forgets(member string) bool {
	return slices.Contains([]string{"sync_token", "shared_container_db", "x", "y"}, member)
}

// isSilent tells whether what a file has as the member says nothing: a mask, or the absence
// of what some versions drop.
func isSilent(member, value string) bool {
	return value == "" && forgets(member) || isURL(member) && value == "***"
}

func (s side) clone() side {
	c := side{}
	for id, m := range s {
		c[id] = maps.Clone(m)
	}
	return c
}

func (s side) value(id, member string) string {
	m, there := s[id]
	if member == is && there {
		return "there"
	}
	return m[member]
}

// edit changes one tenant as a program may: it adds, removes or edits it. Each value is
// new, but for those of two-valued members.
func (s side) edit(t *rapid.T, who string, number *int) {
	fresh := func(member string) string {
		*number++
		if values := twoValued[member]; values != nil {
			return rapid.SampledFrom(values).Draw(t, member)
		}
		if member != "name" && rapid.IntRange(0, 3).Draw(t, "without "+member) == 0 {
			return ""
		}
		if isURL(member) && who == "their" && rapid.IntRange(0, 3).Draw(t, "masks "+member) == 0 {
			return "***"
		}
		return fmt.Sprint(*number)
	}
	known := slices.Sorted(maps.Keys(s))
	what := rapid.IntRange(0, 6).Draw(t, who+" edit")
	if len(known) == 0 || what == 0 {
		*number++
		m := map[string]string{}
		for _, name := range modelled {
			m[name] = fresh(name)
		}
		s[fmt.Sprint(who, *number)] = m
		return
	}
	id := rapid.SampledFrom(known).Draw(t, "tenant")
	if what == 1 {
		delete(s, id)
		return
	}
	for range rapid.IntRange(1, 2).Draw(t, "members") {
		name := rapid.SampledFrom(modelled).Draw(t, "member")
		s[id][name] = fresh(name)
	}
}

func (s side) tenants() (all []Tenant) {
	for _, id := range slices.Sorted(maps.Keys(s)) {
		m := s[id]
		text := func(name string) *string {
			if m[name] == "" {
				return nil
			}
			return ptr(m[name])
		}
		url := func(name string) *secret.Secret {
			if m[name] == "" {
				return nil
			}
			return sealed("postgres://u:" + m[name] + "@h/d")
		}
		tenant := Tenant{
			ID: TenantID(id), Name: m["name"] + id, AppID: text("app_id"), Hostname: text("hostname"), Region: text("region"),
			DatabaseURL: url("database_url"), InternalDatabaseURL: url("internal_database_url"), Kind: Kind(m["tenant_type"]),
			ExternalDBAccess: m["external_db_access"] == "true", SyncToken: secret.Optional(text("sync_token")), SharedContainerDB: text("shared_container_db"),
		}
		var unknown []string
		for _, name := range []string{"x", "y"} {
			if m[name] != "" {
				unknown = append(unknown, fmt.Sprintf("%q:%s", name, m[name]))
			}
		}
		tenant.Unknown = NewUnknown(strings.Join(unknown, ","))
		all = append(all, tenant)
	}
	return all
}

// snapshot is a state that stood in the file, with its revision and the time of the file.
type snapshot struct {
	revision int64
	written  time.Time
	state    side
	bySP     map[string]bool // what sp made as it is, by id and member; the rest the others did
	holds    map[int]bool    // the files of other programs that it has taken over
}

// paper is what a program has in its hands: the file as it read it and edited it since, which
// snapshot that was, or the file came from, and which files of other programs it knows.
type paper struct {
	content side
	read    int
	knows   map[int]bool
}

// written is a file as a program wrote it: it stands there, or was kept aside.
type written struct {
	paper
	number int
	at     time.Time
	aside  bool
}

// oracle says what a merge has to come to, for it knows who has read what. It knows nothing of
// the history that sp goes by: it looks at the snapshots as a whole.
type oracle struct {
	shown []snapshot
	past  []snapshot // also what was not shown
	taken []takeover
	ours  side
	file  written
}

// takeover is one thing that a change took over of another program, as it was then.
type takeover struct {
	revision          int64
	id, member, value string
	gone              bool // the tenant went with it
	aside             bool // the file was kept aside
	made              time.Time
}

// known returns which snapshot the other program has read, as far as can be known: what the
// clock says or, if that is later, what the file shows of what it did read.
func (o oracle) known() (known int) {
	known = -1
	for i, s := range o.shown {
		met := o.file.aside && i == len(o.shown)-1 // that took its place, perhaps
		if o.file.at.Sub(s.written) >= 10*time.Minute && !met {
			known = i
		}
	}
	for i := range o.shown[:o.file.read+1] {
		if i > known && o.tellsOf(i) {
			known = i
		}
	}
	return known
}

// tellsOf tells whether the file has something as sp made it in a snapshot, and as it never
// stood there before.
func (o oracle) tellsOf(i int) bool {
	for id := range o.everSeen() {
		for _, member := range append([]string{is}, modelled...) {
			if o.tells(i, id, member) {
				return true
			}
		}
	}
	return false
}

func (o oracle) everSeen() map[string]bool {
	ids := map[string]bool{}
	for _, s := range o.shown {
		for id := range s.state {
			ids[id] = true
		}
	}
	return ids
}

func (o oracle) tells(i int, id, member string) bool {
	value := o.file.content.value(id, member)
	shows := func(s snapshot) bool {
		return s.state.value(id, member) == value && (member == is || s.state[id] != nil)
	}
	if member != is && (o.file.content[id] == nil || isSilent(member, value)) || !o.shown[i].bySP[id+"/"+member] || !shows(o.shown[i]) {
		return false
	}
	return !slices.ContainsFunc(o.shown[:i], shows) && !slices.ContainsFunc(o.taken, func(t takeover) bool {
		return t.revision <= o.shown[i].revision && t.id == id && t.member == member && t.value == value && (member == is || !t.gone)
	})
}

// base is what the other program knew, with is among the members: a snapshot, and all that it
// did itself since. Of a tenant that it did not know of, it may know a member all the same.
func (o oracle) base(known int) side {
	base, revision := side{}, int64(0)
	if known >= 0 {
		base, revision = o.shown[known].state.clone(), o.shown[known].revision
		for _, m := range base {
			m[is] = "there"
		}
	}
	for _, t := range o.taken {
		if t.revision > revision && o.knows(t, revision) {
			if base[t.id] == nil {
				base[t.id] = map[string]string{}
			}
			base[t.id][t.member] = t.value
		}
	}
	return base
}

// knows tells whether the program knew something that was taken over, as far as can be known. What
// came later than a file that was kept aside that did not know. Who shows what was there
// before something that was kept aside, may have written without it.
func (o oracle) knows(t takeover, since int64) bool {
	shows := o.file.content.value(t.id, t.member)
	if !t.aside {
		return !o.file.aside || !t.made.After(o.file.at)
	}
	if t.member != is && o.file.content[t.id] == nil {
		return true
	}
	for i, s := range o.past {
		over := i+1 < len(o.past) && o.past[i+1].revision <= since
		if !over && s.revision < t.revision && s.state.value(t.id, t.member) == shows && (t.member == is || s.state[t.id] != nil) {
			return false
		}
	}
	return true
}

// merged says what comes of it, and what somebody has to settle.
func (o oracle) merged(settle Side) (merged side, conflicts []Conflict) {
	known := o.known()
	if settle == Theirs && !o.file.aside {
		known = len(o.shown) - 1
	}
	base := o.base(known)
	merged = side{}
	ids := o.everSeen()
	for id := range o.ours {
		ids[id] = true
	}
	for id := range o.file.content {
		ids[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		ours, theirs, was := o.ours[id], o.file.content[id], base[id]
		c := Conflict{ID: TenantID(id)}
		switch {
		case ours != nil && theirs != nil:
			merged[id], c.Members = mergedMembers(was, ours, theirs, settle)
		case ours != nil && was[is] == "":
			merged[id] = ours
		case ours != nil && differ(was, ours, func(string) bool { return true }):
			c.Deleted = Theirs
			if settle == Ours {
				merged[id] = ours
			}
		case theirs != nil && was[is] == "":
			merged[id] = theirs
		case theirs != nil && differ(was, theirs, func(name string) bool { return !isSilent(name, theirs[name]) }):
			c.Deleted = Ours
			if settle == Theirs {
				merged[id] = theirs
			}
		}
		if len(c.Members) > 0 || c.Deleted != Nobody {
			conflicts = append(conflicts, c)
		}
	}
	return merged, conflicts
}

func differ(a, b map[string]string, counts func(string) bool) bool {
	return slices.ContainsFunc(modelled, func(name string) bool { return counts(name) && a[name] != b[name] })
}

func mergedMembers(was, ours, theirs map[string]string, settle Side) (merged map[string]string, conflicts []string) {
	merged = maps.Clone(ours)
	for _, name := range modelled {
		o, t, w := ours[name], theirs[name], was[name]
		switch {
		case t == "" && forgets(name), isURL(name) && t == "***" && o != "" && o != "***", o == t, t == w:
		case o == w:
			merged[name] = t
		default:
			conflicts = append(conflicts, name)
			if settle == Theirs {
				merged[name] = t
			}
		}
	}
	return merged, conflicts
}
