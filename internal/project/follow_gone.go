package project

import (
	"bytes"
	"context"
	"errors"
)

// gone is what becomes of the files of a profile that is no more: those that sp wrote
// and nobody else changed go.
func (f *follower) gone(ctx context.Context, name string) error {
	_, moved := f.renamed[name]
	for _, path := range []string{ComposePath(name), SecretsPath(name), ProfilePath(name)} {
		s, err := f.look(ctx, path, path)
		if path == ComposePath(name) && errors.Is(err, ErrUnusable) { // which stops nothing
			f.disown(s)
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case s.known == nil && (moved || !s.there):
		case s.known != nil && (moved || f.o.Defer):
			f.putOff(s)
		case s.known != nil && !s.there:
			f.found.Forgotten = append(f.found.Forgotten, path)
			if exists(f.dir.Full("profiles/" + name)) { // a command was stopped before it removed that
				f.found.Changes = append(f.found.Changes, FileChange{Path: path})
			}
		case s.mayGo():
			s.forget()
			f.putOff(s)
			f.found.Changes = append(f.found.Changes, FileChange{Path: path, Expected: s.hash})
		default:
			f.found.Left = append(f.found.Left, path)
			if s.known != nil {
				f.found.Forgotten = append(f.found.Forgotten, path)
			}
		}
	}
	return nil
}

// forget leaves of the secrets that are remembered of a file no more than tells them
// from others: they are gone.
func (s *standingFile) forget() {
	if s.path == SecretsPath(profileOf(s.path)) && len(s.base) > 0 {
		known := *s.known
		known.Base = s.former()
		s.known = &known
	}
}

// mayGo tells whether a file is sp's alone.
func (s standingFile) mayGo() bool {
	if !s.isOurs() || s.known.Previous == s.known.Current {
		return false
	}
	if s.path == SecretsPath(profileOf(s.path)) {
		return s.isAllOurs()
	}
	return bytes.Equal(s.text, s.base) || bytes.Equal(s.text, s.was)
}
