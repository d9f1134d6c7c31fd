package registry

import "hash/maphash"

// Action is what an import does with one tenant.
type Action string

// What an import does with a tenant.
const (
	Add    Action = "add"
	Update Action = "update"
	Remove Action = "remove"
	Keep   Action = "keep" // nothing changes, though the file says otherwise
	Skip   Action = "skip" // a second tenant of one id
)

// Step is what an import does with one tenant, in names of members, not values.
type Step struct {
	Action  Action
	ID      TenantID
	Name    string
	Changed []string
	// Kept names the members that the file lacks and the registry keeps.
	Kept []string
	// Masked names the members whose mask in the file did not replace a real value.
	Masked []string
	// Removed is what went with a tenant that was removed.
	Removed *Removed
}

// maxSteps bounds the steps that a plan lists, and so its memory; the counts are
// always whole.
const maxSteps = 1000

// Plan is what an import did or, with DryRun, would do.
type Plan struct {
	// Revision is the one that the registry had before.
	Revision                                    int64
	Added, Updated, Unchanged, Removed, Skipped int
	// Steps lists the first of them, without the unchanged.
	Steps []Step
	// Omitted counts the steps that are not listed.
	Omitted int
	// Document is the rest of the file as the registry holds it then.
	Document        Document
	DocumentChanged bool
}

func (p *Plan) note(s Step) {
	if len(p.Steps) < maxSteps {
		p.Steps = append(p.Steps, s)
	} else {
		p.Omitted++
	}
}

// PlanNew returns what an import into a new registry would do, without one; the
// file is refused as it would be there. It remembers a hash of each id, 64 bits of
// a million of which are alike by chance once in thirty million files.
func PlanNew(i Import) (Plan, error) {
	var plan Plan
	seen, seed := map[uint64]bool{}, maphash.MakeSeed()
	document, err := i.Read(func(t Tenant) error {
		id := maphash.String(seed, string(t.ID))
		switch {
		case !seen[id]:
			seen[id] = true
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
	plan.Document = document
	return plan, err
}
