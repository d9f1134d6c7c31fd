package task

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// CheckOutside checks a file that sp is to write outside its directory. It must not be in the
// directory of a registry, nor where another user could replace it. what names the file in errors.
func (t *Task) CheckOutside(dir project.Dir, path, what string) error {
	if isInRegistry(dir, path) {
		return cli.Hint(fmt.Errorf("%s: %s in the directory of a registry: %w", path, what, registry.ErrInvalid),
			"what is in there has its own use, and goes with it; name another place")
	}
	return t.CheckAbove(path)
}

// isInRegistry tells whether a path leads into the directory of a registry, this
// one or another, by whatever name.
func isInRegistry(dir project.Dir, path string) bool {
	own, err := os.Stat(dir.Path())
	if err != nil {
		return false
	}
	if _, err := os.Lstat(filepath.Join(filepath.Dir(path), filepath.Base(dir.Registry()))); err == nil {
		return true
	}
	for parent := filepath.Dir(path); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && os.SameFile(info, own) || filepath.Base(parent) == project.Name {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// CheckFileWord refuses a word that can't be the name of a file. what names the word in errors.
func CheckFileWord(what, path string) error {
	if err := CheckPathWord(what, path); err != nil {
		return err
	}
	if strings.HasSuffix(path, "/") {
		return cli.Usage("%s: %s names a directory", what, path)
	}
	return nil
}
