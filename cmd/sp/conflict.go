package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
)

// maxDifferences bounds what a conflict lists.
const maxDifferences = 20

// conflict says what differs between a file that somebody else wrote and the
// registry, and what settles it.
func (a *app) conflict(ctx context.Context, reg *registry.Registry, path string) string {
	remedy := "sp import takes the file's tenants over; sp export --force overwrites the file"
	if a.merged != nil && a.merged.publisher.Path == path && a.merged.source != nil {
		remedy = "it was written while this command ran: the next one merges it"
	}
	differences, err := a.differences(ctx, reg, path)
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

func (a *app) differences(ctx context.Context, reg *registry.Registry, path string) ([]exporter.Difference, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	return exporter.Differences(ctx, view, file, maxDifferences)
}
