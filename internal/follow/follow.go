// Package follow decides what the small files that follow the registry must contain after a change:
// all of them except tenants.json. It also finds out what another program did to them. It reads
// files and writes none. The table kinds, below, lists them, and Decide (decide.go) goes through
// it.
package follow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/jsontext"
)

// kind is one kind of file that follows the registry.
type kind struct {
	// name is what the registry remembers such a file by.
	name string
	// path is where it lies in the directory. A * stands for the name of a profile, each of
	// which has one.
	path string
	// render returns what a new file holds, and its base, which is what the registry remembers
	// of it to tell by what another program changes. No text is no file.
	render func(ctx context.Context, d *decider, f *file) (text, base []byte, err error)
	// merge returns what a file that is there is to hold, and its base. An error that is
	// registry.ErrConflict stops what concerns the file. Without it, a file is made once.
	merge func(ctx context.Context, d *decider, f *file) (text, base []byte, err error)
	// former returns what is remembered of a base that another one takes the place of, until
	// that is certain to be in place. Without it, that is the base itself.
	former func(base []byte) []byte
	// aside adds to a file what another program wrote there while sp replaced it. Without it,
	// that is not merged.
	aside func(f *file, text []byte) error
	// gone tells whether a file whose profile is no more goes with it: nobody but sp wrote
	// what it holds. Without it, that is a file that is a base to the byte.
	gone func(f *file) bool
	// changed tells whether a text shows that another program changed it since the base, as
	// far as that is sp's business. It refuses what can't be used.
	changed func(text, base []byte) (bool, error)
	// shared says that it holds no secret, and is for others to read; optional that one that
	// can't be used, or that nothing asks for any more, is somebody else's; alike that all
	// such files are the same, so that no profile is known by its own.
	shared, optional, alike bool
}

// kinds are the files that follow the registry, in the order in which they are written;
// those of a profile that is gone go in the opposite one. To have another file follow:
//
//  1. add its row here, with functions in a file of its own;
//  2. have its path kept out of git if it holds a secret (secrecies in internal/project);
//  3. if a change of something else than profiles, sessions and connections shows in it, have
//     the registry tell of that (registry.Due), and the decider visit the file for it.
var kinds = []kind{
	{
		name: "sessions", path: IndexPath,
		render: renderSessions, merge: mergeSessions, former: formerSessions, aside: asideSessions, changed: changedSessions,
	},
	{
		name: "profile", path: "profiles/*/profile.yaml",
		render: renderProfile, merge: mergeProfile, changed: changedProfile, shared: true,
	},
	{
		name: "secrets", path: "profiles/*/secrets.json",
		render: renderSecrets, merge: mergeSecrets, former: digested, aside: asideSecrets, gone: goneSecrets, changed: changedSecrets,
	},
	{
		name: "compose", path: "profiles/*/docker/compose.yaml",
		render: renderCompose, optional: true, alike: true,
	},
}

// ofProfile reports whether each profile has such a file.
func (k *kind) ofProfile() bool { return strings.Contains(k.path, "*") }

// of returns the path of a profile's.
func (k *kind) of(profile string) string { return strings.Replace(k.path, "*", profile, 1) }

// kindOf returns the kind of that name, nil for none, as of a newer sp's.
func kindOf(kinds []kind, name string) *kind {
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if at < 0 {
		return nil
	}
	return &kinds[at]
}

// Directory is the directory of the files, with the functions that read it.
type Directory struct {
	// Path is the directory's path, absolute and without symbolic links.
	Path string
	// Read returns the text and mode of a file by its slash path in the directory, and whether it
	// is there. An error, which names the whole path, means that the file can't be used.
	Read func(path string) (text []byte, mode fs.FileMode, found bool, err error)
	// Has reports whether there is anything at a slash path.
	Has func(path string) bool
}

// full returns the path of a file by its slash path in the directory.
func (dir Directory) full(inside string) string {
	return filepath.Join(dir.Path, filepath.FromSlash(inside))
}

// read is Read whose errors are ErrUnusable.
func (dir Directory) read(path string) (text []byte, found bool, err error) {
	text, _, found, err = dir.Read(path)
	return text, found, asUnusable(err)
}

// ErrUnusable is returned for a file that can't be read or whose content is not what it should be.
var ErrUnusable = errors.New("the file can't be used")

// corrupt is the ErrUnusable of a text; whoever knows its path puts that before it.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnusable, fmt.Sprintf(format, args...))
}

// parseObject returns the JSON object that text is, each name once: the last value at the
// first place. A known name that stands there twice is no slip to pass over. Its errors
// are ErrUnusable.
func parseObject(text []byte, known ...string) (jsontext.Object, error) {
	all, err := jsontext.ParseObject(text)
	if err != nil {
		return nil, corrupt("%s", err)
	}
	once, twice := all.Once(known...)
	if twice != "" {
		return nil, corrupt("it says %s twice", twice)
	}
	return once, nil
}

// unread is the ErrUnusable of a file that can't be read, which says why in its own words.
type unread struct{ error }

func (u unread) Is(target error) bool { return target == ErrUnusable }

func (u unread) Unwrap() error { return u.error }

func asUnusable(err error) error {
	if err == nil {
		return nil
	}
	return unread{err}
}
