package configuration

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/follow"
)

// readProfiles reads the profile.yaml of each profile that is the tenant's: the registry says so or, of
// one that it does not know, the file itself does. Such a file came from a colleague.
func (t Tree) readProfiles(theirs []archive.File, w *walk) error {
	others := map[string][]byte{}
	for _, f := range theirs {
		if name, ok := archive.ProfileOf(f.Path); ok {
			others[name] = f.Text
		}
	}
	for _, name := range t.names(others) {
		file := archive.ProfilePath(name)
		text, _, found, err := t.Dir.ReadFile(file)
		if err != nil {
			return err
		}
		other, both := others[name]
		why := t.notOurs(name)
		if why == "" && found {
			why = t.namesAnother(name, text, "here")
		}
		if why == "" && both {
			why = t.namesAnother(name, other, "there")
		}
		switch {
		case why == "" && found:
			w.files = append(w.files, archive.File{Path: file, Text: text})
		case why != "" && (both || t.Profiles[name] == t.Tenant):
			w.leave(file, why)
		}
	}
	return nil
}

// names lists the profiles that may be the tenant's: its own, those that have a directory here and
// that no other tenant has, and theirs.
func (t Tree) names(theirs map[string][]byte) []string {
	all := map[string]bool{}
	for name := range theirs {
		all[name] = true
	}
	for name, tenant := range t.Profiles {
		if tenant == t.Tenant {
			all[name] = true
		}
	}
	entries, _ := os.ReadDir(t.Dir.Full("profiles")) // where there are none, there is nothing of ours
	for _, entry := range entries {
		_, known := t.Profiles[entry.Name()]
		_, named := archive.ProfileOf(archive.ProfilePath(entry.Name()))
		if entry.IsDir() && named && !known {
			all[entry.Name()] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// notOurs says why a profile is not the tenant's, empty if it is or the registry does not know it.
func (t Tree) notOurs(name string) string {
	owner, known := t.Profiles[name]
	switch {
	case known && owner != t.Tenant:
		return fmt.Sprintf("here, profile %s is of tenant %s", name, owner)
	case known:
		return ""
	}
	for other := range t.Profiles {
		if strings.EqualFold(other, name) {
			return fmt.Sprintf("here is profile %s, and only case tells them apart", other)
		}
	}
	return ""
}

// namesAnother says why a text is not the profile.yaml of this tenant: it names another one or, where
// the registry does not know the profile, none.
func (t Tree) namesAnother(name string, text []byte, where string) string {
	named, err := follow.TenantOf(text)
	_, known := t.Profiles[name]
	switch {
	case err != nil:
		return fmt.Sprintf("%s: %v", where, err)
	case named == nil && !known:
		return where + ", it names no tenant"
	case named != nil && *named != t.Tenant:
		return fmt.Sprintf("%s, it names tenant %s", where, *named)
	}
	return ""
}
