package registry

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

// deskKeeper keeps the tenants of a world in a registry.
type deskKeeper struct{ *desk }

// show has the file show the registry, if the world wants it, and returns the last change
// of tenants.
func (k *deskKeeper) show(w *world) int64 {
	if k.clock = nil; w.publish {
		k.clock = &w.clock
	}
	k.publish(w)
	v, err := k.View(context.Background())
	require.NoError(w, err)
	defer v.Close()
	state, err := v.State(context.Background())
	require.NoError(w, err)
	return state.TenantsRevision
}

func (k *deskKeeper) change(w *world, next side) int64 {
	k.now = w.now
	i := file(next.tenants()...)
	i.Exact, i.Prune = true, true
	_, err := k.ImportTenants(context.Background(), i)
	require.NoError(w, err)
	return k.show(w)
}

func (k *deskKeeper) undo(w *world, _ side) int64 {
	k.now = w.now
	_, err := k.Undo(context.Background(), Undo{Sequence: &w.revision})
	require.NoError(w, err)
	return k.show(w)
}

func (k *deskKeeper) takeOver(w *world, f written, settle Side) (int64, []Step, []Conflict) {
	k.now = w.now
	b := mergeOf(w.shown[len(w.shown)-1].revision, settle, f.content.tenants()...)
	b.Written, b.Unseen, b.Unread = f.at, f.aside, f.aside
	plan, err := k.TakeOver(context.Background(), b)
	var all *ConflictsError
	if errors.As(err, &all) {
		slices.SortFunc(all.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.ID, b.ID) })
		return w.revision, nil, all.Conflicts
	}
	require.NoError(w, err)
	return k.show(w), plan.Steps, nil
}

func (k *deskKeeper) tenants(w *world) []Tenant {
	v, err := k.View(context.Background())
	require.NoError(w, err)
	defer v.Close()
	return mustAll(w, v.Tenants(context.Background(), Page{}))
}

// history keeps the tenants of a world itself, and goes by the rule alone.
type history struct {
	now      map[string]Tenant
	past     map[string][]version
	states   []published
	made     map[int64]time.Time
	revision int64
}

func (h *history) change(w *world, next side) int64 {
	h.put(w, next.tenants(), bySP)
	return h.revision
}

func (h *history) undo(w *world, next side) int64 { return h.change(w, next) }

func (h *history) tenants(*world) []Tenant {
	return slices.SortedFunc(maps.Values(h.now), func(a, b Tenant) int { return cmp.Compare(a.ID, b.ID) })
}

// put makes these the tenants.
func (h *history) put(w *world, tenants []Tenant, by author) {
	next, ids := map[string]Tenant{}, map[string]bool{}
	for _, t := range tenants {
		next[string(t.ID)], ids[string(t.ID)] = t, true
	}
	for id := range h.now {
		ids[id] = true
	}
	changed := false
	for id := range ids {
		before, was := h.now[id]
		after, is := next[id]
		if was == is && (!is || len(before.Differing(after)) == 0) {
			continue
		}
		changed = true
		v := version{from: h.revision + 1, by: by}
		if is {
			v.image = imageOf(after, digester{}).image
		}
		h.past[id] = append(h.past[id], v)
	}
	if h.now = next; changed {
		h.revision++
		h.made[h.revision] = w.now
	}
	if n := len(h.states); w.publish && (n == 0 || h.states[n-1].revision != h.revision) {
		h.states = append(h.states, published{revision: h.revision, since: w.clock})
	}
}

// since is what a tenant was from a revision on, for who wrote a file.
func (h *history) since(id string, revision int64, f written) []version {
	past := []version{{from: revision}}
	for _, v := range h.past[id] {
		if f.aside && v.by == byOther && h.made[v.from].After(f.at) {
			v.by = byOtherSince
		}
		if v.from <= revision {
			past[0] = version{from: revision, image: v.image, by: v.by}
		} else {
			past = append(past, v)
		}
	}
	return past
}

func (h *history) takeOver(w *world, f written, settle Side) (int64, []Step, []Conflict) {
	file, ids := map[string]Tenant{}, map[string]bool{}
	for _, t := range f.content.tenants() {
		file[string(t.ID)] = t
	}
	for id := range file {
		ids[id] = true
	}
	for id := range h.past {
		ids[id] = true
	}
	states := slices.Clone(h.states)
	states[len(states)-1].unread = f.aside
	k := knows(0, states, f.at)
	for id := range ids {
		k.known = max(k.known, k.dateBy(h.since(id, 0, f), tenantIn(file, id), digester{}))
	}
	if settle == Theirs && !f.aside {
		k.known = h.states[len(h.states)-1].revision
	}
	var conflicts []Conflict
	var steps []Step
	var after []Tenant
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		ours, theirs := tenantIn(h.now, id), tenantIn(file, id)
		if ours == nil && theirs == nil {
			continue
		}
		o := k.outcomeOf(h.since(id, k.known, f), ours, theirs, settle, digester{})
		if o.conflict != nil {
			conflicts = append(conflicts, *o.conflict)
		}
		steps = append(steps, o.step)
		switch {
		case o.step.Action == Add || o.step.Action == Update:
			after = append(after, o.tenant)
		case ours != nil && o.step.Action != Remove:
			after = append(after, *ours)
		}
	}
	by := byOther
	if f.aside {
		by = byOtherUnseen
	}
	if conflicts == nil {
		h.put(w, after, by)
	}
	return h.revision, steps, conflicts
}

func tenantIn(tenants map[string]Tenant, id string) *Tenant {
	t, ok := tenants[id]
	if !ok {
		return nil
	}
	return &t
}
