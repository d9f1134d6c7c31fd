package server

import (
	"errors"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// members are new values of a tenant's members, by name.
type members map[string]*secret.Secret

func (m members) put(name, value string) {
	text := secret.New(value)
	m[name] = &text
}

func isNotFound(err error) bool { return errors.Is(err, registry.ErrNotFound) }
