package project

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/registry"
)

// Following is what the small files of the directory are to become with a change: the
// index of the sessions, and profile.yaml and secrets.json of profiles. Paths are
// those in the directory.
type Following struct {
	Moves   []FileMove
	Changes []FileChange
	// Files is what is to be remembered of them, Forgotten of which nothing is any more.
	Files     []registry.FollowingFile
	Forgotten []string
	// Left are the files of profiles that are no more and that sp has not written.
	Left []string
}

// FileMove is a profile's directory that is to have another name.
type FileMove struct{ From, To string }

// FileChange is what a file is to hold, nil if it is to go, and the SHA-256 of what it
// holds, empty if it is not there. Its path is that of before the moves.
type FileChange struct {
	Path     string
	Text     []byte
	Expected string
	Shared   bool
}

// FollowOptions say how Follow deals with what other programs wrote.
type FollowOptions struct {
	Now time.Time
	// Taken is the SHA-256 of an index of sessions that this very change has taken into
	// the registry.
	Taken string
	// Force has the registry's side win in all that another program changed.
	Force bool
	// Defer leaves all files as they are, to be written by a later change.
	Defer bool
}

// ChangedError is returned for a file whose changes by another program can't be merged
// with ours: in these members, if it names any.
type ChangedError struct {
	Path    string
	Members []string
}

func (e *ChangedError) Error() string {
	if len(e.Members) == 0 {
		return e.Path + ": changed by another program"
	}
	return fmt.Sprintf("%s: changed by another program, and here, in %s", e.Path, strings.Join(e.Members, ", "))
}

// Unwrap returns registry.ErrConflict.
func (e *ChangedError) Unwrap() error { return registry.ErrConflict }

// Follow says what becomes of the small files with a change, whose view it is: of those
// that it concerns, and of those that earlier changes left behind.
func (d Dir) Follow(ctx context.Context, view *registry.View, o FollowOptions) (Following, error) {
	behind, err := view.DueFiles(ctx)
	if err != nil {
		return Following{}, err
	}
	f := follower{dir: d, view: view, o: o, due: view.Due(), known: map[string]*registry.FollowingFile{}}
	names := slices.Clone(f.due.Profiles)
	index := f.due.Sessions || o.Taken != ""
	for _, file := range behind {
		f.known[file.Path] = &file
		if file.Path == IndexPath {
			index = true
		} else {
			names = append(names, path.Base(path.Dir(file.Path)))
		}
	}
	slices.Sort(names)
	if index {
		err = f.index(ctx)
	}
	for _, name := range slices.Compact(names) {
		if err == nil {
			err = f.profile(ctx, name)
		}
	}
	return f.found, err
}

// follower gathers what becomes of the files.
type follower struct {
	dir   Dir
	view  *registry.View
	o     FollowOptions
	due   registry.Due
	known map[string]*registry.FollowingFile
	found Following
}

// standingFile is a file as it is, and what is remembered of it.
type standingFile struct {
	path  string // in the registry's words
	at    string // where it is before the moves
	known *registry.FollowingFile
	text  []byte
	there bool
	hash  string // of what stands there, empty if nothing does
}

// look reads a file. Where a command was stopped before the file was in place, what it
// left beside it is what the registry takes to be there.
func (f *follower) look(ctx context.Context, path, at string) (s standingFile, err error) {
	s = standingFile{path: path, at: at}
	if s.known, err = f.remembered(ctx, path); err != nil {
		return s, err
	}
	if s.text, s.there, err = f.dir.ReadFile(at); err != nil || !s.there {
		return s, err
	}
	s.hash = hashOf(s.text)
	if k := s.known; k != nil && k.Due && s.hash == k.Previous && s.hash != k.Current {
		left, err := f.dir.leftover(at, k.Current)
		if err != nil {
			return s, err
		}
		if left != nil {
			s.text = left
		}
	}
	return s, nil
}

func (f *follower) remembered(ctx context.Context, path string) (*registry.FollowingFile, error) {
	if known, ok := f.known[path]; ok {
		return known, nil
	}
	known, err := f.view.FollowingFile(ctx, path)
	f.known[path] = known
	return known, err
}

// WrittenText is the text of a file and its SHA-256 in hexadecimal.
type WrittenText struct {
	Text []byte
	Hash string
}

// ChangedIndex returns the index of sessions as another program wrote it, nil if it is
// as sp wrote it or not there, and what sp wrote last, against which that is to be seen.
func (d Dir) ChangedIndex(ctx context.Context, view *registry.View) (base []byte, theirs *WrittenText, err error) {
	f := follower{dir: d, view: view, known: map[string]*registry.FollowingFile{}}
	s, err := f.look(ctx, IndexPath, IndexPath)
	if err != nil || !s.there || s.isOurs() {
		return nil, nil, err
	}
	return s.base(), &WrittenText{Text: s.text, Hash: s.hash}, nil
}

// isOurs tells whether what stands there is what sp wrote last, or had to replace.
func (s standingFile) isOurs() bool {
	return s.known != nil && (s.hash == s.known.Current || s.known.Due && s.hash == s.known.Previous)
}

func (s standingFile) base() []byte {
	if s.known == nil {
		return nil
	}
	return []byte(s.known.Base)
}

// become notes what a file is to hold, and what is to be remembered of it.
func (f *follower) become(s standingFile, text []byte, base string, shared bool) {
	file := registry.FollowingFile{Path: s.path, Previous: s.hash, Current: hashOf(text), Base: base}
	if file.Current != s.hash || !s.there {
		file.Due = true
		f.found.Changes = append(f.found.Changes, FileChange{Path: s.at, Text: text, Expected: s.hash, Shared: shared})
	} else if k := s.known; k != nil && k.Current == file.Current {
		file.Previous = k.Previous // as it was when sp wrote it
	}
	if s.known == nil || *s.known != file || s.path != s.at {
		f.found.Files = append(f.found.Files, file)
	}
}

// putOff notes that a file is to be written by a later change.
func (f *follower) putOff(s standingFile) {
	file := registry.FollowingFile{Path: s.path, Previous: s.hash, Current: hashOf(nil)}
	if s.known != nil {
		file = *s.known
	}
	file.Due = true
	f.found.Files = append(f.found.Files, file)
}

// leftover returns the text that a command left beside a file and that has this hash,
// nil if there is none.
func (d Dir) leftover(inside, hash string) ([]byte, error) {
	dir, base := path.Split(inside)
	entries, err := os.ReadDir(filepath.Join(d.path, filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !isNumbered(entry.Name(), "."+base+".") {
			continue
		}
		text, found, err := d.ReadFile(dir + entry.Name())
		if err != nil {
			return nil, err
		}
		if found && hashOf(text) == hash {
			return text, nil
		}
	}
	return nil, nil
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
