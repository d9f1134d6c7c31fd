package registry

// Action is what an import does with one thing.
type Action string

// What an import does with a tenant, a profile or a session.
const (
	Add    Action = "add"
	Update Action = "update"
	Remove Action = "remove"
	Keep   Action = "keep" // nothing changes, though the file says otherwise
	Skip   Action = "skip" // a second tenant of one id, or what the registry has no place for
	Select Action = "select"
	Stay   Action = "stay" // the file lacks it, for it is older than the tenant or the registry is right
	Gone   Action = "gone" // the file has it, for it is older than its deletion
)

// Step is what an import does with one tenant, in names of members, not values.
type Step struct {
	Action  Action
	ID      TenantID
	Name    string
	Kind    Kind
	Changed []string
	// Kept names the members that the file lacks and the registry keeps.
	Kept []string
	// Masked names the members whose mask in the file did not replace a real value.
	Masked []string
	// Stale names the members that the file has as they were here before they were
	// changed: it is taken for older than the change. With Ours, also what both changed.
	Stale []string
	// Removed is what went with a tenant that was removed.
	Removed *Removed
}

// tells tells whether the file says otherwise than the registry that keeps its own.
func (s Step) tells() bool { return s.Kept != nil || s.Masked != nil || s.Stale != nil }

// Left is something that an import leaves out: why, as a code and in words.
type Left struct{ Reason, Why string }

// Is tells whether there is something.
func (l Left) Is() bool { return l.Why != "" }

// The reasons that the registry has; those of a file are its reader's.
const (
	noSuchTenant  = "no_tenant"    // the tenant that it names is not there
	noSuchProfile = "no_profile"   // the profile that it names is not there
	otherTenants  = "other_tenant" // that profile belongs to another tenant
	nameTaken     = "name_taken"   // its name differs from another's by case alone
	notAllowed    = "invalid"      // a name or a value that is not allowed
)

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
	// Ambiguous are ids, a few of them, that are also another tenant's name by then.
	Ambiguous []TenantID
	// Profiles and Sessions list what became of those; not the unchanged.
	Profiles []ProfileStep
	Sessions []SessionStep

	keeps bool // the registry keeps something that the file says otherwise
}

func (p *Plan) note(s Step) {
	p.keeps = p.keeps || s.tells()
	if len(p.Steps) < maxSteps {
		p.Steps = append(p.Steps, s)
	} else {
		p.Omitted++
	}
}
