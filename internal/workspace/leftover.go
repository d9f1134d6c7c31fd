package workspace

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
)

// SweepSmall is a publication of nothing that removes what came out of the places of small
// files in the directory dir, when a command was killed before it looked at that. What is
// another program's is kept, and said when the change is made.
func SweepSmall(ctx context.Context, dir string, view *registry.View, mayKeep func(string) error) (Publication, error) {
	due, err := view.DueFiles(ctx)
	if err != nil {
		return Publication{}, err
	}
	var all []string
	var told error
	for _, file := range due {
		left, kept, err := place.Recover(filepath.Join(dir, filepath.FromSlash(file.Path)), mayKeep, file.Previous, file.Current)
		if err != nil {
			continue // as what is wrong there is for those to say that use it
		}
		all, told = append(all, left...), errors.Join(told, kept)
	}
	publication := sweep(all)
	sweepAll := publication.Place
	publication.Place = func() error { return errors.Join(sweepAll(), told) }
	return publication, nil
}
