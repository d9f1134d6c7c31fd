package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/project"
)

// source is a file to import. It is read more than once, so stdin is kept in a
// spool, and so is whatever else can't be read again.
type source struct {
	exporter.Source
	path string // absolute; empty for stdin
	file *os.File
}

// isOwn tells whether it is a directory's own tenants.json.
func (s *source) isOwn(dir project.Dir) bool { return s != nil && s.path == dir.Tenants() }

func (a *app) openSource(ref *string) (*source, error) {
	if ref != nil && *ref == "-" {
		return a.spooled("stdin", a.stdin)
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
		return a.spooled(path, file)
	}
	return a.sourceOf(path, path, file)
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

func (a *app) sourceOf(name, path string, file *os.File) (*source, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	watch := func(r io.Reader) io.Reader { return a.watchReading(info.Size(), r) }
	return &source{Source: exporter.Source{Name: name, File: file, Watch: watch}, path: path, file: file}, nil
}

func (a *app) spooled(name string, r io.Reader) (*source, error) {
	file, err := unnamedFile("")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(file, r); err != nil {
		_ = file.Close()
		return nil, err
	}
	return a.sourceOf(name, "", file)
}

func (s *source) close() { _ = s.file.Close() } // it was only read
