package registry

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// side is what one program knows: members by name, of tenants by id.
type side map[string]map[string]string

var bridged = []string{"name", "region", "hostname", "database_url", "sync_token", "shared_container_db", "x", "y"}

func drawSide(t *rapid.T, label string, base side) side {
	drawn := side{}
	for _, id := range []string{"a", "b", "c"} {
		known, there := base[id]
		if base != nil && rapid.IntRange(0, 3).Draw(t, label+" keeps "+id) > 0 {
			if there {
				drawn[id] = known
			}
			continue
		}
		if rapid.IntRange(0, 4).Draw(t, label+" has "+id) == 0 {
			continue
		}
		members := map[string]string{}
		for _, name := range bridged {
			value := known[name]
			if base == nil || rapid.IntRange(0, 3).Draw(t, "changes "+name) == 0 {
				value = rapid.SampledFrom([]string{"", "1", "2", "***"}).Draw(t, name)
			}
			if value == "***" && (name != "database_url" || label != "theirs") || value == "" && name == "name" {
				value = "1" // a mask comes from elsewhere
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
		tenant := Tenant{
			ID: TenantID(id), Name: m["name"] + id, Kind: Local, Region: text("region"), Hostname: text("hostname"),
			SyncToken: secretOf(text("sync_token")), SharedContainerDB: text("shared_container_db"),
		}
		if url := text("database_url"); url != nil {
			tenant.DatabaseURL = secret("postgres://u:" + *url + "@h/d")
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

// merged says what comes of changes of both sides, and whether somebody has to settle
// them. What is as it was in older is no change of theirs.
func (s side) merged(older, ours, theirs side) (merged side, conflict bool) {
	merged = side{}
	for _, id := range []string{"a", "b", "c"} {
		base, was := s[id]
		past, had := older[id]
		o, here := ours[id]
		t, there := theirs[id]
		switch {
		case here && there:
			m, c := mergedMembers(base, past, o, t)
			merged[id], conflict = m, conflict || c
		case here && (!was || !had):
			merged[id] = o
		case here:
			conflict = conflict || !sameMembers(base, o)
		case there && !was && !had:
			merged[id] = t
		case there && !was:
			conflict = conflict || theyChanged(past, past, t)
		case there:
			conflict = conflict || theyChanged(base, past, t)
		}
	}
	return merged, conflict
}

func mergedMembers(base, past, o, t map[string]string) (m map[string]string, conflict bool) {
	m = map[string]string{}
	for _, name := range bridged {
		switch {
		case name == "x" || name == "y":
			m[name] = o[name]
			if t[name] != "" && blobOf(t) != blobOf(base) && (past == nil || blobOf(t) != blobOf(past)) {
				m[name] = t[name]
				conflict = conflict || o[name] != "" && o[name] != t[name] && blobOf(o) != blobOf(base)
			}
		case t[name] == "" && (name == "sync_token" || name == "shared_container_db"),
			name == "database_url" && t[name] == "***" && o[name] != "" && o[name] != "***",
			o[name] == t[name], t[name] == base[name], past != nil && t[name] == past[name]:
			m[name] = o[name]
		case o[name] == base[name]:
			m[name] = t[name]
		default:
			conflict = true
		}
	}
	return m, conflict
}

// blobOf is what of the unknown members can be compared: all at once.
func blobOf(m map[string]string) string { return m["x"] + "," + m["y"] }

func sameMembers(a, b map[string]string) bool {
	return !slices.ContainsFunc(bridged, func(name string) bool { return a[name] != b[name] })
}

func theyChanged(base, past, t map[string]string) bool {
	return slices.ContainsFunc(bridged, func(name string) bool {
		switch {
		case name == "x" || name == "y":
			return blobOf(t) != "," && blobOf(t) != blobOf(base) && (past == nil || blobOf(t) != blobOf(past))
		case t[name] == "" && (name == "sync_token" || name == "shared_container_db"), name == "database_url" && t[name] == "***":
			return false
		}
		return t[name] != base[name] && (past == nil || t[name] != past[name])
	})
}
