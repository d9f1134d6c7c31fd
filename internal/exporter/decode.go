package exporter

import (
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// Decode reads a tenants.json and hands each tenant to take as it is read, with
// the place where its object starts; it holds no more than one tenant in memory.
// It accepts what the original tool accepts, in any order and layout, but for a
// tenant written as an array, and keeps the members that the record does not
// define. What it refuses is a *jsontext.FormatError; an error of r is returned wrapped
// and one of take as it is. By then take may have seen tenants.
func Decode(r io.Reader, take func(registry.Tenant, jsontext.Place) error) (registry.Document, error) {
	s := jsontext.NewScanner(r)
	d := decoder{s: s, take: take, beside: jsontext.NewCompactor(s), within: jsontext.NewCompactor(s)}
	doc, err := d.document()
	if err != nil {
		return registry.Document{}, err
	}
	if err := s.Finish(); err != nil {
		return registry.Document{}, err
	}
	return doc, nil
}

type decoder struct {
	s      *jsontext.Scanner
	take   func(registry.Tenant, jsontext.Place) error
	beside *jsontext.Compactor // members beside tenants and synced_at
	read   registry.Tenant
	within *jsontext.Compactor // members of the tenant being read
}

func (d *decoder) document() (registry.Document, error) {
	var doc registry.Document
	if err := d.s.Open('{', "the text does not start with an object"); err != nil {
		return doc, err
	}
	o := object{s: d.s, defined: []string{"tenants", "synced_at"}, unknown: d.beside}
	for {
		i, more, err := o.next()
		if err != nil {
			return doc, err
		}
		if !more {
			break
		}
		if o.defined[i] == "tenants" {
			err = d.tenants()
		} else {
			err = d.syncedAt(&doc)
		}
		if err != nil {
			return doc, err
		}
	}
	doc.Unknown = registry.NewUnknown(d.beside.Members())
	return doc, o.require("tenants", "synced_at")
}

func (d *decoder) syncedAt(doc *registry.Document) error {
	at := d.s.Place()
	text, err := d.text("synced_at")
	if err != nil {
		return err
	}
	if doc.SyncedAt, err = registry.ParseTime(string(text)); err != nil {
		return d.s.FailAt(at, about("synced_at", "is not an RFC 3339 time with a zone, in the years 0001 to 9999"))
	}
	return nil
}

func (d *decoder) tenants() error {
	if err := d.s.Open('[', about("tenants", "is not an array")); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := d.s.Next(i == 0, ']')
		if err != nil || !more {
			return err
		}
		at := d.s.Place()
		tenant, err := d.tenant()
		if err != nil {
			return inTenant(err, i)
		}
		if err := d.take(tenant, at); err != nil {
			return err
		}
	}
}

// inTenant adds to a refusal which tenant it is about.
func inTenant(err error, index int) error {
	if refusal, ok := err.(*jsontext.FormatError); ok {
		refusal.Problem = fmt.Sprintf("tenants[%d]: %s", index, refusal.Problem)
	}
	return err
}

// about says what is wrong with a member that the record defines.
func about(name, problem string) string { return `member "` + name + `" ` + problem }
