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
