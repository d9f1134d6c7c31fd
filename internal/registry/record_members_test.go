package registry

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// recordFields are the fields of Tenant but for its id. The tests below take each of
// them through every place that lists the members of the record, so that a new member
// that is forgotten somewhere turns them red.
func recordFields() (fields []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Tenant]()) {
		if f.Name != "ID" {
			fields = append(fields, f.Name)
		}
	}
	return fields
}

// setField gives a field the nth of its values; those of some fields are only two.
func setField(t *testing.T, tenant *Tenant, field string, n int) {
	t.Helper()
	switch f := reflect.ValueOf(tenant).Elem().FieldByName(field).Addr().Interface().(type) {
	case *string:
		*f = fmt.Sprint(field, n)
	case **string:
		*f = ptr(fmt.Sprint(field, n))
	case **secret.Secret:
		*f = sealed(fmt.Sprintf("postgres://u:%d@h/%s", n, field))
	case *Kind:
		*f = []Kind{Local, Cloud}[n%2]
	case *bool:
		*f = n%2 == 1
	case *Unknown:
		*f = NewUnknown(fmt.Sprintf(`"x":%d`, n))
	default:
		t.Fatalf("%s is a %T, of which no values are known here", field, f)
	}
}

func isTwoValued(field string) bool {
	k := reflect.ValueOf(Tenant{}).FieldByName(field).Interface()
	return k == Kind("") || k == false
}

// filled is a tenant with a value in every field; changed has another one in that field.
func filled(t *testing.T) Tenant {
	tenant := Tenant{ID: "a"}
	for _, field := range recordFields() {
		setField(t, &tenant, field, 0)
	}
	return tenant
}

func changed(t *testing.T, field string, n int) Tenant {
	tenant := filled(t)
	setField(t, &tenant, field, n)
	return tenant
}

// memberOf is what the member is called that a field holds: of the unknown ones, the
// name in this file, and not that of all of them.
func memberOf(t *testing.T, field string) string {
	names := filled(t).Differing(changed(t, field, 1))
	require.Len(t, names, 1, field)
	return names[0]
}

// mustMember is the row of the table for a field.
func mustMember(t *testing.T, field string) *Member {
	t.Helper()
	var tenant Tenant
	for _, m := range Members {
		if m.field(&tenant) == reflect.ValueOf(&tenant).Elem().FieldByName(field).Addr().Interface() {
			return m
		}
	}
	t.Fatalf("Members has no row for %s", field)
	return nil
}

// TestTheTableHasEveryMember enumerates the fields of Tenant against it.
func TestTheTableHasEveryMember(t *testing.T) {
	t.Parallel()
	var fields []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Tenant]()) {
		if f.Name != "Unknown" {
			fields = append(fields, f.Name)
		}
	}
	require.Len(t, Members, len(fields))
	names := map[string]bool{}
	for i, field := range fields {
		m := mustMember(t, field)
		require.Equal(t, i, m.index, "%s: the record, the table and the fields have one order", field)
		require.NotEmpty(t, m.Title, field)
		require.Equal(t, m.Fixed, m.About == "", "%s: help says what an edit of it changes", field)
		require.False(t, names[m.Name], m.Name)
		names[m.Name] = true
	}
}

// imageMember is how images and conflicts call it.
func imageMember(t *testing.T, field string) string {
	if field == "Unknown" {
		return unknownMembers
	}
	return memberOf(t, field)
}

// conflictMember is how a conflict calls it: one that the record does not define by its own name.
func conflictMember(t *testing.T, field string) string {
	if field == "Unknown" {
		return "x"
	}
	return memberOf(t, field)
}

// eachField runs a test for every field, with a registry of its own.
func eachField(t *testing.T, test func(t *testing.T, d *desk, field string)) {
	t.Parallel()
	fields := recordFields()
	require.Len(t, fields, 11, "the record has eleven members, and those that nobody knows; the id is not among these")
	for _, field := range fields {
		t.Run(field, func(t *testing.T) { test(t, mustDesk(t), field) })
	}
}

func (d *desk) requireTenant(t *testing.T, want Tenant) {
	t.Helper()
	require.Equal(t, []string{reveal(want)}, mustContents(t, d.path).Tenants)
}

func TestEveryMemberMakesTenantsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, field := range recordFields() {
		name := memberOf(t, field)
		require.Empty(t, seen[name], "%s is called as another is", field)
		seen[name] = field
		require.False(t, filled(t).Equal(changed(t, field, 1)), field)
		require.NotEqual(t, reveal(filled(t)), reveal(changed(t, field, 1)), "the tests themselves see no %s", field)
	}
}

func TestAnImportTakesEveryMember(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		d.mustImport(t, file(filled(t)))
		d.requireTenant(t, filled(t))
		plan := d.mustImport(t, file(changed(t, field, 1)))
		require.Equal(t, []Step{{Action: Update, ID: "a", Name: changed(t, field, 1).Name, Kind: changed(t, field, 1).Kind, Changed: []string{memberOf(t, field)}}}, plan.Steps)
		d.requireTenant(t, changed(t, field, 1))
	})
}

// TestAnImportKeepsEveryMemberThatTheFileLacks, unless it is exact; a member that can't
// lack is as the file says.
func TestAnImportKeepsEveryMemberThatTheFileLacks(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		full := changed(t, field, 1)
		d.mustImport(t, file(full))
		lacking := full
		reflect.ValueOf(&lacking).Elem().FieldByName(field).SetZero()
		if optional := reflect.ValueOf(full).FieldByName(field).Kind() == reflect.Pointer || field == "Unknown"; !optional {
			return
		}
		plan := d.mustImport(t, file(lacking))
		require.Equal(t, []Step{{Action: Keep, ID: "a", Name: full.Name, Kind: full.Kind, Kept: []string{memberOf(t, field)}}}, plan.Steps)
		d.requireTenant(t, full)
		exact := file(lacking)
		exact.Exact = true
		require.Equal(t, []string{memberOf(t, field)}, d.mustImport(t, exact).Steps[0].Changed)
		d.requireTenant(t, lacking)
	})
}

func TestAMergeTakesEveryMemberFromTheSideThatChangedIt(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		since := d.mustBase(t, filled(t))
		plan, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, changed(t, field, 1)))
		require.NoError(t, err)
		require.Equal(t, []Step{{Action: Update, ID: "a", Name: changed(t, field, 1).Name, Kind: changed(t, field, 1).Kind, Changed: []string{memberOf(t, field)}}}, plan.Steps)
		d.requireTenant(t, changed(t, field, 1))

		since = d.mustBase(t, filled(t))
		d.mustBase(t, changed(t, field, 1))
		plan, err = d.TakeOver(t.Context(), mergeOf(since, Nobody, filled(t)))
		require.NoError(t, err)
		require.Empty(t, plan.Steps)
		d.requireTenant(t, changed(t, field, 1))
	})
}

func TestAMergeTellsAConflictInEveryMember(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		since := d.mustBase(t, filled(t))
		ours, theirs := changed(t, field, 1), changed(t, field, 2)
		d.mustBase(t, ours)
		if isTwoValued(field) { // then one of the two is as it was
			return
		}
		_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, theirs))
		var conflicts *ConflictsError
		require.ErrorAs(t, err, &conflicts)
		require.Equal(t, []Conflict{{ID: "a", Members: []string{conflictMember(t, field)}}}, conflicts.Conflicts)
		d.requireTenant(t, ours)
		for _, settle := range []Side{Ours, Theirs} {
			_, err = d.TakeOver(t.Context(), mergeOf(since, settle, theirs))
			require.NoError(t, err)
			d.requireTenant(t, map[Side]Tenant{Ours: ours, Theirs: theirs}[settle])
		}
	})
}

// TestWhereTheBaseIsLostEveryMemberThatDiffersIsAConflict: a restore put an older
// registry in the place of the one that the file was written from.
func TestWhereTheBaseIsLostEveryMemberThatDiffersIsAConflict(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		since := d.mustBase(t, filled(t))
		mustMess(t, d.path, "UPDATE changes SET restored = 1")
		_, err := d.TakeOver(t.Context(), mergeOf(since-1, Nobody, changed(t, field, 1)))
		var conflicts *ConflictsError
		require.ErrorAs(t, err, &conflicts)
		require.Equal(t, []Conflict{{ID: "a", Members: []string{conflictMember(t, field)}}}, conflicts.Conflicts)
	})
}

func TestEveryMemberThatIsAsItWasIsOutOfDate(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		d.publishes(&d.now)
		d.now = noon.Add(-time.Hour)
		d.mustBase(t, filled(t))
		d.now = noon
		since := d.mustBase(t, changed(t, field, 1))
		plan, err := d.take(t, since, filled(t))
		require.NoError(t, err)
		require.Equal(t, []Step{{Action: Keep, ID: "a", Name: changed(t, field, 1).Name, Kind: changed(t, field, 1).Kind, Stale: []string{conflictMember(t, field)}}}, plan.Steps)
		d.requireTenant(t, changed(t, field, 1))
	})
}

// TestEveryMemberThatWasChangedStopsARemoval, by either side.
func TestEveryMemberThatWasChangedStopsARemoval(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		since := d.mustBase(t, filled(t))
		d.mustBase(t, changed(t, field, 1))
		_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody))
		var conflicts *ConflictsError
		require.ErrorAs(t, err, &conflicts)
		require.Equal(t, []Conflict{{ID: "a", Deleted: Theirs}}, conflicts.Conflicts)

		d.mustBase(t)
		_, err = d.TakeOver(t.Context(), mergeOf(since, Nobody, changed(t, field, 1)))
		require.ErrorAs(t, err, &conflicts)
		require.Equal(t, []Conflict{{ID: "a", Deleted: Ours}}, conflicts.Conflicts)
	})
}

func TestUndoBringsEveryMemberBack(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		d.mustBase(t, filled(t))
		sequence := d.mustBase(t, changed(t, field, 1))
		c := d.mustHistory(t, nil, Page{})[0]
		require.Equal(t, sequence, c.Sequence)
		require.Equal(t, []string{"tenant a " + imageMember(t, field)}, effects(c))
		d.mustUndo(t)
		d.requireTenant(t, filled(t))
		d.mustUndo(t, d.revision(t))
		d.requireTenant(t, changed(t, field, 1))

		d.mustDelete(t, "a")
		d.mustUndo(t)
		d.requireTenant(t, changed(t, field, 1))
		then := look(t, d, func(ctx context.Context, v *View) (Tenant, error) {
			then, forgotten, err := v.TenantAt(ctx, "a", sequence-1)
			require.Empty(t, forgotten)
			return then, err
		})
		require.Equal(t, reveal(filled(t)), reveal(then))
	})
}

// TestUndoTouchesNoMemberButThoseOfItsChange, whatever came later.
func TestUndoTouchesNoMemberButThoseOfItsChange(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		other := "Region"
		if field == other {
			other = "Hostname"
		}
		d.mustBase(t, filled(t))
		sequence := d.mustBase(t, changed(t, other, 1))
		both := changed(t, other, 1)
		setField(t, &both, field, 1)
		d.mustBase(t, both)
		d.mustUndo(t, sequence)
		d.requireTenant(t, changed(t, field, 1))
		require.ErrorIs(t, d.undo(t, sequence+1), nil)
		d.requireTenant(t, filled(t))

		sequence = d.mustBase(t, changed(t, field, 1))
		later := changed(t, field, 3)
		if isTwoValued(field) {
			later = filled(t)
		}
		d.mustBase(t, later)
		if !isTwoValued(field) {
			require.ErrorIs(t, d.undo(t, sequence), ErrConflict)
		}
		d.requireTenant(t, later)
	})
}

// TestEveryMemberCanBeEdited but those that are fixed, and what nobody knows.
func TestEveryMemberCanBeEdited(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		if field == "Unknown" {
			return
		}
		m, after := mustMember(t, field), changed(t, field, 1)
		d.mustBase(t, filled(t))
		text, _ := m.Reveal(&after)
		edit := TenantEdit{ID: "a", Set: values{m.Name: sealed(text)}}
		if m.Fixed {
			d.mustRefuse(t, ErrInvalid, func() error { _, _, err := d.UpdateTenant(t.Context(), edit); return err })
			return
		}
		_, names, err := d.UpdateTenant(t.Context(), edit)
		require.NoError(t, err)
		require.Equal(t, []string{m.Name}, names)
		d.requireTenant(t, after)
		edit.Set[m.Name] = nil
		if m.Required {
			d.mustRefuse(t, ErrInvalid, func() error { _, _, err := d.UpdateTenant(t.Context(), edit); return err })
			return
		}
		d.mustEdit(t, edit)
		reflect.ValueOf(&after).Elem().FieldByName(field).SetZero()
		d.requireTenant(t, after)
	})
}

func TestARecordHoldsEveryMember(t *testing.T) {
	eachField(t, func(t *testing.T, d *desk, field string) {
		d.mustBase(t, filled(t), with(changed(t, field, 1), func(t *Tenant) { t.ID = "b" }))
		mustSpread(t, d)
		text, fast, err := rendered(t, d.mustView(t))
		require.NoError(t, err)
		require.Equal(t, reveal(filled(t))+"\n"+reveal(with(changed(t, field, 1), func(t *Tenant) { t.ID = "b" }))+"\n", text)
		require.Equal(t, 2, fast)
	})
}

// TestEverySecretOfARecordIsHidden: of what is a Secret in a tenant the history has a digest.
func TestEverySecretOfARecordIsHidden(t *testing.T) {
	t.Parallel()
	d := newDigester([]byte("key"))
	for _, field := range recordFields() {
		switch reflect.ValueOf(Tenant{}).FieldByName(field).Interface().(type) {
		case *secret.Secret, Unknown:
			name := imageMember(t, field)
			require.Contains(t, filled(t).secrets(), name)
			require.Regexp(t, `^\{"digest":"[0-9a-f]{32}"\}$`, string(imageOfTenant(filled(t), d)[name]))
		}
	}
}
