package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// maxDifferences bounds what a conflict lists.
const maxDifferences = 20

// conflict says what differs between a file that somebody else wrote and the
// registry, and what settles it.
func (a *app) conflict(ctx context.Context, w *workspace.Workspace, path string) string {
	remedy := "sp import takes the file's tenants over; sp export --force overwrites the file"
	if path == w.Dir.Tenants() && a.done.Merged != nil {
		remedy = "it was written while this command ran: the next one merges it"
	}
	differences, err := differences(ctx, w, path)
	if err != nil {
		return fmt.Sprintf("what differs can't be told: %v\n%s", err, remedy)
	}
	var lines []string
	for _, d := range differences {
		if d.Only != "" {
			lines = append(lines, fmt.Sprintf("tenant %s: only in the %s", d.ID, d.Only))
		} else {
			lines = append(lines, fmt.Sprintf("tenant %s: %s", d.ID, strings.Join(d.Members, ", ")))
		}
	}
	if len(differences) == 0 {
		lines = append(lines, "no tenant differs: what stands beside the tenants does, or the layout")
	}
	if len(differences) == maxDifferences {
		lines = append(lines, "and perhaps more")
	}
	return strings.Join(append(lines, remedy), "\n")
}

func differences(ctx context.Context, w *workspace.Workspace, path string) (found []exporter.Difference, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	err = w.Read(context.WithoutCancel(ctx), func(view *registry.View) (err error) {
		found, err = exporter.Differences(ctx, view, file, maxDifferences)
		return err
	})
	return found, err
}
