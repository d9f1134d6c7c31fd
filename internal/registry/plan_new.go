package registry

import (
	"hash/maphash"
	"slices"
)

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
		plan.note(Step{Action: Add, ID: t.ID, Name: t.Name})
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
			plan.note(Step{Action: Add, ID: t.ID, Name: t.Name})
		case !i.FirstDuplicate:
			return &DuplicateError{ID: t.ID}
		default:
			plan.Skipped++
			plan.note(Step{Action: Skip, ID: t.ID, Name: t.Name})
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
