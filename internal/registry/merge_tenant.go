package registry

import (
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
)

// outcome is what is to become of one tenant: without an action of its step there is nothing to
// do and nothing to say.
type outcome struct {
	step     Step
	tenant   Tenant // what is to be added, or what it is to be updated to
	conflict *Conflict
}

// outcomeOf says what is to become of a tenant that the registry has as ours and the file as
// theirs, nil where it lacks it. That ours are in use is not looked at.
func (k knowledge) outcomeOf(past []version, ours, theirs *Tenant, settle Side, d digester) outcome {
	switch {
	case ours == nil:
		return k.mergeUnknown(past, *theirs, settle, d)
	case theirs == nil:
		return k.mergeMissing(past, *ours, settle)
	}
	m := memberMerge{knowledge: k, past: past, shown: imageOf(*theirs, d), settle: settle}
	return m.run(*ours, *theirs)
}

// memberMerge merges a tenant that both have.
type memberMerge struct {
	knowledge
	past      []version
	shown     version
	settle    Side
	step      Step
	conflicts []string
}

func (m *memberMerge) run(ours, theirs Tenant) (o outcome) {
	o.tenant = ours
	for _, member := range Members[1:] { // the id is the same
		switch {
		case member.masks(&ours, &theirs):
			m.step.Masked = append(m.step.Masked, member.Name)
		case !member.has(&theirs) && member.Forgettable:
			if member.has(&ours) {
				m.step.Kept = append(m.step.Kept, member.Name)
			}
		case m.takes(member.Name, member.Name):
			member.take(&o.tenant, &theirs)
		}
	}
	var newer []string
	for name, text := range theirs.Unknown.all {
		if m.takes(ofUnknown+name, name) {
			newer = append(newer, `"`+name+`":`+text)
		}
	}
	o.tenant.Unknown = ours.Unknown.with(NewUnknown(strings.Join(newer, ",")))
	if len(m.conflicts) > 0 {
		o.conflict = &Conflict{ID: ours.ID, Members: m.conflicts}
	}
	o.step = m.step
	o.step.ID, o.step.Name, o.step.Kind, o.step.Changed = ours.ID, o.tenant.Name, o.tenant.Kind, ours.Differing(o.tenant)
	switch {
	case len(o.step.Changed) > 0:
		o.step.Action = Update
	case o.step.tells():
		o.step.Action = Keep
	}
	return o
}

// takes tells whether a member is to be as the file shows it.
func (m *memberMerge) takes(member, called string) bool {
	switch m.decide(valuesOf(m.past, member), m.shown.value(member)) {
	case stale:
		m.step.Stale = append(m.step.Stale, called)
	case theirsChanged:
		return true
	case bothChanged:
		switch m.settle {
		case Nobody:
			m.conflicts = append(m.conflicts, called)
		case Ours:
			m.step.Stale = append(m.step.Stale, called)
		}
		return m.settle == Theirs
	}
	return false
}

// mergeUnknown merges a tenant that only the file has: the other program added it or, where sp
// deleted it since the file was read, did or did not change it.
func (k knowledge) mergeUnknown(past []version, theirs Tenant, settle Side, d digester) (o outcome) {
	o.step, o.tenant = Step{Action: Gone, ID: theirs.ID, Name: theirs.Name, Kind: theirs.Kind}, theirs
	if k.blind || k.decide(valuesOf(past, itself), there) == theirsChanged {
		o.step.Action = Add
		return o
	}
	shown := imageOf(theirs, d)
	for name := range saying(theirs) {
		values := valuesOf(past, name)
		switch {
		case values[k.base(values, shown.value(name))].text == shown.value(name):
		case settle == Theirs:
			o.step.Action = Add
		case settle == Nobody:
			o.conflict = &Conflict{ID: theirs.ID, Deleted: Ours}
		}
	}
	return o
}

// mergeMissing merges a tenant that the file lacks: it is newer than the file, or the other
// program removed it. What sp changed meanwhile somebody has to settle.
func (k knowledge) mergeMissing(past []version, ours Tenant, settle Side) (o outcome) {
	o.step = Step{ID: ours.ID, Name: ours.Name, Kind: ours.Kind}
	switch k.decide(valuesOf(past, itself), "") {
	case stays:
		return o
	case stale:
		o.step.Action = Stay
		return o
	}
	o.step.Action = Remove
	if k.blind || k.changedHere(past) {
		return o.neededHere(settle)
	}
	return o
}

func (k knowledge) changedHere(past []version) bool {
	const nothing = "-" // as the file lacks the tenant, it shows nothing as it was before
	for _, v := range past {
		for name := range v.image {
			if values := valuesOf(past, name); values[k.base(values, nothing)].text != values[len(values)-1].text {
				return true
			}
		}
	}
	return false
}

// neededHere is the removal of a tenant that sp still needs.
func (o outcome) neededHere(settle Side) outcome {
	switch settle {
	case Nobody:
		o.conflict = &Conflict{ID: o.step.ID, Deleted: Theirs}
		o.step.Action = ""
	case Ours:
		o.step.Action = Stay
	}
	return o
}

// dateBy returns the latest state that a tenant of the file, nil where it lacks it, shows.
func (k knowledge) dateBy(past []version, theirs *Tenant, d digester) (latest int64) {
	if theirs == nil {
		return k.date(valuesOf(past, itself), "")
	}
	shown := imageOf(*theirs, d)
	for name := range saying(*theirs) {
		latest = max(latest, k.date(valuesOf(past, name), shown.value(name)))
	}
	return max(latest, k.date(valuesOf(past, itself), there))
}

// saying yields the members of which a file says something: a mask says nothing, nor does
// the absence of what some programs don't know.
func saying(t Tenant) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, m := range Members[1:] {
			s := m.SecretOf(&t)
			masked := m.URL && s != nil && pgurl.IsMasked(*s)
			if !masked && (m.has(&t) || !m.Forgettable) && !yield(m.Name) {
				return
			}
		}
		for name := range t.Unknown.all {
			if !yield(ofUnknown + name) {
				return
			}
		}
	}
}

// ofUnknown is before the name of a member that the record does not define, in an image
// that tells these apart.
const ofUnknown = unknownMembers + "."

// imageOf is what the file shows of a tenant.
func imageOf(theirs Tenant, d digester) version {
	m := imageOfTenant(theirs, d)
	spread(m, theirs.Unknown)
	return version{image: m}
}

// spread tells the members apart that the record does not define.
func spread(m image, unknown Unknown) {
	delete(m, unknownMembers)
	for name, text := range unknown.all {
		m[ofUnknown+name] = json.RawMessage(text)
	}
}

// spreadFound does so as far as anybody still has their text.
func spreadFound(m image, find finder) error {
	r := imageReader{image: m, find: find}
	unknown := r.members()
	if errors.Is(r.err, ErrForgotten) {
		return nil
	}
	if r.err == nil {
		spread(m, unknown)
	}
	return r.err
}
