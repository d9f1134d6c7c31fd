package registry

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/sp-registry/sp/db/queries"
)

// addAll puts the tenants of the file into a registry that has none. There is nothing
// to look up, the indexes are made when all rows are there, and the file is read while
// they are written. Two tenants with one id are db.ErrNotUnique, but where the file is
// refused for something else: that is a refusedError, for they may stand before it.
func (c *change) addAll(ctx context.Context, i Import, plan *Plan) (document Document, err error) {
	if err := c.startAppending(ctx); err != nil {
		return document, err
	}
	insert := func() error {
		put := func(row queries.InsertTenantParams) error { return c.q.InsertTenant(ctx, row) }
		document, err = inBatches(i.readHastily, put, func(t Tenant) (queries.InsertTenantParams, error) {
			plan.Added++
			plan.note(Step{Action: Add, ID: t.ID, Name: t.Name, Kind: t.Kind})
			c.record.last++
			return rowOf(t, c.record.last, c.revision), checkWhole(t)
		})
		return err
	}
	remake, err := c.write.DropIndexes(ctx, "tenants_id", "tenants_name")
	if err == nil {
		err = c.prepared(insert)
	}
	if err == nil {
		err = remake()
	}
	if c.touched = plan.Added > 0; !c.touched {
		c.record.first, c.record.last = 0, 0
	}
	return document, err
}

// refusedError is returned inside for a file that was refused without a look for two
// tenants with one id.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

func (i Import) readHastily(take func(Tenant) error) (Document, error) {
	document, err := i.Read(take)
	if err != nil {
		err = refusedError{err}
	}
	return document, err
}

func checkWhole(t Tenant) error {
	if t.ID == "" || t.Name == "" || !t.IsLocal() && !t.IsCloud() {
		return fmt.Errorf("tenant %s: id, name or type is missing: %w", t.ID, ErrInvalid)
	}
	return nil
}

// inBatches reads tenants, makes rows of them and, in another goroutine, puts those
// where they belong, in order.
func inBatches[Row any](read func(take func(Tenant) error) (Document, error), put func(Row) error, row func(Tenant) (Row, error)) (Document, error) {
	var stopped atomic.Bool
	batches, done := make(chan []Row, 2), make(chan error)
	go func() {
		var err error
		for batch := range batches {
			for i := 0; err == nil && i < len(batch); i++ {
				err = put(batch[i])
			}
			stopped.Store(err != nil)
		}
		done <- err
	}()
	var next []Row
	held := 0 // of what is beside the record
	document, err := read(func(t Tenant) error {
		made, err := row(t)
		if err != nil {
			return err
		}
		held += len(t.Unknown.Reveal())
		if next = append(next, made); len(next) == batch || held > batchBytes {
			batches <- next
			next, held = make([]Row, 0, batch), 0
		}
		if stopped.Load() {
			return errStopped
		}
		return nil
	})
	batches <- next
	close(batches)
	if failed := <-done; failed != nil {
		err = failed
	}
	return document, err
}

// errStopped ends a reading whose tenants can't be put anywhere.
var errStopped = errors.New("stopped")

// PlanNew returns what an import into a new registry would do, without one; the
// file is refused as it would be there, and read once more to find out if two tenants
// may have one id.
func PlanNew(i Import) (plan Plan, err error) {
	belonging := i.belonging()
	if i.Read != nil {
		plan, err = planTenants(i, belonging)
	}
	if err == nil {
		belonging.plan(i, &plan)
	}
	return plan, err
}

func planTenants(i Import, belonging belonging) (plan Plan, err error) {
	ids := hashes{seed: maphash.MakeSeed()}
	document, err := i.Read(func(t Tenant) error {
		belonging.note(t.ID)
		ids.add(t.ID)
		plan.Added++
		plan.note(Step{Action: Add, ID: t.ID, Name: t.Name, Kind: t.Kind})
		return nil
	})
	plan.Document = document
	if twice := ids.twice(); len(twice) > 0 { // they may stand before what else is wrong
		return planDuplicates(i, twice, ids.seed)
	}
	return plan, err
}

// planDuplicates is PlanNew for a file in which ids with these hashes may stand twice.
func planDuplicates(i Import, twice map[uint64]bool, seed maphash.Seed) (plan Plan, err error) {
	seen := map[TenantID]bool{}
	plan.Document, err = i.Read(func(t Tenant) error {
		known := seen[t.ID]
		if twice[maphash.String(seed, string(t.ID))] {
			seen[t.ID] = true
		}
		switch {
		case !known:
			plan.Added++
			plan.note(Step{Action: Add, ID: t.ID, Name: t.Name, Kind: t.Kind})
		case !i.FirstDuplicate:
			return &DuplicateError{ID: t.ID}
		default:
			plan.Skipped++
			plan.note(Step{Action: Skip, ID: t.ID, Name: t.Name, Kind: t.Kind})
		}
		return nil
	})
	return plan, err
}

// hashes are those of very many ids, eight bytes each, in shares that grow on their own.
type hashes struct {
	seed   maphash.Seed
	shares [256][]uint64
}

func (h *hashes) add(id TenantID) {
	hash := maphash.String(h.seed, string(id))
	h.shares[hash>>56] = append(h.shares[hash>>56], hash)
}

// twice returns the hashes that were added more than once.
func (h *hashes) twice() map[uint64]bool {
	found := map[uint64]bool{}
	for _, share := range h.shares {
		slices.Sort(share)
		for i, hash := range share[:max(len(share)-1, 0)] {
			if hash == share[i+1] {
				found[hash] = true
			}
		}
	}
	return found
}

// belonging tells which tenants that profiles and sessions name are in the file.
type belonging map[TenantID]bool

func (i Import) belonging() belonging {
	named := belonging{}
	for _, p := range i.Profiles {
		named[p.Tenant] = false
	}
	if i.Sessions != nil {
		for _, s := range i.Sessions.Put {
			named[s.Tenant] = false
		}
		if i.Sessions.Active != nil {
			named[*i.Sessions.Active] = false
		}
	}
	return named
}

func (b belonging) note(id TenantID) {
	if _, named := b[id]; named {
		b[id] = true
	}
}

// plan says what would come of profiles and sessions in a new registry.
func (b belonging) plan(i Import, plan *Plan) {
	profiles, keys := map[string]TenantID{}, map[string]bool{}
	for _, p := range i.Profiles {
		step := ProfileStep{Action: Skip, Name: p.Name, Tenant: p.Tenant}
		switch err := CheckProfileName(p.Name); {
		case err != nil:
			step.Left = []Left{{notAllowed, err.Error()}}
		case !b[p.Tenant]:
			step.Left = []Left{noTenant(p.Tenant)}
		case keys[nameKey(p.Name)]:
			step.Left = []Left{otherCase}
		default:
			step.Action = Add
			step.Secrets, step.Left = takenOf(p.Secrets, nil)
			profiles[p.Name], keys[nameKey(p.Name)] = p.Tenant, true
		}
		plan.Profiles = append(plan.Profiles, step)
	}
	if i.Sessions == nil {
		return
	}
	for _, s := range i.Sessions.Put {
		step := SessionStep{Action: Add, Tenant: s.Tenant, Profile: s.Profile}
		tenant, known := profiles[s.Profile]
		if step.Left = whyNoPlace(b[s.Tenant], known, Profile{Name: s.Profile, Tenant: tenant}, s.Tenant); step.Is() {
			step.Action = Skip
		}
		plan.Sessions = append(plan.Sessions, step)
	}
	if active := i.Sessions.Active; active != nil {
		step := SessionStep{Action: Select, Tenant: *active, Profile: i.Sessions.ActiveProfile}
		if !b[*active] {
			step = SessionStep{Action: Skip, Tenant: *active, Left: notActive}
		}
		plan.Sessions = append(plan.Sessions, step)
	}
}
