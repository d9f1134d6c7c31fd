package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// source is a file to import. It is read more than once, so stdin is kept in a
// spool, and so is whatever else can't be read again.
type source struct {
	name string // for people
	path string // absolute; empty for stdin
	file *os.File
	hash string // of the content that was read last, SHA-256 in hexadecimal
	// written is when another program wrote it; zero is not known.
	written time.Time
	// watch, unless nil, tells how far a reading has come.
	watch func(*os.File, io.Reader) io.Reader
}

func (a *app) openSource(ref *string) (*source, error) {
	if ref != nil && *ref == "-" {
		return spooled("stdin", a.stdin)
	}
	path, err := a.sourcePath(ref)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		err := fmt.Errorf("%s: Tenants not synced: there is no such file: %w", path, errFile)
		if ref == nil {
			err = withHint(err, "sp import PATH takes another")
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		defer func() { _ = file.Close() }()
		if err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s: it is a directory: %w", path, errFile)
		}
		return spooled(path, file)
	}
	return &source{name: path, path: path, file: file}, nil
}

// sourcePath is the path that was given, else that of the tracked file.
func (a *app) sourcePath(ref *string) (string, error) {
	if ref == nil {
		dir, err := a.project()
		return dir.Tenants(), err
	}
	if err := checkFileWord("import", *ref); err != nil {
		return "", err
	}
	return a.resolved(*ref)
}

func spooled(name string, r io.Reader) (*source, error) {
	file, err := unnamedFile("")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(file, r); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &source{name: name, file: file}, nil
}

func (s *source) close() { _ = s.file.Close() } // it was only read

// read is what registry.Import wants; what is wrong with the file it says with the
// file's name and the place.
func (s *source) read(take func(registry.Tenant) error) (registry.Document, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return registry.Document{}, err
	}
	var at jsontext.Place
	sum := sha256.New()
	document, err := exporter.Decode(s.watched(io.TeeReader(s.file, sum)), func(t registry.Tenant, place jsontext.Place) error {
		at = place
		return take(t)
	})
	var format *jsontext.FormatError
	var duplicate *registry.DuplicateError
	switch {
	case errors.As(err, &format):
		return document, fmt.Errorf("%s: %w: %w", s.name, err, errFile)
	case errors.As(err, &duplicate):
		return document, withHint(fmt.Errorf("%s: tenant id %s stands at %s and again at %s: %w",
			s.name, duplicate.ID, s.first(duplicate.ID), at, errFile), "sp import --duplicates first takes the first of them")
	}
	s.hash = hex.EncodeToString(sum.Sum(nil)) // whole: Decode reads to the end
	return document, err
}

func (s *source) watched(r io.Reader) io.Reader {
	if s.watch == nil {
		return r
	}
	return s.watch(s.file, r)
}

// sum returns the SHA-256, in hexadecimal, of what was read last or, before, will be.
func (s *source) sum() (string, error) {
	if s.hash != "" {
		return s.hash, nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, s.watched(s.file)); err != nil {
		return "", err
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))
	return s.hash, nil
}

// first finds where the first tenant with that id stands.
func (s *source) first(id registry.TenantID) (at jsontext.Place) {
	found := errors.New("found")
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return at
	}
	_, _ = exporter.Decode(s.file, func(t registry.Tenant, place jsontext.Place) error { // it was read before
		if t.ID != id {
			return nil
		}
		at = place
		return found
	})
	return at
}
