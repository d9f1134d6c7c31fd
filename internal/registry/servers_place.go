package registry

import (
	"context"
	"encoding/base32"
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
	return r.changeServer(ctx, name, func(s *Server) error {
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
	return r.changeServer(ctx, name, func(s *Server) error {
		s.Place, s.Identity = &place, identity
		return nil
	})
}
