package resolver_test

import (
	"fmt"
	"path"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// combination is one cell of the space that the rules have to cover.
//
// There is always tenant-a; its profiles are a1 and a2, as far as there are 0, 1
// or 2. They are the profiles in view: when tenant-a is selected, and also when none
// is. What is deleted is tenant-gone, which was selected until then. tenant-b
// and its b1 exist only where the default is of another tenant.
//
// A good flag or session names the last profile of tenant-a, a good variable or
// default the first. Where there are 0 profiles that is a1, which is not there:
// good in form, and missing.
type combination struct {
	flag, variable string // absent, empty, good, unknown, path
	session        string // none, good, broken
	standing       string // none, good, other
	selection      string // selected, not, deleted
	profiles       int    // 0, 1, 2
}

// Values of the dimensions.
var (
	values     = []string{"absent", "empty", "good", "unknown", "path"}
	sessions   = []string{"none", "good", "broken"}
	standings  = []string{"none", "good", "other"}
	selections = []string{"selected", "not", "deleted"}
	counts     = []int{0, 1, 2}
)

// combinations returns all of them.
func combinations() (all []combination) {
	for _, w := range worlds() {
		for _, w.flag = range values {
			for _, w.variable = range values {
				all = append(all, w)
			}
		}
	}
	return all
}

// worlds returns the combinations of all but flag and variable.
func worlds() (all []combination) {
	var c combination
	for _, c.session = range sessions {
		for _, c.standing = range standings {
			for _, c.selection = range selections {
				for _, c.profiles = range counts {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func (c combination) String() string {
	return fmt.Sprintf("flag %s, variable %s, tenant %s, session %s, default %s, %d profiles",
		c.flag, c.variable, c.selection, c.session, c.standing, c.profiles)
}

const (
	tenantA    registry.TenantID = "tenant-a"
	tenantB    registry.TenantID = "tenant-b"
	tenantGone registry.TenantID = "tenant-gone"
)

// first is the first profile of tenant-a.
const first = "a1"

// last is the last profile of tenant-a.
func (c combination) last() string {
	if c.profiles == 2 {
		return "a2"
	}
	return "a1"
}

// request says what the flag and the variable hold.
func (c combination) request() resolver.Request {
	value := func(form, name string) *string {
		switch form {
		case "empty":
			return new("")
		case "good":
			return new(name)
		case "unknown":
			return new("nobody")
		case "path":
			return new("profiles/" + name + "/profile.yaml")
		}
		return nil
	}
	return resolver.Request{Flag: value(c.flag, c.last()), Env: value(c.variable, first), ReadProfile: readProfile}
}

// readProfile reads files that say of every profile that it is tenant-a's.
func readProfile(file string) (string, *registry.TenantID, error) {
	return path.Base(path.Dir(file)), new(tenantA), nil
}

// world builds the combination's world of maps.
func (c combination) world() *world {
	w := &world{
		tenants:  map[registry.TenantID]registry.Tenant{tenantA: localTenant(tenantA)},
		profiles: map[string]registry.TenantID{},
		sessions: map[registry.TenantID]string{},
		deleted:  c.selection == "deleted",
	}
	for _, name := range []string{"a1", "a2"}[:c.profiles] {
		w.profiles[name] = tenantA
	}
	switch c.session {
	case "good":
		w.sessions[tenantA] = c.last()
	case "broken":
		w.sessions[tenantA] = "missing"
	}
	switch c.standing {
	case "good":
		w.standing = new(first)
	case "other":
		w.tenants[tenantB], w.profiles["b1"] = localTenant(tenantB), tenantB
		w.standing = new("b1")
	}
	if c.selection == "selected" {
		w.selected = new(tenantA)
	}
	return w
}

func localTenant(id registry.TenantID) registry.Tenant {
	return registry.NewLocal(id, "name of "+string(id), *secretURL(string(id)))
}
