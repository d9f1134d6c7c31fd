package registry

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func (d *desk) mustUndo(t testing.TB, sequence ...int64) Change {
	t.Helper()
	var u Undo
	if len(sequence) > 0 {
		u.Sequence = &sequence[0]
	}
	undone, err := d.Undo(t.Context(), u)
	require.NoError(t, err)
	require.Equal(t, undone.Change.Sequence, *undone.By.Undoes)
	return undone.Change
}

func (d *desk) undo(t testing.TB, sequence int64) error {
	_, err := d.Undo(t.Context(), Undo{Sequence: &sequence})
	return err
}

// revision is the sequence of the last change.
func (d *desk) revision(t testing.TB) int64 { return mustContents(t, d.path).Revision }

func (d *desk) mustEdit(t testing.TB, e TenantEdit) int64 {
	t.Helper()
	_, changed, err := d.UpdateTenant(t.Context(), e)
	require.NoError(t, err)
	require.NotEmpty(t, changed)
	return d.revision(t)
}

func (d *desk) mustDelete(t testing.TB, id TenantID) int64 {
	t.Helper()
	_, err := d.DeleteTenant(t.Context(), Deletion{ID: id})
	require.NoError(t, err)
	return d.revision(t)
}

// known is what undoing brings back: all but the counts of changes.
func known(c contents) contents {
	c.Revision, c.TenantsRevision = 0, 0
	return c
}

// choices is that without what authenticates sessions: tokens are not kept.
func choices(c contents) contents {
	c = known(c)
	c.Authentications = nil
	return c
}

// undoable are the operations of the model that change something.
func undoable() map[string]func(*machine) (want, got error) {
	found := maps.Clone(operations)
	for _, name := range []string{"dry run", "move the clock", "reopen"} {
		delete(found, name)
	}
	found["edit tenant"] = func(m *machine) (want, got error) {
		e := TenantEdit{ID: m.id("id"), Set: values{"database_url": sealed("postgres://u:" + someTexts.Draw(m.t, "pw") + "@h/x")}}
		if rapid.Bool().Draw(m.t, "clear token") {
			e.Set["sync_token"] = nil
		}
		_, _, got = m.d.UpdateTenant(m.t.Context(), e)
		return got, got
	}
	found["swap secrets"] = func(m *machine) (want, got error) {
		all := tenantsOf(m.t, m.d.Registry)
		if len(all) > 1 {
			a, b := &all[0], &all[1]
			a.DatabaseURL, b.DatabaseURL, a.SyncToken, b.SyncToken = b.DatabaseURL, a.DatabaseURL, b.SyncToken, a.SyncToken
		}
		i := fileOf(Document{SyncedAt: m.d.now}, all...)
		i.Exact = true
		_, got = m.d.ImportTenants(m.t.Context(), i)
		return got, got
	}
	found["edit secrets"] = func(m *machine) (want, got error) {
		e := SecretEdit{Profile: someProfiles.Draw(m.t, "profile"), Put: put("k=" + someValues.Draw(m.t, "k"))}
		if rapid.Bool().Draw(m.t, "two") {
			e.Put = append(e.Put, put("l="+someValues.Draw(m.t, "l"))...)
		}
		_, got = m.d.EditSecrets(m.t.Context(), e)
		return got, got
	}
	found["unset secret"] = func(m *machine) (want, got error) {
		_, got = m.d.EditSecrets(m.t.Context(), SecretEdit{Profile: someProfiles.Draw(m.t, "profile"), Unset: []string{"k"}})
		return got, got
	}
	found["import profiles"] = func(m *machine) (want, got error) {
		profile := imported(someProfiles.Draw(m.t, "profile"), m.id("tenant"), "k="+someValues.Draw(m.t, "k"), "m="+someValues.Draw(m.t, "m"))
		_, got = m.d.ImportTenants(m.t.Context(), Import{Exact: rapid.Bool().Draw(m.t, "exact"), Profiles: []ImportedProfile{profile}})
		return got, got
	}
	found["log in"] = func(m *machine) (want, got error) {
		login := Login{Profile: someProfiles.Draw(m.t, "profile"), Authentication: authenticated("tok-" + someValues.Draw(m.t, "token"))}
		_, got = m.d.Authenticate(m.t.Context(), login)
		return got, got
	}
	return found
}

var someValues = rapid.SampledFrom([]string{"1", "2", "3"})

func tenantsOf(t require.TestingT, r *Registry) []Tenant {
	ctx := context.Background()
	v, err := r.View(ctx)
	require.NoError(t, err)
	defer v.Close()
	return mustAll(t, v.Tenants(ctx, Page{}))
}

// TestUndoingAllChangesBringsBackEveryStateBefore does things of every kind, undoes
// them one by one, comparing with what was there before each, undoes the undoings, and
// undoes it all once more, the last purging what it removes.
func TestUndoingAllChangesBringsBackEveryStateBefore(t *testing.T) {
	t.Parallel()
	undone := map[string]int{}
	dir, run := harness.QuickDir(t), 0
	names := slices.Sorted(maps.Keys(undoable()))
	names = append(names, slices.Repeat([]string{"update profile"}, 6)...) // which is refused most often
	names = append(names, "set default", "set default", "import profiles", "import profiles", "unset secret", "unset secret")
	rapid.Check(t, func(t *rapid.T) {
		run++
		path := filepath.Join(dir, fmt.Sprint(run))
		require.NoError(t, os.Mkdir(path, 0o700))
		m := &machine{t: t, d: mustDeskAt(t, filepath.Join(path, "sp.db")), model: &model{
			synced: noon, profiles: map[string]TenantID{}, sessions: map[TenantID]Session{},
		}}
		m.furnish()
		for _, profile := range []string{"p", "q", "r"} { // so that there are sessions to end
			_, err := m.d.UseProfile(t.Context(), profile)
			require.NoError(t, err)
			_, err = m.d.Authenticate(t.Context(), Login{Profile: profile, Authentication: authenticated("tok-0")})
			require.NoError(t, err)
			_, err = m.d.EditSecrets(t.Context(), SecretEdit{Profile: profile, Put: put("k=1", "l=2")})
			require.NoError(t, err)
		}
		states, kinds := []contents{choices(contentsOf(t, m.d.Registry))}, []string{}
		for range 15 {
			name := rapid.SampledFrom(names).Draw(t, "operation")
			before := historyOf(t, m.d)
			_, _ = undoable()[name](m)
			if historyOf(t, m.d) > before {
				states, kinds = append(states, choices(contentsOf(t, m.d.Registry))), append(kinds, name)
			}
			m.d.now = m.d.now.Add(time.Minute)
		}
		for i := len(kinds) - 1; i >= 0; i-- {
			_, err := m.d.Undo(t.Context(), Undo{})
			require.NoError(t, err, kinds[i])
			require.Equal(t, states[i], choices(contentsOf(t, m.d.Registry)), "undid %s", kinds[i])
			undone[kinds[i]]++
		}
		last := contentsOf(t, m.d.Registry).Revision
		for i := range kinds {
			_, err := m.d.Undo(t.Context(), Undo{Sequence: ptr(last - int64(i))})
			require.NoError(t, err, "redo %s", kinds[i])
			require.Equal(t, states[i+1], choices(contentsOf(t, m.d.Registry)), "redid %s", kinds[i])
		}
		for i := len(kinds) - 1; i >= 0; i-- {
			_, err := m.d.Undo(t.Context(), Undo{Purge: i == 0})
			require.NoError(t, err, "once more %s", kinds[i])
			require.Equal(t, states[i], choices(contentsOf(t, m.d.Registry)), "undid once more %s", kinds[i])
		}
		require.NoError(t, m.d.Close())
	})
	t.Log("undone:", undone)
	if !testing.Short() {
		requireShares(t, names, undone)
	}
}

// requireShares sees to it that chance leaves out no kind of change: of two hundred that
// were undone, at least one is of each, where ten are to be expected.
func requireShares(t *testing.T, kinds []string, undone map[string]int) {
	t.Helper()
	total := 0
	for _, n := range undone {
		total += n
	}
	for _, kind := range kinds {
		require.GreaterOrEqual(t, 200*undone[kind], total, "%s: %d of %d", kind, undone[kind], total)
	}
}

// historyOf returns the last change that the history tells of.
func historyOf(t require.TestingT, d *desk) int64 {
	ctx := context.Background()
	v, err := d.View(ctx)
	require.NoError(t, err)
	defer v.Close()
	last, err := v.SequenceAt(ctx, d.now)
	require.NoError(t, err)
	return last
}

func TestUndoRefusesWhatALaterChangeWouldLose(t *testing.T) {
	t.Parallel()
	other := TenantID("b")
	for name, c := range map[string]struct {
		do, later func(t *testing.T, d *desk) // what is undone, and what stands in its way
		what      string
	}{
		"a member that was edited again": {
			func(t *testing.T, d *desk) { d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}}) },
			func(t *testing.T, d *desk) { d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("y")}}) },
			"changed name of tenant a",
		},
		"one of two members that was edited again": {
			func(t *testing.T, d *desk) {
				d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x"), "region": sealed("here")}})
			},
			func(t *testing.T, d *desk) {
				d.mustEdit(t, TenantEdit{ID: "a", Set: values{"app_id": sealed("app"), "region": sealed("there")}})
			},
			"changed region of tenant a",
		},
		"a secret that was edited again": {
			func(t *testing.T, d *desk) {
				d.mustEdit(t, TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:1@h/a")}})
			},
			func(t *testing.T, d *desk) {
				d.mustEdit(t, TenantEdit{ID: "a", Set: values{"database_url": nil}})
			},
			"changed database_url of tenant a",
		},
		"an edit of what was deleted": {
			func(t *testing.T, d *desk) { d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}}) },
			func(t *testing.T, d *desk) { d.mustDelete(t, "a") },
			"removed tenant a",
		},
		"a deletion of what is there again": {
			func(t *testing.T, d *desk) { d.mustDelete(t, "a") },
			func(t *testing.T, d *desk) { d.mustTenants(t, "a") },
			"created tenant a",
		},
		"a tenant that was edited": {
			func(t *testing.T, d *desk) { d.mustTenants(t, "c") },
			func(t *testing.T, d *desk) { d.mustEdit(t, TenantEdit{ID: "c", Set: values{"name": sealed("x")}}) },
			"changed tenant c",
		},
		"a tenant that has a profile": {
			func(t *testing.T, d *desk) { d.mustTenants(t, "c") },
			func(t *testing.T, d *desk) { d.mustProfiles(t, "c", "pc") },
			"created profile pc",
		},
		"a tenant that is selected": {
			func(t *testing.T, d *desk) { d.mustTenants(t, "c") },
			func(t *testing.T, d *desk) { d.mustSelect(t, "c") },
			"changed what is selected",
		},
		"a profile whose tenant was deleted": {
			func(t *testing.T, d *desk) {
				_, err := d.DeleteProfile(t.Context(), "pa", false)
				require.NoError(t, err)
			},
			func(t *testing.T, d *desk) { d.mustDelete(t, "a") },
			"removed tenant a",
		},
		"a profile that is a session": {
			func(t *testing.T, d *desk) { d.mustProfiles(t, "a", "new") },
			func(t *testing.T, d *desk) { d.mustUse(t, "new") },
			"created the session of tenant a",
		},
		"a profile that is the default": {
			func(t *testing.T, d *desk) { d.mustProfiles(t, "a", "new") },
			func(t *testing.T, d *desk) { require.NoError(t, d.SetDefaultProfile(t.Context(), ptr("new"))) },
			"changed what is selected",
		},
		"a profile whose name another has but for case": {
			func(t *testing.T, d *desk) {
				_, err := d.DeleteProfile(t.Context(), "pa", false)
				require.NoError(t, err)
			},
			func(t *testing.T, d *desk) { d.mustProfiles(t, "b", "PA") },
			"created profile PA",
		},
		"a link that became a session": {
			func(t *testing.T, d *desk) {
				_, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: "pa", Tenant: &other})
				require.NoError(t, err)
			},
			func(t *testing.T, d *desk) { d.mustUse(t, "pa") },
			"created the session of tenant b",
		},
		"a selection that changed again": {
			func(t *testing.T, d *desk) { d.mustSelect(t, "a") },
			func(t *testing.T, d *desk) { d.mustSelect(t, "b") },
			"changed tenant_id of what is selected",
		},
		"a session whose profile was deleted": {
			func(t *testing.T, d *desk) {
				d.mustUse(t, "pa")
				_, err := d.EndSession(t.Context(), "a")
				require.NoError(t, err)
			},
			func(t *testing.T, d *desk) {
				_, err := d.DeleteProfile(t.Context(), "pa", false)
				require.NoError(t, err)
			},
			"removed profile pa",
		},
		"a rename whose new name was changed again": {
			func(t *testing.T, d *desk) {
				_, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: "pa", NewName: ptr("q")})
				require.NoError(t, err)
			},
			func(t *testing.T, d *desk) {
				_, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: "q", NewName: ptr("r")})
				require.NoError(t, err)
			},
			"removed profile q",
		},
		"a session whose profile belongs to another tenant now": {
			func(t *testing.T, d *desk) {
				d.mustUse(t, "pa")
				_, err := d.EndSession(t.Context(), "a")
				require.NoError(t, err)
			},
			func(t *testing.T, d *desk) {
				_, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: "pa", Tenant: &other})
				require.NoError(t, err)
			},
			"changed profile pa",
		},
		"a member that was given the same value again": {
			func(t *testing.T, d *desk) { d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}}) },
			func(t *testing.T, d *desk) {
				d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("y")}})
				d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}})
			},
			"changed name of tenant a",
		},
		"a deletion of what was made and deleted again": {
			func(t *testing.T, d *desk) { d.mustDelete(t, "a") },
			func(t *testing.T, d *desk) {
				d.mustTenants(t, "a")
				d.mustDelete(t, "a")
			},
			"removed tenant a",
		},
		"what was undone already": {
			func(t *testing.T, d *desk) { d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}}) },
			func(t *testing.T, d *desk) { d.mustUndo(t) },
			"undid it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustDesk(t)
			d.mustTenants(t, "a", "b")
			d.mustProfiles(t, "a", "pa")
			c.do(t, d)
			sequence := d.revision(t)
			c.later(t, d)
			later := d.revision(t)

			d.mustRefuse(t, ErrConflict, func() error { return d.undo(t, sequence) })
			var e *laterError
			require.ErrorAs(t, d.undo(t, sequence), &e)
			require.Equal(t, []int64{sequence, later}, []int64{e.Undone.Sequence, e.Later.Sequence})
			require.Equal(t, c.what, e.What)
			require.EqualError(t, e, fmt.Sprintf("change %d (sp test) can't be undone: change %d (sp test) %s since", sequence, later, c.what))
		})
	}
}

func TestUndoKeepsWhatLaterChangesDidToOtherMembers(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	first := d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x"), "region": sealed("here")}})
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"app_id": sealed("app")}})

	require.Equal(t, first, d.mustUndo(t, first).Sequence)

	a, err := d.mustView(t).Tenant(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "a", a.Name)
	require.Nil(t, a.Region)
	require.Equal(t, "app", *a.AppID)
}

func TestAnImportIsUndoneAsOne(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	before := known(mustContents(t, d.path))
	changed := local("a")
	changed.Name = "changed"
	var many []Tenant
	for i := range 600 { // more than are read at once
		many = append(many, local(TenantID(fmt.Sprintf("n%03d", i))))
	}
	i := fileOf(Document{SyncedAt: noon.Add(time.Hour), Unknown: NewUnknown(`"x":1`)}, append(many, changed)...)
	i.Prune = true
	d.mustImport(t, i)
	imported := d.revision(t)
	after := known(mustContents(t, d.path))
	require.Len(t, after.Tenants, 601)

	d.mustUndo(t)
	require.Equal(t, before, known(mustContents(t, d.path)))
	d.mustUndo(t, d.revision(t))
	require.Equal(t, after, known(mustContents(t, d.path)))

	d.mustEdit(t, TenantEdit{ID: "n333", Set: values{"name": sealed("mine")}})
	var e *laterError
	require.ErrorAs(t, d.undo(t, imported), &e)
	require.Equal(t, "changed tenant n333", e.What)
}

func TestThereMustBeSomethingToUndo(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	_, err := d.Undo(t.Context(), Undo{})
	require.ErrorIs(t, err, ErrNotFound)
	d.mustTenants(t, "a")
	d.mustRefuse(t, ErrNotFound, func() error { return d.undo(t, 7) })
	d.mustUndo(t)
	d.mustRefuse(t, ErrNotFound, func() error { _, err := d.Undo(t.Context(), Undo{}); return err })
}

func TestPurgeEndsWhatAnEditBeforeItKept(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	e := TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:2@h/a")}}
	d.mustEdit(t, e)
	e.Purge = true
	_, changed, err := d.UpdateTenant(t.Context(), e)
	require.NoError(t, err)
	require.Empty(t, changed)
	requireNowhere(t, filepath.Dir(d.path), "pw-a")
}

func TestAnUndoThatFoundNothingIsNoRestore(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustProfiles(t, "a", "p")
	made := d.revision(t)
	_, err := d.DeleteProfile(t.Context(), "p", false)
	require.NoError(t, err)
	d.mustUndo(t, made)
	d.mustUndo(t, d.revision(t))
}

// TestWhatAChangeLeftAsItWasIsInNobodysWay has an entry without a difference, which no
// command of today leaves.
func TestWhatAChangeLeftAsItWasIsInNobodysWay(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	edited := d.mustEdit(t, TenantEdit{ID: "a", Set: values{"name": sealed("x")}})
	mustMess(t, d.path, fmt.Sprintf("UPDATE entries SET before = json_set(before, '$.name', 'x') WHERE sequence = %d", edited))
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"region": sealed("here")}})
	before := known(mustContents(t, d.path))

	d.mustUndo(t, edited)
	require.Equal(t, before, known(mustContents(t, d.path)))
}

func TestUndoGivesNoNameBackThatAnotherTenantGotSince(t *testing.T) {
	t.Parallel()
	rename := func(id TenantID, name string) func(t *testing.T, d *desk) {
		return func(t *testing.T, d *desk) {
			d.mustEdit(t, TenantEdit{ID: id, Set: values{"name": sealed(name)}, AllowDuplicateName: true})
		}
	}
	remove := func(id TenantID) func(t *testing.T, d *desk) {
		return func(t *testing.T, d *desk) { d.mustDelete(t, id) }
	}
	load := func(tenants ...Tenant) func(t *testing.T, d *desk) {
		return func(t *testing.T, d *desk) {
			d.mustImport(t, fileOf(Document{SyncedAt: noon.Add(time.Hour)}, tenants...))
		}
	}
	called := func(id TenantID, name string) Tenant {
		c := local(id)
		c.Name = name
		return c
	}
	nothing := func(*testing.T, *desk) {}
	for name, c := range map[string]struct {
		first, do, later func(t *testing.T, d *desk) // what there was, what is undone, and what came since
		refused          bool
		names            string
	}{
		"of a deleted tenant":                       {nothing, remove("a"), rename("b", "a"), true, "b:a"},
		"of a renamed tenant":                       {nothing, rename("a", "x"), load(called("b", "a")), true, "a:x b:a"},
		"to a new tenant":                           {nothing, remove("a"), load(called("c", "a")), true, "b:b c:a"},
		"of an id that is a name":                   {rename("a", "z"), remove("a"), rename("b", "a"), true, "b:a"},
		"of a name that is an id":                   {rename("a", "z"), remove("a"), load(called("z", "y")), true, "b:b z:y"},
		"but an id that was a name":                 {load(called("c", "a")), remove("a"), nothing, false, "a:a b:b c:a"},
		"but the id of one that goes":               {load(called("a", "z")), load(called("a", "x"), called("z", "y")), nothing, false, "a:z b:b"},
		"but a name that was an id":                 {load(called("z", "y"), called("a", "z")), remove("a"), nothing, false, "a:z b:b z:y"},
		"but those that there were":                 {load(called("b", "a")), remove("a"), nothing, false, "a:a b:a"},
		"but those that are there again":            {load(called("b", "a")), remove("a"), func(t *testing.T, d *desk) { rename("b", "x")(t, d); rename("b", "a")(t, d) }, false, "a:a b:a"},
		"but names that tenants took of each other": {nothing, load(called("a", "b"), called("b", "a")), nothing, false, "a:a b:b"},
		"but the name of one that goes":             {nothing, load(called("a", "x"), called("c", "a")), nothing, false, "a:a b:b"},
		"but names that differ":                     {nothing, remove("a"), rename("b", "x"), false, "a:a b:x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustDesk(t)
			d.mustTenants(t, "a", "b")
			c.first(t, d)
			c.do(t, d)
			sequence := d.revision(t)
			c.later(t, d)
			later := d.revision(t)

			if c.refused {
				d.mustRefuse(t, ErrExists, func() error { return d.undo(t, sequence) })
				var e *NameTakenError
				require.ErrorAs(t, d.undo(t, sequence), &e)
				require.Equal(t, []int64{sequence, later}, []int64{e.Undone.Sequence, e.Later.Sequence})
				require.EqualError(t, e, fmt.Sprintf(
					"change %d (sp test) can't be undone: change %d (sp test) gave the name or id of tenant a to tenant %s since", sequence, later, e.Other))
			} else {
				d.mustUndo(t, sequence)
			}
			require.Equal(t, c.names, names(t, d))
		})
	}
}

// names lists the tenants with their names.
func names(t *testing.T, d *desk) string {
	var found []string
	for _, tenant := range look(t, d, func(ctx context.Context, v *View) ([]Tenant, error) { return mustAll(t, v.Tenants(ctx, Page{})), nil }) {
		found = append(found, string(tenant.ID)+":"+tenant.Name)
	}
	return strings.Join(found, " ")
}
