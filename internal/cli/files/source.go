package files

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
)

// source is a file to import. It is read more than once, so stdin is kept in a
// file without a name, and so is whatever else can't be read again.
type source struct {
	exporter.Source
	path string // absolute; empty for stdin
	file *os.File
}

// isOwn tells whether it is a directory's own tenants.json.
func (s *source) isOwn(dir project.Dir) bool { return s != nil && s.path == dir.Tenants() }

func openSource(t *task.Task, ref *string) (*source, error) {
	if ref != nil && *ref == "-" {
		return spooled(t, "stdin", t.Stdin)
	}
	path, err := sourcePath(t, ref)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); ref == nil && err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, place.ErrUnsafe) // to open it might wait for ever
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		err := fmt.Errorf("%s: Tenants not synced: there is no such file: %w", path, cli.ErrFile)
		if ref == nil {
			err = cli.Hint(err, "%s takes another", cli.To("sp import", "PATH"))
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		defer func() { _ = file.Close() }()
		if err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s: it is a directory: %w", path, cli.ErrFile)
		}
		return spooled(t, path, file)
	}
	return sourceOf(t, path, path, file)
}

// sourcePath is the path that was given, else that of the tracked file.
func sourcePath(t *task.Task, ref *string) (string, error) {
	if ref == nil {
		dir, err := t.Project()
		return dir.Tenants(), err
	}
	if err := task.CheckFileWord("import", *ref); err != nil {
		return "", err
	}
	return t.Resolved(*ref)
}

func sourceOf(t *task.Task, name, path string, file *os.File) (*source, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	watch := func(r io.Reader) io.Reader { return t.WatchReading(info.Size(), r) }
	return &source{Source: exporter.Source{Name: name, File: file, Watch: watch}, path: path, file: file}, nil
}

func spooled(t *task.Task, name string, r io.Reader) (*source, error) {
	file, err := cli.UnnamedFile("")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(file, r); err != nil {
		_ = file.Close()
		return nil, err
	}
	return sourceOf(t, name, "", file)
}

func (s *source) close() { _ = s.file.Close() } // it was only read
