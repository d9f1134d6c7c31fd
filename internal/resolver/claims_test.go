package resolver_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// claim is what one fact of a world says about the outcome.
type claim struct {
	strength int
	holds    bool
	verdict  func() string
}

// specified states the rules a third time: as facts that claim the outcome, the
// strongest of those that hold. It reads the maps, not the Reader.
func specified(w *world, req resolver.Request) string {
	given := func(value *string) string {
		if value == nil {
			return ""
		}
		return *value
	}
	session, hasSession := "", false
	own := maps.Clone(w.profiles)
	if w.selected != nil {
		session, hasSession = w.sessions[*w.selected]
		maps.DeleteFunc(own, func(_ string, t registry.TenantID) bool { return t != *w.selected })
	}
	only := slices.Collect(maps.Keys(own))
	owner := func(name string) registry.TenantID { return w.profiles[name] }
	foreign := w.standing != nil && w.selected != nil && owner(*w.standing) != "" && owner(*w.standing) != *w.selected
	claims := []claim{
		{9, req.Tenant != nil, func() string { return w.verdict(req, "tenant", "-", *req.Tenant) }},
		{8, req.Flag != nil && *req.Flag == "", func() string { return "usage --profile" }},
		{7, given(req.Flag) != "", func() string { return w.named(req, "flag", *req.Flag) }},
		{6, given(req.Env) != "", func() string { return w.named(req, "environment", *req.Env) }},
		{5, w.deleted, func() string { return "no_tenant" }},
		{4, hasSession && owner(session) != *w.selected, func() string { return "no_profile the session" }},
		{3, hasSession, func() string { return w.verdict(req, "session", session, *w.selected) }},
		{2, w.standing != nil && !foreign, func() string { return w.verdict(req, "default", *w.standing, owner(*w.standing)) }},
		{1, len(only) == 1, func() string { return w.verdict(req, "default", only[0], owner(only[0])) }},
		{0, w.selected != nil, func() string { return "no_profile" }},
		{-1, true, func() string { return "no_tenant" }},
	}
	held := slices.DeleteFunc(claims, func(c claim) bool { return !c.holds })
	return slices.MaxFunc(held, func(a, b claim) int { return cmp.Compare(a.strength, b.strength) }).verdict()
}

// named is the verdict on a flag's or variable's value.
func (w *world) named(req resolver.Request, source, value string) string {
	name, tenant, _ := readDrawn(value)
	if owner, ok := w.profiles[name]; ok && tenant != nil && *tenant != owner {
		return "conflict " + places[source]
	}
	return w.verdict(req, source, name, w.profiles[name])
}

var places = map[string]string{
	"flag": "--profile", "environment": "SYSTEMPROMPT_PROFILE", "session": "the session", "default": "the default",
}

// verdict is the outcome when a source names that profile of that tenant.
func (w *world) verdict(req resolver.Request, source, name string, owner registry.TenantID) string {
	tenant, ok := w.tenants[owner]
	url := tenant.DatabaseURL
	if tenant.Kind == registry.Cloud && req.Network != resolver.ExternalNetwork {
		url = tenant.InternalDatabaseURL
	}
	switch {
	case !ok && source == "tenant":
		return "not_found --tenant"
	case !ok && (source == "flag" || source == "environment"):
		return "not_found " + places[source]
	case !ok:
		return "no_profile " + places[source]
	case req.Network == resolver.ExternalNetwork && tenant.Kind == registry.Local:
		return "usage --network"
	case req.Network == resolver.ExternalNetwork && !tenant.ExternalDBAccess:
		return "no_url"
	case url == nil || !url.Equal(*secretURL("h")):
		return "no_url"
	}
	return fmt.Sprintf("%s %s of %s", source, name, owner)
}
