package registry

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mustEdit changes the region of a tenant, and returns the revision of that.
func (d *desk) mustMove(t *testing.T, id TenantID, region string) int64 {
	t.Helper()
	_, _, err := d.UpdateTenant(t.Context(), TenantEdit{ID: id, Set: values{"region": sealed(region)}})
	require.NoError(t, err)
	d.publish(t)
	return d.mustRevision(t)
}

func (d *desk) mustRevision(t *testing.T) int64 {
	t.Helper()
	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	state, err := v.State(t.Context())
	require.NoError(t, err)
	return state.TenantsRevision
}

// publishes has each change of tenants show in the file at once, dated by that clock.
func (d *desk) publishes(clock *time.Time) { d.clock = clock }

// publish has the file show the registry, if it does so at all.
func (d *desk) publish(t require.TestingT) {
	if d.clock == nil {
		return
	}
	ctx := context.Background()
	tx, err := d.Begin(ctx)
	require.NoError(t, err)
	state, err := tx.View().State(ctx)
	require.NoError(t, err)
	require.NoError(t, tx.Remember(ctx, Followed{Files: []File{{Path: "tenants.json", Current: "x", TenantsRevision: state.TenantsRevision, Written: *d.clock}}}))
	_, err = tx.Commit()
	require.NoError(t, errors.Join(err, tx.Close()))
}

func mustPublishingDesk(t *testing.T) *desk {
	d := mustDesk(t)
	d.publishes(&d.now)
	return d
}

// take takes over a file of these tenants that was written now.
func (d *desk) take(t *testing.T, since int64, tenants ...Tenant) (Plan, error) {
	t.Helper()
	b := mergeOf(since, Nobody, tenants...)
	b.Written = d.now
	defer d.publish(t)
	return d.TakeOver(t.Context(), b)
}

func inRegion(id TenantID, region string) Tenant {
	return with(local(id), func(t *Tenant) { t.Region = &region })
}

// A whole file that was read before a change of ours, and written after it, has the old
// value: that is no change of theirs. Ten minutes later it is one.
func TestAFileThatIsOlderThanAChangeDoesNotTakeItBack(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{
		time.Second: "update a changed:name stale:region", 10*time.Minute - time.Second: "update a changed:name stale:region",
		10*time.Minute + time.Second: "update a changed:name,region",
	} {
		d := mustPublishingDesk(t)
		d.now = noon.Add(-time.Hour)
		d.mustBase(t, inRegion("a", "old"))
		d.now = noon
		since := d.mustMove(t, "a", "new")
		d.now = noon.Add(after)
		plan, err := d.take(t, since, with(inRegion("a", "old"), func(t *Tenant) { t.Name = "theirs" }))
		require.NoError(t, err)
		require.Equal(t, []string{want}, steps(plan), after)
	}
}

// Any value of that time is out of date, and one that was never there is a change: then both
// changed it.
func TestOnlyWhatWasThereIsOutOfDate(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"1", "2", "4"} {
		d := mustPublishingDesk(t)
		d.mustBase(t, inRegion("a", "1"))
		d.mustMove(t, "a", "2")
		since := d.mustMove(t, "a", "3")
		plan, err := d.take(t, since, inRegion("a", region))
		if region == "4" {
			require.ErrorIs(t, err, ErrConflict)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []string{"keep a stale:region"}, steps(plan))
	}
	d := mustPublishingDesk(t)
	d.mustBase(t, inRegion("a", "1"))
	since := d.mustMove(t, "a", "2")
	_, err := d.TakeOver(t.Context(), mergeOf(since, Nobody, inRegion("a", "1")))
	require.NoError(t, err)
	require.Equal(t, revealAll([]Tenant{inRegion("a", "1")}), mustContents(t, d.path).Tenants, "when it was written is not known")
}

// What the other program itself changed it knew: to take that back is a change.
func TestTheOtherProgramMayTakeItsOwnChangeBack(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.now = noon.Add(-time.Hour)
	since := d.mustBase(t, inRegion("a", "1"), local("b"))
	d.now = noon
	_, err := d.take(t, since, inRegion("a", "2"), local("c"))
	require.NoError(t, err)
	plan, err := d.take(t, d.mustRevision(t), inRegion("a", "1"), local("b"))
	require.NoError(t, err)
	require.Equal(t, []string{"update a changed:region", "add b", "remove c"}, steps(plan))
}

// A file that lacks a tenant because it is older does not remove it, nor does one that
// still has what was deleted bring it back; unless it changed that.
func TestAFileThatIsOlderAddsAndRemovesNothing(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.now = noon.Add(-time.Hour)
	d.mustBase(t, local("a"), local("deleted"))
	d.now = noon
	since := d.mustBase(t, local("a"), local("added"))
	plan, err := d.take(t, since, local("a"), local("deleted"))
	require.NoError(t, err)
	require.Equal(t, []string{"gone deleted", "stay added"}, steps(plan))
	require.Equal(t, []string{"a", "added"}, ids(mustContents(t, d.path)))

	_, err = d.take(t, since, local("a"), inRegion("deleted", "x"))
	var conflicts *ConflictsError
	require.ErrorAs(t, err, &conflicts)
	require.Equal(t, []Conflict{{ID: "deleted", Deleted: Ours}}, conflicts.Conflicts)

	d.now = noon.Add(time.Hour)
	plan, err = d.take(t, since, local("a"), local("deleted"))
	require.NoError(t, err)
	require.Equal(t, []string{"add deleted", "remove added"}, steps(plan), "later it is meant")
}

func TestAMergeRefusesAFileThatHasATenantTwice(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	since := d.mustBase(t, local("a"), local("deleted"))
	d.mustBase(t, local("a"))
	for _, id := range []TenantID{"a", "deleted", "new"} {
		_, err := d.take(t, since, local(id), local(id))
		var twice *DuplicateError
		require.ErrorAs(t, err, &twice, id)
	}
	require.Equal(t, []string{"a"}, ids(mustContents(t, d.path)))
}

// A merge that is part of a command is a change of its own before it, and is taken
// back with it.
func TestAMergeIsAChangeOfItsOwnBeforeACommand(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	since := d.mustBase(t, local("a"))
	b := mergeOf(since, Nobody, local("a"), local("theirs"))
	create := func(id TenantID) (Plan, error) {
		return d.behind(t.Context(), b, func(r *Registry) error {
			_, err := r.CreateTenant(t.Context(), NewTenant{Tenant: local(id)})
			return err
		})
	}
	_, err := create("a")
	require.ErrorIs(t, err, ErrExists)
	require.Equal(t, []string{"a"}, ids(mustContents(t, d.path)))

	plan, err := create("b")
	require.NoError(t, err)
	require.Equal(t, []string{"add theirs"}, steps(plan))
	require.Equal(t, []string{"a", "theirs", "b"}, ids(mustContents(t, d.path)))

	v, err := d.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	var commands []string
	for c, err := range v.Changes(t.Context(), nil, Page{Limit: 2}) {
		require.NoError(t, err)
		commands = append(commands, c.Command)
	}
	require.Equal(t, []string{"sp test", mergeCommand}, commands)
}

// What an undo is meant to take back is not what another program did a moment ago.
func TestAnUndoPassesOverTheMergeBeforeIt(t *testing.T) {
	t.Parallel()
	d := mustPublishingDesk(t)
	d.mustBase(t, local("a"))
	since := d.mustMove(t, "a", "new")
	b := mergeOf(since, Nobody, inRegion("a", "new"), local("theirs"))
	var undone Undone
	_, err := d.behind(t.Context(), b, func(r *Registry) (err error) {
		undone, err = r.Undo(t.Context(), Undo{})
		return err
	})
	require.NoError(t, err)
	require.Equal(t, since, undone.Change.Sequence)
	require.Equal(t, revealAll([]Tenant{local("a"), local("theirs")}), mustContents(t, d.path).Tenants)
}

// What was in the file between a backup and its restore, nobody knows: who wrote it just after
// that may have read it before.
func TestJustAfterARestoreNothingIsTakenForGranted(t *testing.T) {
	t.Parallel()
	for after, refused := range map[time.Duration]bool{time.Minute: true, 10 * time.Minute: false} {
		d := mustPublishingDesk(t)
		d.now = noon.Add(-time.Hour)
		d.mustBase(t, inRegion("a", "1"))
		d.now = noon
		since := d.mustMove(t, "a", "2")
		mustMess(t, d.path, "UPDATE changes SET restored = 1 WHERE sequence = (SELECT max(sequence) FROM changes)")
		d.now = noon.Add(after)
		_, err := d.take(t, since, inRegion("a", "1"))
		if refused {
			require.ErrorIs(t, err, ErrConflict)
			continue
		}
		require.NoError(t, err)
		d.requireTenant(t, inRegion("a", "1"))
	}
}
