package task

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// maxDifferences bounds what a conflict lists.
const maxDifferences = 20

// conflict adds to an error what differs between a file that somebody else wrote and the
// registry, and what settles it.
func (t *Task) conflict(ctx context.Context, w *workspace.Workspace, path string, conflict error) error {
	differences, merged, err := differences(ctx, w, path)
	about := differing(differences)
	if err != nil {
		about = fmt.Sprintf("what differs can't be told: %v\n", err)
	}
	switch {
	case merged && err != nil: // it is half written, perhaps
		return cli.Hint(conflict, writtenMeanwhile)
	case merged:
		return cli.Hint(conflict, "%s"+writtenMeanwhile, about)
	}
	return cli.Hint(conflict, "%s%s takes the file's tenants over; %s overwrites the file", about, cli.To("sp import"), cli.To("sp export", "--force"))
}

const writtenMeanwhile = "it was written while this command ran: say it again, and that is merged first"

// differing says what differs, a tenant a line.
func differing(differences []exporter.Difference) string {
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
	return strings.Join(lines, "\n") + "\n"
}

// differences tells, too, whether what others write there is merged: a change that found
// it in its way had not seen it when it began.
func differences(ctx context.Context, w *workspace.Workspace, path string) (found []exporter.Difference, merged bool, err error) {
	ctx = context.WithoutCancel(ctx)
	err = w.Read(ctx, func(view *registry.View) error {
		known, err := view.File(ctx, workspace.TrackedName)
		if err != nil {
			return err
		}
		merged = known != nil && path == w.Dir.Tenants()
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // it was only read
		found, err = exporter.Differences(ctx, view, file, maxDifferences)
		return err
	})
	return found, merged, err
}
