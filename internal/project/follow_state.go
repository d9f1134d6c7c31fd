package project

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"

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
	// base is what sp wrote there last, and was, while that may not be in place yet, what
	// it had written before: nothing, or nil where it is certain that base is in place.
	base, was []byte
}

// betweenBases stands in what is remembered between base and was. It is in none of
// them: neither JSON nor YAML has it as it is.
const betweenBases = "\x1e"

// basesOf returns what sp wrote last into a file that is remembered, and before.
func basesOf(file registry.FollowingFile) (base, was []byte) {
	base, was, _ = bytes.Cut([]byte(file.Base), []byte(betweenBases))
	return base, was
}

// look reads a file.
func (f *follower) look(ctx context.Context, path, at string) (s standingFile, err error) {
	s = standingFile{path: path, at: at}
	if s.known, err = f.remembered(ctx, path); err != nil {
		return s, err
	}
	if s.known != nil {
		s.base, s.was = basesOf(*s.known)
	}
	if s.text, s.there, err = f.dir.ReadFile(at); err == nil && s.there {
		s.hash = hashOf(s.text)
		if info, err := os.Lstat(f.dir.Full(at)); err == nil {
			s.open = info.Mode().Perm()&0o077 != 0
		}
	}
	return s, err
}

func (f *follower) remembered(ctx context.Context, path string) (*registry.FollowingFile, error) {
	if known, ok := f.known[path]; ok {
		return known, nil
	}
	known, err := f.view.FollowingFile(ctx, path)
	f.known[path] = known
	return known, err
}

// isOurs tells whether what stands there is what sp wrote last, or had to replace.
func (s standingFile) isOurs() bool {
	return s.known != nil && (s.hash == s.known.Current || s.isStopped())
}

// isStopped tells whether a command was stopped before the file was in place, or left it
// to a later one.
func (s standingFile) isStopped() bool {
	return s.known != nil && s.known.Due && s.hash == s.known.Previous && s.hash != s.known.Current
}

// become notes what a file is to hold, and what is to be remembered of it.
func (f *follower) become(s standingFile, text, base []byte, shared bool) {
	file := registry.FollowingFile{Path: s.path, Previous: s.hash, Current: hashOf(text), Base: string(base), Due: s.at != s.path}
	switch k := s.known; {
	case file.Current != s.hash || !s.there || s.open && !shared:
		file.Due = true
		f.found.Changes = append(f.found.Changes, FileChange{Path: s.at, Text: text, Expected: s.hash, Shared: shared})
		if s.there {
			file.Base += s.former()
		}
	case k != nil && s.isOurs() && k.Previous != k.Current:
		file.Previous = k.Previous // as it was when sp wrote it
		if s.isStopped() {         // and the change that was stopped is taken back
			file.Previous = k.Current
		}
	}
	if s.known == nil || *s.known != file || s.at != s.path {
		f.found.Files = append(f.found.Files, file)
	}
}

// former is what is remembered of what sp wrote there before: of secrets, which may just
// have been revoked or purged, no more than tells them from others.
func (s standingFile) former() string {
	if s.path == SecretsPath(profileOf(s.path)) {
		return betweenBases + string(digested(s.base))
	}
	return betweenBases + string(s.base)
}

// putOff notes that a file is to be written by a later change.
func (f *follower) putOff(s standingFile) {
	file := registry.FollowingFile{Path: s.path, Current: hashOf(nil)}
	if s.known != nil {
		file = *s.known
	}
	if s.at != s.path && s.hash != file.Current { // by this a later change knows it again
		file.Previous = s.hash
	}
	file.Due = true
	f.found.Files = append(f.found.Files, file)
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
	return s.base, &WrittenText{Text: s.text, Hash: s.hash}, nil
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
