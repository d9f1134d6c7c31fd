package exporter

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// ErrRefused is returned for a file that is no file of tenants.
var ErrRefused = errors.New("file refused")

// RepeatedError says where two tenants of a file have one id.
type RepeatedError struct {
	ID           registry.TenantID
	First, Again jsontext.Place
}

func (e *RepeatedError) Error() string {
	return fmt.Sprintf("tenant id %s stands at %s and again at %s", e.ID, e.First, e.Again)
}

// Source is a file of tenants that may be read more than once.
type Source struct {
	// Name is what people call it.
	Name string
	File io.ReadSeeker
	// Watch, unless nil, sees how far a reading has come.
	Watch func(io.Reader) io.Reader

	hash string // of what was read last
}

// Read hands each tenant to take and returns the rest of the file. What is wrong with the
// file is ErrRefused, with its name and the place.
func (s *Source) Read(take func(registry.Tenant) error) (registry.Document, error) {
	if _, err := s.File.Seek(0, io.SeekStart); err != nil {
		return registry.Document{}, err
	}
	var at jsontext.Place
	sum := sha256.New()
	r := readAhead(s.File, sum)
	document, err := Decode(s.watched(r), func(t registry.Tenant, place jsontext.Place) error {
		at = place
		return take(t)
	})
	r.stop()
	var format *jsontext.FormatError
	var duplicate *registry.DuplicateError
	switch {
	case errors.As(err, &duplicate):
		err = &RepeatedError{ID: duplicate.ID, First: s.first(duplicate.ID), Again: at}
		return document, fmt.Errorf("%s: %w: %w", s.Name, err, ErrRefused)
	case errors.As(err, &format):
		return document, fmt.Errorf("%s: %w: %w", s.Name, err, ErrRefused)
	case err == nil:
		s.hash = hex.EncodeToString(sum.Sum(nil)) // whole: Decode reads to the end
	}
	return document, err
}

// Check reads the file, and refuses one in which two tenants have one id, too.
func (s *Source) Check() error {
	seen := map[registry.TenantID]bool{}
	_, err := s.Read(func(t registry.Tenant) error {
		if seen[t.ID] {
			return &registry.DuplicateError{ID: t.ID}
		}
		seen[t.ID] = true
		return nil
	})
	return err
}

// Sum returns the SHA-256, in hexadecimal, of what was read last or, before, will be.
func (s *Source) Sum() (string, error) {
	if s.hash != "" {
		return s.hash, nil
	}
	if _, err := s.File.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, s.watched(s.File)); err != nil {
		return "", err
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))
	return s.hash, nil
}

func (s *Source) watched(r io.Reader) io.Reader {
	if s.Watch == nil {
		return r
	}
	return s.Watch(r)
}

// first finds where the first tenant with that id stands.
func (s *Source) first(id registry.TenantID) (at jsontext.Place) {
	found := errors.New("found")
	if _, err := s.File.Seek(0, io.SeekStart); err != nil {
		return at
	}
	_, _ = Decode(s.File, func(t registry.Tenant, place jsontext.Place) error { // it was read before
		if t.ID != id {
			return nil
		}
		at = place
		return found
	})
	return at
}
