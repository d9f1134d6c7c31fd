package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
)

// Reference is a file that a profile.yaml names.
type Reference struct {
	// Member is where it does, such as secrets.secrets_path, and Value what it says.
	Member, Value string
	// Inside is the path within the directory, links resolved, of a file that need not be
	// there.
	Inside string
}

// ProfileReferences returns the files that a profile's profile.yaml names as those of its
// tenants, credentials and secrets. One that leaves the directory, by whatever way, is
// refused with registry.ErrInvalid and looked at no further.
func (d Dir) ProfileReferences(profile string) ([]Reference, error) {
	if profile == "" || profile == "." || profile == ".." || strings.ContainsAny(profile, "/\x00") {
		return nil, fmt.Errorf("profile %q: %w: it is no name", profile, registry.ErrInvalid)
	}
	inside := "profiles/" + profile + "/profile.yaml"
	text, there, err := d.ReadFile(inside)
	if err != nil {
		return nil, err
	}
	full := filepath.Join(d.path, inside)
	if !there {
		return nil, fmt.Errorf("%s: %w", full, registry.ErrNotFound)
	}
	top, err := parse(text)
	if err != nil {
		return nil, unreadable(full, err)
	}
	var references []Reference
	for _, name := range []string{"cloud.tenants_path", "cloud.credentials_path", "secrets.secrets_path"} {
		value, err := textAt(top, name)
		if err != nil {
			return nil, unreadable(full, err)
		}
		if value == "" {
			continue
		}
		way, err := d.confine(filepath.Join("profiles", profile), value)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", full, name, err)
		}
		references = append(references, Reference{Member: name, Value: value, Inside: way})
	}
	return references, nil
}

// unreadable is the ErrUnusable of a file of the directory whose YAML is refused: nobody
// typed it, so that ErrInvalid would blame the wrong one.
func unreadable(full string, err error) error {
	return fmt.Errorf("%s: %w", full, corrupt("%s", strings.TrimPrefix(err.Error(), registry.ErrInvalid.Error()+": ")))
}

// textAt returns the text of a member of a section, "" where there is none.
func textAt(top *yaml.Node, name string) (string, error) {
	section, key, _ := strings.Cut(name, ".")
	for _, key := range []string{section, key} {
		if top == nil {
			return "", nil
		}
		var err error
		if top, err = member(top, key); err != nil {
			return "", err
		}
	}
	switch {
	case top == nil:
		return "", nil
	case top.Kind != yaml.ScalarNode:
		return "", badYAML(name + " is not a text")
	}
	return top.Value, nil
}

// confine follows a path from a directory within d, and returns where within d it leads.
// It never takes a step outside.
func (d Dir) confine(from, value string) (string, error) {
	bad := func(why string) error { return fmt.Errorf("%w: %s", registry.ErrInvalid, why) }
	leaves := bad("it leaves " + d.path)
	at := filepath.Join(d.path, from)
	switch {
	case strings.HasPrefix(value, "~"):
		return "", bad("it starts at a home directory")
	case strings.Contains(value, "${"):
		return "", bad("it depends on the environment")
	case strings.Contains(value, "\x00"):
		return "", bad("it is no path")
	case filepath.IsAbs(value):
		inside, err := filepath.Rel(d.path, value) // cleaned; `..` behind a link is not looked at
		if err != nil || !filepath.IsLocal(inside) {
			return "", leaves
		}
		at, value = d.path, inside
	}
	for part := range strings.SplitSeq(value, "/") {
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
		default:
			var err error
			if at, err = step(filepath.Join(at, part)); err != nil {
				return "", bad(err.Error())
			}
		}
		if _, ok := d.within(at); !ok {
			return "", leaves
		}
	}
	inside, _ := d.within(at)
	return inside, nil
}

// within returns the slash path of what is in d.
func (d Dir) within(full string) (string, bool) {
	inside, err := filepath.Rel(d.path, full)
	return filepath.ToSlash(inside), err == nil && filepath.IsLocal(inside)
}

// step returns where a path without links, but maybe for its last part, really is. What is
// not there is where it says.
func step(path string) (string, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return path, nil
	case err != nil:
		return "", errors.New("it can't be followed")
	case info.Mode()&fs.ModeSymlink == 0:
		return path, nil
	}
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", errors.New("it goes through a symbolic link that leads nowhere")
	}
	return actual, nil
}
