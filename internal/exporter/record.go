package exporter

import "github.com/sp-registry/sp/internal/registry"

// defined are the names of the record's members, required those that it must have.
var defined, required = func() (defined, required []string) {
	for _, m := range registry.Members {
		defined = append(defined, m.Name)
		if m.Required {
			required = append(required, m.Name)
		}
	}
	return defined, required
}()

// tenant reads one record.
func (d *decoder) tenant() (registry.Tenant, error) {
	d.read = registry.Tenant{Kind: registry.Local}
	if err := d.s.Open('{', "not an object"); err != nil {
		return d.read, err
	}
	o := object{s: d.s, defined: defined, unknown: d.within}
	for {
		i, more, err := o.next()
		if err != nil {
			return d.read, err
		}
		if !more {
			break
		}
		if err := d.member(registry.Members[i]); err != nil {
			return d.read, err
		}
	}
	d.read.Unknown = registry.NewUnknown(d.within.Members())
	return d.read, o.require(required...)
}

// member reads the value of a member of the record.
func (d *decoder) member(m *registry.Member) error {
	at, text, there := d.s.Place(), "", true
	var err error
	switch {
	case m.Truth:
		text, err = d.truth(m.Name)
	case m.Optional:
		text, there, err = d.textOrNull(m.Name)
	default:
		text, err = d.filled(m)
	}
	if err != nil || !there {
		return err
	}
	if err := m.Set(&d.read, text); err != nil {
		return d.s.FailAt(at, about(m.Name, err.Error()))
	}
	return nil
}

// text reads a string; it is valid until the next one.
func (d *decoder) text(name string) ([]byte, error) {
	if d.s.Peek() != '"' {
		return nil, d.s.Fail(about(name, "is not a string"))
	}
	return d.s.Text()
}

// filled reads a string that is not empty where the member is required. One of the choices
// is not made anew for every tenant.
func (d *decoder) filled(m *registry.Member) (string, error) {
	at := d.s.Place()
	text, err := d.text(m.Name)
	for _, choice := range m.Choices {
		if choice == string(text) {
			return choice, err
		}
	}
	if err == nil && m.Required && len(text) == 0 {
		err = d.s.FailAt(at, about(m.Name, "is empty"))
	}
	return string(text), err
}

// textOrNull reads a string; of null it says that there is none.
func (d *decoder) textOrNull(name string) (text string, present bool, err error) {
	switch d.s.Peek() {
	case 'n':
		return "", false, d.s.Literal("null")
	case '"':
		text, err := d.s.Text()
		return string(text), true, err
	}
	return "", false, d.s.Fail(about(name, "is neither a string nor null"))
}

func (d *decoder) truth(name string) (string, error) {
	switch d.s.Peek() {
	case 't':
		return "true", d.s.Literal("true")
	case 'f':
		return "false", d.s.Literal("false")
	}
	return "", d.s.Fail(about(name, "is neither true nor false"))
}
