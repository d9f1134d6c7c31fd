package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// machine is a registry and its model, to which the same things are done.
type machine struct {
	*model
	d *desk
	t *rapid.T
}

var (
	someIDs      = rapid.SampledFrom([]string{"a", "b", "c", "d"})
	someNames    = rapid.SampledFrom([]string{"one", "two", "three", "four"})
	someProfiles = rapid.SampledFrom([]string{"p", "q", "r", "P", "Q"})
	someURLs     = rapid.SampledFrom([]string{"postgres://u:1@h/d", "postgres://u:2@h/d", "postgres://u:3@h/d", modelMask, ""})
	someTexts    = rapid.SampledFrom([]string{"", "1", "2"})
)

func (m *machine) id(label string) TenantID { return TenantID(someIDs.Draw(m.t, label)) }

func (m *machine) tenant() modelTenant {
	t := modelTenant{
		id: someIDs.Draw(m.t, "id"), name: someNames.Draw(m.t, "name"),
		kind: rapid.SampledFrom([]Kind{Local, Cloud}).Draw(m.t, "kind"), access: rapid.Bool().Draw(m.t, "access"), members: map[string]string{},
	}
	for _, name := range []string{"app_id", "region", "database_url", "internal_database_url", "sync_token", "shared_container_db"} {
		values := someTexts
		if name == "database_url" || name == "internal_database_url" {
			values = someURLs
		}
		if rapid.Bool().Draw(m.t, "with "+name) {
			t.members[name] = values.Draw(m.t, name)
		}
	}
	for _, name := range rapid.SampledFrom([][]string{nil, {"x"}, {"y", "x"}, {"x", "y"}}).Draw(m.t, "unknown") {
		t.unknown = append(t.unknown, fmt.Sprintf("%q:%d", name, rapid.IntRange(1, 2).Draw(m.t, "value")))
	}
	return t
}

func (m *machine) modelFile() modelFile {
	f := modelFile{
		synced: noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(m.t, "synced")) * time.Hour),
		prune:  rapid.IntRange(0, 3).Draw(m.t, "prune") == 0, exact: rapid.Bool().Draw(m.t, "exact"), first: rapid.Bool().Draw(m.t, "first"),
	}
	if rapid.IntRange(0, 3).Draw(m.t, "if revision") == 0 {
		revision := max(m.revision-int64(rapid.IntRange(0, 1).Draw(m.t, "behind")), 0)
		f.revision = &revision
	}
	for range rapid.IntRange(0, 4).Draw(m.t, "size") {
		f.tenants = append(f.tenants, m.tenant())
	}
	return f
}

func (m *machine) load(dry bool) (want, got error) {
	f := m.modelFile()
	f.dry = dry
	i := fileOf(Document{SyncedAt: f.synced})
	i.Read = func(take func(Tenant) error) (Document, error) {
		for _, t := range f.tenants {
			if err := take(t.tenant()); err != nil {
				return Document{}, err
			}
		}
		return Document{SyncedAt: f.synced}, nil
	}
	i.Prune, i.Exact, i.FirstDuplicate, i.IfRevision = f.prune, f.exact, f.first, f.revision
	if _, got = m.d.tryImport(m.t.Context(), i); !dry {
		_, got = m.d.ImportTenants(m.t.Context(), i)
	}
	return m.model.load(f), got
}

// operations do one thing to the model and to the registry, and return what
// either says of it.
var operations = map[string]func(m *machine) (want, got error){
	"create tenant": func(m *machine) (want, got error) {
		t, twin := m.tenant(), rapid.Bool().Draw(m.t, "twin")
		_, got = m.d.CreateTenant(m.t.Context(), NewTenant{Tenant: t.tenant(), AllowDuplicateName: twin})
		return m.create(t, twin), got
	},
	"rename tenant": func(m *machine) (want, got error) {
		id, name, twin := m.id("id"), someNames.Draw(m.t, "name"), rapid.Bool().Draw(m.t, "twin")
		_, _, got = m.d.UpdateTenant(m.t.Context(), TenantEdit{ID: id, Set: values{"name": sealed(name)}, AllowDuplicateName: twin})
		return m.rename(id, name, twin), got
	},
	"delete tenant": func(m *machine) (want, got error) {
		id := m.id("id")
		_, got = m.d.DeleteTenant(m.t.Context(), Deletion{ID: id})
		return m.delete(id), got
	},
	"import":  func(m *machine) (want, got error) { return m.load(false) },
	"dry run": func(m *machine) (want, got error) { return m.load(true) },
	"create profile": func(m *machine) (want, got error) {
		name, id := someProfiles.Draw(m.t, "name"), rapid.Ptr(someIDs, true).Draw(m.t, "tenant")
		_, got = m.d.CreateProfile(m.t.Context(), NewProfile{Name: name, Tenant: (*TenantID)(id)})
		return m.addProfile(name, (*TenantID)(id)), got
	},
	"update profile": func(m *machine) (want, got error) {
		e := ProfileEdit{Name: someProfiles.Draw(m.t, "name"), NewName: rapid.Ptr(someProfiles, true).Draw(m.t, "new name")}
		e.Tenant = (*TenantID)(rapid.Ptr(someIDs, true).Draw(m.t, "tenant"))
		_, got = m.d.UpdateProfile(m.t.Context(), e)
		return m.editProfile(e), got
	},
	"delete profile": func(m *machine) (want, got error) {
		name := someProfiles.Draw(m.t, "name")
		_, got = m.d.DeleteProfile(m.t.Context(), name, false)
		return m.dropProfile(name), got
	},
	"select tenant": func(m *machine) (want, got error) {
		id := m.id("id")
		_, got = m.d.SelectTenant(m.t.Context(), id)
		if want = m.choose(id); want == nil {
			m.changed(false)
		}
		return want, got
	},
	"select previous": func(m *machine) (want, got error) {
		_, got = m.d.SelectPrevious(m.t.Context())
		if m.previous == "" {
			return ErrNoTenant, got
		}
		m.changed(false)
		return m.choose(m.previous), got
	},
	"use profile": func(m *machine) (want, got error) {
		name := someProfiles.Draw(m.t, "name")
		_, got = m.d.UseProfile(m.t.Context(), name)
		return m.use(name, m.d.now), got
	},
	"set default": func(m *machine) (want, got error) {
		name := rapid.Ptr(someProfiles, true).Draw(m.t, "name")
		got = m.d.SetDefaultProfile(m.t.Context(), name)
		return m.setDefault(name), got
	},
	"end session": func(m *machine) (want, got error) {
		id := m.id("id")
		_, got = m.d.EndSession(m.t.Context(), id)
		delete(m.sessions, id)
		m.changed(false)
		return nil, got
	},
	"end sessions": func(m *machine) (want, got error) {
		_, got = m.d.EndSessions(m.t.Context())
		clear(m.sessions)
		m.changed(false)
		return nil, got
	},
	"move the clock": func(m *machine) (want, got error) {
		m.d.now = m.d.now.Add(time.Duration(rapid.IntRange(-5, 60).Draw(m.t, "minutes")) * time.Minute)
		return nil, nil
	},
	"reopen": func(m *machine) (want, got error) {
		m.d.mustReopen(m.t)
		return nil, nil
	},
}

func TestTheRegistryDoesWhatItsModelDoes(t *testing.T) {
	t.Parallel()
	done, refused := map[string]int{}, map[string]int{}
	dir := harness.QuickDir(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		path := filepath.Join(dir, fmt.Sprint(run))
		require.NoError(t, os.Mkdir(path, 0o700))
		m := &machine{t: t, d: mustDeskAt(t, filepath.Join(path, "sp.db")), model: &model{
			synced: noon, profiles: map[string]TenantID{}, sessions: map[TenantID]Session{},
		}}
		if rapid.IntRange(0, 3).Draw(t, "empty") > 0 {
			m.furnish()
		}
		actions := map[string]func(*rapid.T){}
		for name, do := range operations {
			actions[name] = func(t *rapid.T) {
				m.t = t
				want, got := do(m)
				require.ErrorIs(t, got, want, name)
				require.Equal(t, m.contents(), contentsOf(t, m.d.Registry), name)
				if done[name]++; want != nil {
					refused[name]++
				}
			}
		}
		t.Repeat(actions)
		require.Equal(t, m.contents(), mustContents(t, m.d.path))
		require.NoError(t, m.d.Close())
	})
	t.Log("done:", done, "of these refused:", refused)
	if testing.Short() {
		return // a fifth of the runs; too few to promise that each thing happens
	}
	for name := range operations {
		require.Positive(t, done[name]-refused[name], "%s was never done", name)
	}
	for _, name := range []string{"create tenant", "rename tenant", "delete tenant", "import", "create profile", "update profile", "delete profile", "select tenant", "use profile"} {
		require.Positive(t, refused[name], "%s was never refused", name)
	}
}

// furnish puts in tenants with profiles, so that much can be done from the start.
func (m *machine) furnish() {
	for i, id := range []string{"a", "b", "c"} {
		t := modelTenant{id: id, name: "first " + id, kind: Local, members: map[string]string{"database_url": "postgres://u:1@h/d"}}
		_, err := m.d.CreateTenant(m.t.Context(), NewTenant{Tenant: t.tenant()})
		require.NoError(m.t, err)
		require.NoError(m.t, m.create(t, false))
		name := []string{"p", "q", "r"}[i]
		_, err = m.d.CreateProfile(m.t.Context(), NewProfile{Name: name, Tenant: ptr(TenantID(id))})
		require.NoError(m.t, err)
		require.NoError(m.t, m.addProfile(name, ptr(TenantID(id))))
	}
	for _, id := range []TenantID{"a", "b"} {
		_, err := m.d.SelectTenant(m.t.Context(), id)
		require.NoError(m.t, err)
		require.NoError(m.t, m.choose(id))
		m.changed(false)
	}
}
