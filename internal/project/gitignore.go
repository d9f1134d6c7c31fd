package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sp-registry/sp/internal/place"
)

// ignored is the .gitignore of the directory. What is secret and what is not yet
// known is ignored; to ignore by name would publish every file added later.
var ignored = []string{
	"# Made by sp: everything here stays out of git but the profiles, which are",
	"# meant to be shared and hold no secret.",
	"*",
	"!/.gitignore",
	"!/profiles/",
	"!/profiles/*/",
	"!/profiles/*/profile.yaml",
}

// ignoreFile is a .gitignore by its path. It is made whole or not at all, and
// from then on only appended to, with O_APPEND and one write: nothing can shorten
// it, not a crash, and not another program that appends at the same time.
type ignoreFile string

func (d Dir) ignoreFile() ignoreFile { return ignoreFileIn(d.path) }

func ignoreFileIn(dir string) ignoreFile { return ignoreFile(filepath.Join(dir, ".gitignore")) }

// fill makes the file with the directory's rules if it is missing, and tells whether it did.
func (f ignoreFile) fill() (made bool, err error) {
	f.sweep()
	if _, found, err := f.read(); found || err != nil {
		return false, err
	}
	err = f.place(ignored...)
	return err == nil, err
}

// place makes the file, whole and durable. Another process that is first makes the
// same one.
func (f ignoreFile) place(lines ...string) error {
	if err := f.link(strings.Join(lines, "\n") + "\n"); err != nil {
		return f.refuse(err.Error(), "make the directory writable")
	}
	return nil
}

// link gives a finished temporary file the name of f unless there is one by now.
// 0644 will do: it holds no secret and is meant to be shared.
func (f ignoreFile) link(text string) error {
	dir := filepath.Dir(string(f))
	temp, err := os.CreateTemp(dir, ".gitignore.*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), string(f))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temp.Name(), string(f)) // a file system without hard links
	}
	if errors.Is(err, fs.ErrNotExist) {
		return f.link(text) // another process swept; or the directory is gone, which the next try will say
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return place.SyncDir(dir)
}

// sweep removes what processes left that were killed while they made the file. What
// another one makes just now it removes too, and that one tries again. None holds a
// secret, so that what can't be removed may stay.
func (f ignoreFile) sweep() {
	dir := filepath.Dir(string(f))
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if left, _ := filepath.Match(".gitignore.[0-9]*.tmp", entry.Name()); left {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// read returns the file's text and whether there is one. It refuses what git
// would not read.
func (f ignoreFile) read() (text string, found bool, err error) {
	info, err := os.Lstat(string(f))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case err != nil:
		return "", false, f.refuse(err.Error(), "make it readable")
	case info.Mode()&fs.ModeSymlink != 0:
		return "", false, f.refuse("it is a symbolic link, which git does not follow", "replace it with a file")
	case !info.Mode().IsRegular():
		return "", false, f.refuse("it is not a regular file", "move it away")
	}
	file, err := os.OpenFile(string(f), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", false, f.refuse(err.Error(), "make it readable")
	}
	data, err := readFile(file, maxRead)
	if err != nil {
		return "", false, f.refuse(err.Error(), "make it readable")
	}
	return string(data), true, nil
}

// append adds lines to the file, which holds text and is made where it is missing.
func (f ignoreFile) append(text string, lines ...string) error {
	added := strings.Join(lines, "\n") + "\n"
	if text != "" && !strings.HasSuffix(text, "\n") {
		added = "\n" + added
	}
	if !exists(string(f)) {
		return f.place(strings.TrimSuffix(added, "\n"))
	}
	file, err := os.OpenFile(string(f), os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return f.refuse(err.Error(), "make it writable")
	}
	_, err = file.WriteString(added)
	if err := errors.Join(err, file.Sync(), file.Close(), place.SyncDir(filepath.Dir(string(f)))); err != nil {
		return f.refuse(err.Error(), "see that these lines are in it: "+strings.Join(lines, " "))
	}
	return nil
}

func (f ignoreFile) refuse(why, remedy string) error {
	return fmt.Errorf("%s: %w: %s (%s)", string(f), ErrExposed, why, remedy)
}

// covers tells, without asking git, whether text ignores rule for sure: the rule
// itself or a bare `*` stands there, and below it no negation but ours.
func covers(text, rule string) bool {
	covered := false
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		switch trimmed := strings.TrimRight(line, " "); {
		case line == rule, trimmed == rule, trimmed == "*":
			covered = true
		case strings.HasPrefix(line, "!") && !isPublic(trimmed):
			covered = false
		}
	}
	return covered
}

// isPublic tells whether a negation lets through only what may be shared.
func isPublic(negation string) bool {
	if !strings.HasPrefix(negation, "!/") {
		negation = "!/" + strings.TrimPrefix(negation, "!")
	}
	switch negation {
	case "!/.gitignore", "!/profiles/", "!/profiles/*/", "!/profiles/*/profile.yaml":
		return true
	}
	return false
}
