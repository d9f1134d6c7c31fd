package registry

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// mustConflict refuses a merge, and returns what somebody has to settle.
func (d *desk) mustConflict(t *testing.T, since int64, theirs ...Tenant) []Conflict {
	t.Helper()
	_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, theirs...))
	var conflicts *ConflictsError
	require.ErrorAs(t, err, &conflicts)
	return conflicts.Conflicts
}

func (d *desk) mustMerge(t *testing.T, b Merge) Plan {
	t.Helper()
	plan, err := d.TakeOver(t.Context(), b)
	require.NoError(t, err)
	return plan
}

// mustLoseTheBase has a restore in the history, so that nobody knows what the file was
// written from.
func (d *desk) mustLoseTheBase(t *testing.T) {
	t.Helper()
	mustMess(t, d.path, "UPDATE changes SET restored = 0 WHERE sequence = (SELECT max(sequence) FROM changes)")
}

func TestAMergeTakesTheRestOfTheFile(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	since := d.mustBase(t, local("a"))
	document := Document{SyncedAt: noon.Add(time.Hour), Unknown: NewUnknown(`"version":2`)}
	plan := d.mustMerge(t, Merge{Read: fileOf(document, local("a")).Read, Since: since})
	require.True(t, plan.DocumentChanged)
	require.Equal(t, since, plan.Revision, "the one before")
	state := look(t, d, func(ctx context.Context, v *View) (State, error) { return v.State(ctx) })
	require.Equal(t, document.SyncedAt, state.Document.SyncedAt)
	require.Equal(t, `"version":2`, state.Document.Unknown.Reveal())
}

// TestWhatAMergeBroughtIsShownByTheFile: also where the command after it concerns no tenant.
func TestWhatAMergeBroughtIsShownByTheFile(t *testing.T) {
	t.Parallel()
	for _, theirs := range [][]Tenant{{local("a")}, {local("a"), local("theirs")}} {
		d := mustDesk(t)
		since := d.mustBase(t, local("a"))
		b := mergeOf(since, Nobody, theirs...)
		_, err := d.behind(t.Context(), b, func(r *Registry) error {
			_, err := r.CreateProfile(t.Context(), NewProfile{Name: "p", Tenant: ptr(TenantID("a"))})
			return err
		})
		require.NoError(t, err)
		if len(theirs) > 1 {
			require.Equal(t, since+1, d.mustRevision(t), "the merge is the last change of tenants")
		} else {
			require.Equal(t, since, d.mustRevision(t))
		}
	}
}

func TestAMergeRefusesATenantThatIsNotWhole(t *testing.T) {
	t.Parallel()
	for _, wrong := range []Tenant{with(local("a"), func(t *Tenant) { t.Name = "" }), with(local("a"), func(t *Tenant) { t.Kind = "x" }), {Name: "no id", Kind: Local}} {
		d := mustDesk(t)
		since := d.mustBase(t, local("a"))
		_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, wrong))
		require.ErrorIs(t, err, ErrInvalid)
		d.requireTenant(t, local("a"))
	}
}

func TestTheFirstConflictsAreListedAndTheOthersCounted(t *testing.T) {
	t.Parallel()
	for _, n := range []int{maxConflicts, maxConflicts + 2} {
		d := mustDesk(t)
		side := func(name string) (all []Tenant) {
			for i := range n {
				all = append(all, with(local(TenantID(fmt.Sprintf("t%02d", i))), func(t *Tenant) { t.Name = fmt.Sprint(name, i) }))
			}
			return all
		}
		since := d.mustBase(t, side("base")...)
		d.mustBase(t, side("ours")...)
		_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, side("theirs")...))
		var conflicts *ConflictsError
		require.ErrorAs(t, err, &conflicts)
		require.Len(t, conflicts.Conflicts, maxConflicts)
		require.Equal(t, n-maxConflicts, conflicts.Omitted)
	}
}

// TestOfATenantThatWasDeletedHereOnlyAChangeOfTheirsIsAConflict: a mask or a member that
// versions of the other tool drop is none.
func TestOfATenantThatWasDeletedHereOnlyAChangeOfTheirsIsAConflict(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	full := with(filled(t), func(t *Tenant) { t.ID, t.Name = "gone", "gone" })
	since := d.mustBase(t, local("a"), full)
	d.mustBase(t, local("a"))
	for what, edit := range map[string]func(*Tenant){
		"nothing":                func(*Tenant) {},
		"no sync token":          func(t *Tenant) { t.SyncToken = nil },
		"no shared container":    func(t *Tenant) { t.SharedContainerDB = nil },
		"no unknown members":     func(t *Tenant) { t.Unknown = Unknown{} },
		"a masked URL":           func(t *Tenant) { t.DatabaseURL = sealed(modelMask) },
		"a masked internal one":  func(t *Tenant) { t.InternalDatabaseURL = sealed(modelMask) },
		"all of that, and stars": func(t *Tenant) { t.SyncToken, t.Unknown, t.DatabaseURL = nil, Unknown{}, sealed(modelMask) },
	} {
		plan := d.mustMerge(t, mergeOf(since, Nobody, local("a"), with(full, edit)))
		require.Equal(t, []string{"gone gone"}, steps(plan), what)
		plan = d.mustMerge(t, mergeOf(since, Theirs, local("a"), with(full, edit)))
		require.Equal(t, []string{"gone gone"}, steps(plan), "%s: there is nothing to settle", what)
		require.Equal(t, []string{"a"}, ids(mustContents(t, d.path)), what)
	}
	for what, edit := range map[string]func(*Tenant){
		"no region":                       func(t *Tenant) { t.Region = nil },
		"no URL":                          func(t *Tenant) { t.DatabaseURL = nil },
		"another token":                   func(t *Tenant) { t.SyncToken = sealed("other") },
		"another unknown member":          func(t *Tenant) { t.Unknown = NewUnknown(`"y":1`) },
		"an unknown member full of stars": func(t *Tenant) { t.Unknown = NewUnknown(`"u":"` + modelMask + `"`) },
		"a mask, and another name":        func(t *Tenant) { t.DatabaseURL, t.Name = sealed(modelMask), "other" },
	} {
		require.Equal(t, []Conflict{{ID: "gone", Deleted: Ours}}, d.mustConflict(t, since, local("a"), with(full, edit)), what)
	}
	plan := d.mustMerge(t, mergeOf(since, Theirs, local("a"), with(full, func(t *Tenant) { t.Region = nil })))
	require.Equal(t, []string{"add gone"}, steps(plan))
}

// TestAMemberThatWasTakenFromADeletedTenantIsAChange, also where the file shows the deletion.
func TestAMemberThatWasTakenFromADeletedTenantIsAChange(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.now = noon.Add(-time.Hour)
	d.mustBase(t, local("a"), inRegion("deleted", "x"))
	d.now = noon
	since := d.mustBase(t, local("a"))
	_, err := d.take(t, since, local("a"), local("deleted"))
	var conflicts *ConflictsError
	require.ErrorAs(t, err, &conflicts)
	require.Equal(t, []Conflict{{ID: "deleted", Deleted: Ours}}, conflicts.Conflicts)
}

// TestWhereTheBaseIsLostNothingIsTakenForGranted: neither that what is as it was is no
// change, nor that what is missing was removed, nor that what is old is out of date.
func TestWhereTheBaseIsLostNothingIsTakenForGranted(t *testing.T) {
	t.Parallel()
	lost := func(settle func(d *desk) int64) (*desk, int64) {
		d := mustDesk(t)
		since := settle(d)
		d.mustLoseTheBase(t)
		return d, since
	}
	unknown := with(local("a"), func(t *Tenant) { t.Unknown = NewUnknown(`"x":1`) })
	other := with(local("a"), func(t *Tenant) { t.Unknown = NewUnknown(`"x":2`) })

	for what, c := range map[string]struct {
		base, ours, theirs Tenant
		member             string
	}{
		"theirs is the base":         {inRegion("a", "1"), inRegion("a", "2"), inRegion("a", "1"), "region"},
		"ours is the base":           {inRegion("a", "1"), with(inRegion("a", "1"), func(t *Tenant) { t.AppID = ptr("x") }), with(inRegion("a", "2"), func(t *Tenant) { t.AppID = ptr("x") }), "region"},
		"theirs is the unknown base": {unknown, other, unknown, "x"},
	} {
		d, since := lost(func(d *desk) int64 {
			since := d.mustBase(t, c.base)
			d.mustBase(t, c.ours)
			return since
		})
		require.Equal(t, []Conflict{{ID: "a", Members: []string{c.member}}}, d.mustConflict(t, since, c.theirs), what)
	}

	// What the file lacks, as it was at the base and as it came since.
	d, since := lost(func(d *desk) int64 {
		since := d.mustBase(t, local("a"), local("b"))
		d.mustBase(t, local("a"), local("b"), local("new"))
		return since
	})
	require.Equal(t, []Conflict{{ID: "b", Deleted: Theirs}, {ID: "new", Deleted: Theirs}}, d.mustConflict(t, since, local("a")))

	// What is not here any more comes back, for nobody knows who deleted it.
	d, since = lost(func(d *desk) int64 {
		since := d.mustBase(t, local("a"), local("b"))
		d.mustBase(t, local("a"))
		return since
	})
	require.Equal(t, []string{"add b"}, steps(d.mustMerge(t, mergeOf(since, Nobody, local("a"), local("b")))))

	// What the file has as it was a minute ago may be meant.
	d, since = lost(func(d *desk) int64 {
		d.now = noon.Add(-time.Hour)
		since := d.mustBase(t, inRegion("a", "1"))
		d.now = noon
		d.mustBase(t, inRegion("a", "2"))
		return since
	})
	_, err := d.take(t, since, inRegion("a", "1"))
	require.ErrorIs(t, err, ErrConflict)
}

// TestAMaskReplacesWhatIsNoRealValue: another mask, or nothing.
func TestAMaskReplacesWhatIsNoRealValue(t *testing.T) {
	t.Parallel()
	masked := with(local("a"), func(t *Tenant) { t.DatabaseURL = sealed("postgres://u:***@other/d") })
	for _, ours := range []*secret.Secret{sealed(modelMask), sealed(""), nil} {
		d := mustDesk(t)
		since := d.mustBase(t, with(local("a"), func(t *Tenant) { t.DatabaseURL = ours }))
		require.Equal(t, []string{"update a changed:database_url"}, steps(d.mustMerge(t, mergeOf(since, Nobody, masked))))
		d.requireTenant(t, masked)
	}
}

func TestUnknownMembersThatDoNotContradictAreMerged(t *testing.T) {
	t.Parallel()
	knows := func(members string) Tenant {
		return with(local("a"), func(t *Tenant) { t.Unknown = NewUnknown(members) })
	}
	for _, c := range []struct{ base, ours, theirs, nobody, ourSide, theirSide string }{
		{`"x":1`, `"x":1,"y":1`, `"x":1,"z":1`, `"x":1,"y":1,"z":1`, `"x":1,"y":1,"z":1`, `"x":1,"y":1,"z":1`},
		{`"x":1`, `"x":1`, `"x":2`, `"x":2`, `"x":2`, `"x":2`},
		{`"x":1`, `"x":3`, `"x":2,"y":1`, "", `"x":3,"y":1`, `"x":2,"y":1`},
		{`"x":1`, `"x":3`, `"x":3,"y":1`, `"x":3,"y":1`, `"x":3,"y":1`, `"x":3,"y":1`},
		{``, `"x":3`, `"y":3`, `"x":3,"y":3`, `"x":3,"y":3`, `"x":3,"y":3`},
	} {
		for settle, want := range map[Side]string{Nobody: c.nobody, Ours: c.ourSide, Theirs: c.theirSide} {
			d := mustDesk(t)
			since := d.mustBase(t, knows(c.base))
			d.mustBase(t, knows(c.ours))
			if want == "" {
				require.Equal(t, []Conflict{{ID: "a", Members: []string{"x"}}}, d.mustConflict(t, since, knows(c.theirs)))
				continue
			}
			d.mustMerge(t, mergeOf(since, settle, knows(c.theirs)))
			d.requireTenant(t, knows(want))
		}
	}
}

// What is from a file that was kept aside may be in a file that was written before sp
// published it: the same program has read its own.
func TestWhatWasKeptAsideDatesNoFile(t *testing.T) {
	t.Parallel()
	k := knowledge{states: []int64{5, 7}}
	values := func(by author) []value {
		return []value{{from: 1, until: 6, text: "before"}, {from: 6, until: 9, text: "kept", by: by}}
	}
	require.Equal(t, int64(7), k.date(values(bySP), "kept"))
	require.Zero(t, k.date(values(byOtherUnseen), "kept"))
}

// takeKept takes over a file that was kept aside when sp published what it published last.
func (d *desk) takeKept(t *testing.T, tenants ...Tenant) []string {
	t.Helper()
	b := mergeOf(d.mustRevision(t), Nobody, tenants...)
	b.Written, b.Unseen, b.Unread = d.now, true, true
	return steps(d.mustMerge(t, b))
}

// Two files were kept that changed the same, one after the other. Who wrote next from what stood there
// had read neither.
func TestAFileThatIsOlderThanWhatWasKeptTakesNothingBack(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.mustBase(t, inRegion("a", "1"))
	require.Equal(t, []string{"update a changed:region"}, d.takeKept(t, inRegion("a", "2")))
	require.Equal(t, []string{"update a changed:region"}, d.takeKept(t, inRegion("a", "3")))
	require.Equal(t, []string{"keep a stale:region"}, d.takeKept(t, inRegion("a", "1")))
	require.Equal(t, []string{"keep a stale:region"}, d.takeKept(t, inRegion("a", "2")))
	d.requireTenant(t, inRegion("a", "3"))
}

// What it adds and removes again, sp can't tell from what it never read: it stays, and is told, also
// where nothing was published in between.
func TestWhatWasKeptAndIsTakenBackStaysAndIsTold(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.mustBase(t, inRegion("a", "1"))
	require.Equal(t, []string{"update a changed:region", "add b"}, d.takeKept(t, inRegion("a", "2"), local("b")))
	require.Equal(t, []string{"keep a stale:region", "stay b"}, d.takeKept(t, inRegion("a", "1")))
}

// A member that a kept file added is no change of sp's.
func TestATenantIsRemovedThatAKeptFileChanged(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.now = noon.Add(-time.Hour)
	d.mustBase(t, local("a"), local("b"))
	require.Equal(t, []string{"update a changed:region"}, d.takeKept(t, inRegion("a", "1"), local("b")))
	d.now = noon
	plan, err := d.take(t, d.mustRevision(t), local("b"))
	require.NoError(t, err)
	require.Equal(t, []string{"remove a"}, steps(plan))
}
