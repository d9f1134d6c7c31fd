package project

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path"
	"path/filepath"

	"github.com/sp-registry/sp/internal/registry"
)

// standingFile is a file as it is, and what is remembered of it.
type standingFile struct {
	path  string // in the registry's words
	at    string // where it is before the moves
	known *registry.FollowingFile
	text  []byte
	there bool
	hash  string // of what stands there, empty if nothing does
	open  bool   // others can read it
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
	if info, err := os.Lstat(f.dir.Full(at)); err == nil {
		s.open = info.Mode().Perm()&0o077 != 0
	}
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
	if file.Current != s.hash || !s.there || s.open && !shared {
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
