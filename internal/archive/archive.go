// Package archive is the state of a tenant's files as it travels between a project and the control
// plane: a gzip'd tar and its manifest. Both sides refuse the same archives, before either of them
// writes anything.
package archive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/pgurl"
)

// The bounds of a state.
const (
	// MaxBytes bounds what its files hold, and also its archive.
	MaxBytes = 16 << 20
	// MaxEntries bounds its files, and the directories that an archive names beside them.
	MaxEntries = 10_000
	// maxYAML bounds a profile.yaml: parsed, it takes a hundred times its size.
	maxYAML = 1 << 20
)

var (
	// ErrRefused is returned for what no state may hold, and for what is no archive of one.
	ErrRefused = errors.New("refused")
	// ErrTooLarge is returned for a state that exceeds the bounds.
	ErrTooLarge = errors.New("too large")
)

// File is a file of a state. Its mode and its times do not travel.
type File struct {
	Path string // services/… or profiles/NAME/profile.yaml
	Text []byte
}

// Check refuses files that are no state, naming the first one that is refused and why.
func Check(files []File) error {
	c := newChecker()
	for _, f := range files {
		if err := c.add(f); err != nil {
			return err
		}
	}
	return nil
}

// checker looks at one file after the other.
type checker struct {
	entries, bytes int
	names          names
}

func newChecker() *checker { return &checker{names: names{}} }

func (c *checker) add(f File) error {
	if err := c.path(f.Path, int64(len(f.Text))); err != nil {
		return err
	}
	return c.text(f)
}

// text checks what a file holds whose path was checked.
func (c *checker) text(f File) error {
	c.bytes += len(f.Text)
	if IsProfile(f.Path) {
		return refuse(f.Path, profileTrouble(f.Text))
	}
	if line := trueTokenLine(f.Text); line > 0 {
		return refuse(f.Path, fmt.Sprintf("line %d holds a token", line))
	}
	return nil
}

// path checks a file before its text is there, which is to have this size.
func (c *checker) path(path string, size int64) error {
	if err := c.count(); err != nil {
		return err
	}
	switch {
	case size > int64(MaxBytes-c.bytes):
		return fmt.Errorf("%s: the files hold more than %d MiB together: %w", shown(path), MaxBytes>>20, ErrTooLarge)
	case IsProfile(path) && size > maxYAML:
		return fmt.Errorf("%s: it holds more than %d MiB: %w", shown(path), maxYAML>>20, ErrTooLarge)
	}
	return refuse(path, c.names.file(path))
}

// directory checks a directory, of which nothing is kept.
func (c *checker) directory(path string) error {
	if err := c.count(); err != nil {
		return err
	}
	return refuse(path, c.names.directory(path))
}

func (c *checker) count() error {
	if c.entries++; c.entries > MaxEntries {
		return fmt.Errorf("more than %d files: %w", MaxEntries, ErrTooLarge)
	}
	return nil
}

// profileTrouble says why a text can't be that of a profile.yaml, which holds no secret.
func profileTrouble(text []byte) string {
	if !utf8.Valid(text) || slices.Contains(text, 0) {
		return "it is no UTF-8 text"
	}
	if line := pgurl.SecretLine(string(text)); line > 0 {
		return fmt.Sprintf("line %d holds a connection string with its password", line)
	}
	if line := tokenLine(text); line > 0 {
		return fmt.Sprintf("line %d holds a token", line)
	}
	return ""
}

// refuse is the ErrRefused of a path, nil where nothing is wrong with it.
func refuse(path, why string) error {
	if why == "" {
		return nil
	}
	return fmt.Errorf("%s: %s: %w", shown(path), why, ErrRefused)
}

// shown is a path that may hold anything, as a message shows it.
func shown(path string) string {
	const most = 200
	if len(path) > most {
		path = path[:most] + "…"
	}
	if path == "" || !isGraphic(path) || strings.Contains(path, "…") {
		return fmt.Sprintf("%q", path)
	}
	return path
}
