package exporter

import (
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// defined lists the members of the record in its order.
var defined = []string{
	"id", "name", "app_id", "hostname", "region", "database_url", "internal_database_url",
	"tenant_type", "external_db_access", "sync_token", "shared_container_db",
}

// tenant reads one record.
func (d *decoder) tenant() (registry.Tenant, error) {
	t := registry.Tenant{Kind: registry.Local}
	if err := d.s.Open('{', "not an object"); err != nil {
		return t, err
	}
	o := object{s: d.s, defined: defined, unknown: d.within}
	for {
		name, more, err := o.next()
		if err != nil {
			return t, err
		}
		if !more {
			break
		}
		if err := d.member(&t, name); err != nil {
			return t, err
		}
	}
	t.Unknown = registry.NewMembers(d.within.Members())
	return t, o.require("id", "name")
}

// member reads the value of a member that the record defines.
func (d *decoder) member(t *registry.Tenant, name string) (err error) {
	switch name {
	case "id":
		var id string
		id, err = d.filled(name)
		t.ID = registry.TenantID(id)
	case "name":
		t.Name, err = d.filled(name)
	case "app_id":
		t.AppID, err = d.optional(name)
	case "hostname":
		t.Hostname, err = d.optional(name)
	case "region":
		t.Region, err = d.optional(name)
	case "database_url":
		t.DatabaseURL, err = d.secret(name)
	case "internal_database_url":
		t.InternalDatabaseURL, err = d.secret(name)
	case "tenant_type":
		t.Kind, err = d.kind(name)
	case "external_db_access":
		t.ExternalDBAccess, err = d.flag(name)
	case "sync_token":
		t.SyncToken, err = d.secret(name)
	case "shared_container_db":
		t.SharedContainerDB, err = d.optional(name)
	}
	return err
}

// text reads a string; it is valid until the next one.
func (d *decoder) text(name string) ([]byte, error) {
	if d.s.Peek() != '"' {
		return nil, d.s.Fail(about(name, "is not a string"))
	}
	return d.s.Text()
}

// filled reads a string that is not empty.
func (d *decoder) filled(name string) (string, error) {
	at := d.s.Place()
	text, err := d.text(name)
	if err == nil && len(text) == 0 {
		err = d.s.FailAt(at, about(name, "is empty"))
	}
	return string(text), err
}

// optional reads a string, or null as nil.
func (d *decoder) optional(name string) (*string, error) {
	text, present, err := d.textOrNull(name)
	if err != nil || !present {
		return nil, err
	}
	return &text, nil
}

// secret reads what optional reads.
func (d *decoder) secret(name string) (*secret.Secret, error) {
	text, present, err := d.textOrNull(name)
	if err != nil || !present {
		return nil, err
	}
	secret := secret.New(text)
	return &secret, nil
}

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

func (d *decoder) kind(name string) (registry.Kind, error) {
	at := d.s.Place()
	text, err := d.text(name)
	if err != nil {
		return "", err
	}
	for _, kind := range []registry.Kind{registry.Local, registry.Cloud} {
		if string(text) == string(kind) {
			return kind, nil
		}
	}
	return "", d.s.FailAt(at, about(name, "is neither local nor cloud"))
}

func (d *decoder) flag(name string) (bool, error) {
	switch d.s.Peek() {
	case 't':
		return true, d.s.Literal("true")
	case 'f':
		return false, d.s.Literal("false")
	}
	return false, d.s.Fail(about(name, "is neither true nor false"))
}
