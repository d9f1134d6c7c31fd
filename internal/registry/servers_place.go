package registry

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// placeForm is what NewPlace makes: the name of a directory, and of none above another.
var placeForm = regexp.MustCompile(`^[a-z2-7]{16}(-[a-z0-9]+)*$`)

// IsPlace tells whether a text can be where the data of a server are.
func IsPlace(text string) bool { return placeForm.MatchString(text) }

// NewPlace returns a place that no other server has, which ends in the name of the project.
func NewPlace(project string, random io.Reader) (string, error) {
	const longest = 40
	number := make([]byte, 10)
	if _, err := io.ReadFull(random, number); err != nil {
		return "", err
	}
	place := strings.ToLower(base32.StdEncoding.EncodeToString(number))
	name := strings.FieldsFunc(strings.ToLower(project), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	for _, word := range name {
		if len(place)+1+len(word) <= 16+longest {
			place += "-" + word
		}
	}
	return place, nil
}

// imageForm is an image by its digest.
var imageForm = regexp.MustCompile(`^[a-z0-9][a-z0-9./_:-]*@sha256:[0-9a-f]{64}$`)

// IsImage tells whether a text names an image by its digest.
func IsImage(text string) bool { return imageForm.MatchString(text) }

// ContainerFiles are the SHA-256 of what a container is made from, nil for what is not there.
type ContainerFiles struct{ Compose, Env *string }

// RecordContainer records what may be used of a container's files and, unless one is recorded
// already, the image that it runs; nil is not known.
func (r *Registry) RecordContainer(ctx context.Context, name string, files ContainerFiles, image *string) (Server, error) {
	if image != nil && !IsImage(*image) {
		image = nil
	}
	return r.editServer(ctx, name, func(s *Server) error {
		s.Compose, s.Env = files.Compose, files.Env
		if s.Image == nil {
			s.Image = image
		}
		return nil
	})
}

// PlaceServer records where the data of a local server are, and which directory that is; nil
// is one that is yet to be made.
func (r *Registry) PlaceServer(ctx context.Context, name, place string, identity *string) (Server, error) {
	if !IsPlace(place) {
		return Server{}, fmt.Errorf("place %s of server %s: %w", shown(place), name, ErrInvalid)
	}
	return r.editServer(ctx, name, func(s *Server) error {
		s.Place, s.Identity = &place, identity
		return nil
	})
}

// WithholdServers has no server used until NameServer names it: the registry was trusted, and
// nobody has looked at its servers. Of a copy the databases count as adopted, for they are the
// original's to drop, and the servers that sp runs are foreign.
func (r *Registry) WithholdServers(ctx context.Context, copied bool) error {
	return r.write(ctx, func(c *change) error { return c.withholdServers(ctx, copied) })
}

func (c *change) withholdServers(ctx context.Context, copied bool) error {
	err := c.q.WithholdServers(ctx)
	if copied {
		err = errors.Join(err, c.q.DisownServers(ctx), c.q.DeleteDatabases(ctx))
	}
	return err
}

// ReleaseServers has the foreign servers wait only until NameServer names them, for the directory
// of which this one is a copy is gone: while that is there, it refuses. It tells how many
// there were.
func (r *Registry) ReleaseServers(ctx context.Context) (released int64, err error) {
	err = r.write(ctx, func(c *change) (err error) {
		if released, err = c.q.ReleaseServers(ctx); err != nil {
			return err
		}
		if other := c.write.Original(); other != "" {
			return fmt.Errorf("it is a copy, for %s is still there: %w", other, ErrInUse)
		}
		return nil
	})
	return released, err
}

// NameServer has a server used that is withheld because nobody has named it. One that is not
// known, or used already, stays as it is; one of another directory is refused.
func (r *Registry) NameServer(ctx context.Context, name string) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	known, err := view.Server(ctx, name)
	view.Close()
	if err != nil || known == nil || known.Withheld == "" {
		return err
	}
	_, err = r.editServer(ctx, name, func(s *Server) error {
		if s.Withheld == Foreign {
			return fmt.Errorf("server %s: it belongs to the project of which this one is a copy: %w", s.Name, ErrInUse)
		}
		s.Withheld = ""
		return nil
	})
	return err
}

// editServer edits a server that is known, and returns what it is then.
func (r *Registry) editServer(ctx context.Context, name string, fn func(*Server) error) (edited Server, err error) {
	err = r.write(ctx, func(c *change) error {
		s, err := c.Server(ctx, name)
		if err == nil && s == nil {
			err = fmt.Errorf("server %s: %w", name, ErrNotFound)
		}
		if err == nil {
			err = fn(s)
		}
		if err != nil {
			return err
		}
		edited = *s
		return c.putServer(ctx, edited)
	})
	return edited, err
}
