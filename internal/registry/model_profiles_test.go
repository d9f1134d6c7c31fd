package registry

import (
	"strings"
	"time"
)

// The rules for profiles and sessions, written down a second time.

func (m *model) alike(name, except string) bool {
	for other := range m.profiles {
		if other != except && strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}

func (m *model) addProfile(name string, id *TenantID) error {
	switch {
	case id == nil && m.selected == "":
		return ErrNoTenant
	case id == nil:
		id = &m.selected
	}
	if m.at(*id) < 0 {
		return ErrNotFound
	}
	if m.alike(name, "") {
		return ErrExists
	}
	m.profiles[name] = *id
	m.changed(false)
	return nil
}

func (m *model) editProfile(e ProfileEdit) error {
	tenant, ok := m.profiles[e.Name]
	if !ok {
		return ErrNotFound
	}
	name := e.Name
	if e.NewName != nil {
		if m.alike(*e.NewName, e.Name) {
			return ErrExists
		}
		name = *e.NewName
	}
	isSession := m.sessions[tenant].Profile == e.Name
	if e.Tenant != nil && *e.Tenant != tenant {
		if m.at(*e.Tenant) < 0 {
			return ErrNotFound
		}
		if isSession {
			return ErrInUse
		}
		tenant = *e.Tenant
	}
	delete(m.profiles, e.Name)
	m.profiles[name] = tenant
	if isSession {
		session := m.sessions[tenant]
		session.Profile = name
		m.sessions[tenant] = session
	}
	if m.standard == e.Name {
		m.standard = name
	}
	m.changed(false)
	return nil
}

func (m *model) dropProfile(name string) error {
	if _, ok := m.profiles[name]; !ok {
		return ErrNotFound
	}
	m.forget(name)
	m.changed(false)
	return nil
}

func (m *model) use(name string, now time.Time) error {
	tenant, ok := m.profiles[name]
	if !ok {
		return ErrNotFound
	}
	if err := m.choose(tenant); err != nil {
		return err
	}
	m.sessions[tenant] = Session{Tenant: tenant, Profile: name, ChosenAt: now.Truncate(time.Microsecond)}
	m.changed(false)
	return nil
}

func (m *model) setDefault(name *string) error {
	if name == nil {
		m.standard = ""
	} else if _, ok := m.profiles[*name]; !ok {
		return ErrNotFound
	} else {
		m.standard = *name
	}
	m.changed(false)
	return nil
}
