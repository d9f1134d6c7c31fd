package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
	"pgregory.net/rapid"
)

// side is what one program knows: members by name, of tenants by id.
type side map[string]map[string]string

var merged = []string{
	"name", "app_id", "hostname", "region", "database_url", "internal_database_url", "tenant_type", "external_db_access",
	"sync_token", "shared_container_db", "x", "y",
}

// sideValues are the values of the members that are never absent; the others have "" for that.
var sideValues = map[string][]string{
	"name": {"1", "2"}, "tenant_type": {string(Local), string(Cloud)}, "external_db_access": {"false", "true"},
}

func isURL(member string) bool { return strings.HasSuffix(member, "database_url") }

// forgets tells whether that a file lacks the member says nothing.
func forgets(member string) bool { return member == "sync_token" || member == "shared_container_db" }

// drawSide changes some tenants, and of these the contested member for certain.
func drawSide(t *rapid.T, label, contested string, base side) side {
	drawn := side{}
	for _, id := range []string{"a", "b", "c"} {
		known, there := base[id]
		if base != nil && rapid.Bool().Draw(t, label+" keeps "+id) {
			if there {
				drawn[id] = known
			}
			continue
		}
		if rapid.IntRange(0, 4).Draw(t, label+" has "+id) == 0 {
			continue
		}
		members := map[string]string{}
		for _, name := range merged {
			value := known[name]
			if !there || name == contested || rapid.IntRange(0, 3).Draw(t, "changes "+name) == 0 {
				values := sideValues[name]
				if values == nil {
					values = []string{"", "1", "2"}
				}
				if isURL(name) && label == "theirs" { // a mask comes from elsewhere
					values = append(values, "***")
				}
				value = rapid.SampledFrom(values).Draw(t, name)
			}
			members[name] = value
		}
		drawn[id] = members
	}
	return drawn
}

func (s side) tenants() (all []Tenant) {
	for _, id := range []string{"a", "b", "c"} {
		m, there := s[id]
		if !there {
			continue
		}
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
		tenant.Unknown = NewMembers(strings.Join(unknown, ","))
		all = append(all, tenant)
	}
	return all
}

// merged says what comes of changes of both sides, and what somebody has to settle of
// them. What is as it was in older is no change of theirs.
func (s side) merged(older, ours, theirs side) (merged side, conflicts []Conflict) {
	merged = side{}
	for _, id := range []string{"a", "b", "c"} {
		base, was := s[id]
		past, had := older[id]
		o, here := ours[id]
		t, there := theirs[id]
		c := Conflict{ID: TenantID(id)}
		switch {
		case here && there:
			merged[id], c.Members = mergedMembers(base, past, o, t)
		case here && (!was || !had):
			merged[id] = o
		case here && !sameMembers(base, o):
			c.Deleted = Theirs
		case there && !was && !had:
			merged[id] = t
		case there && !was && theyChanged(past, past, t), there && was && theyChanged(base, past, t):
			c.Deleted = Ours
		}
		if c.Members != nil || c.Deleted != Nobody {
			conflicts = append(conflicts, c)
		}
	}
	return merged, conflicts
}

func mergedMembers(base, past, o, t map[string]string) (m map[string]string, conflicts []string) {
	m = map[string]string{}
	for _, name := range merged {
		switch {
		case name == "x" || name == "y":
			m[name] = o[name]
			if t[name] != "" && blobOf(t) != blobOf(base) && (past == nil || blobOf(t) != blobOf(past)) {
				m[name] = t[name]
				if o[name] != "" && o[name] != t[name] && blobOf(o) != blobOf(base) && !slices.Contains(conflicts, unknownMembers) {
					conflicts = append(conflicts, unknownMembers)
				}
			}
		case t[name] == "" && forgets(name), isURL(name) && t[name] == "***" && o[name] != "" && o[name] != "***",
			o[name] == t[name], t[name] == base[name], past != nil && t[name] == past[name]:
			m[name] = o[name]
		case o[name] == base[name]:
			m[name] = t[name]
		default:
			conflicts = append(conflicts, name)
		}
	}
	return m, conflicts
}

// blobOf is what of the unknown members can be compared: all at once.
func blobOf(m map[string]string) string { return m["x"] + "," + m["y"] }

func sameMembers(a, b map[string]string) bool {
	return !slices.ContainsFunc(merged, func(name string) bool { return a[name] != b[name] })
}

func theyChanged(base, past, t map[string]string) bool {
	return slices.ContainsFunc(merged, func(name string) bool {
		switch {
		case name == "x" || name == "y":
			return blobOf(t) != "," && blobOf(t) != blobOf(base) && (past == nil || blobOf(t) != blobOf(past))
		case t[name] == "" && forgets(name), isURL(name) && t[name] == "***":
			return false
		}
		return t[name] != base[name] && (past == nil || t[name] != past[name])
	})
}
