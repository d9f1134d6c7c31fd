package task

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// OthersHit are those but the tenant that lose a database which is about to be dropped.
type OthersHit struct {
	database registry.Database
	sharers  []registry.Tenant // whose URL leads to it
	uses     provision.Uses    // who is in it
}

// OthersHit looks who else loses a database, and says which databases for tests go with it. Of a stopped server
// nobody is known.
func (t *Task) OthersHit(ctx context.Context, m *hosting.Machine, d registry.Database) (hit OthersHit, err error) {
	hit.database = d
	err = m.Read(ctx, func(view *registry.View) (err error) {
		hit.sharers, err = hosting.SharersOf(ctx, view, d)
		return err
	})
	if err != nil {
		return hit, err
	}
	if hit.uses, err = m.Uses(ctx, d, t.WantedByDefault()); err != nil {
		return hit, err
	}
	t.warnOfExtras(ctx, m, d)
	return hit, nil
}

// warnOfExtras says which databases for tests go with a database. Of a server that does not answer, it is not known
// whether there are any.
func (t *Task) warnOfExtras(ctx context.Context, m *hosting.Machine, d registry.Database) {
	found, err := m.ExtrasOf(ctx, d)
	switch {
	case err != nil:
		t.Note("its server does not answer; if there are databases for tests, they go too: %s", strings.Join(ExtraNames(d.Name), ", "))
	case len(found) > 0:
		t.Note("its databases for tests go with it: %s", strings.Join(found, ", "))
	}
}

// ExtraNames are the names of the databases for tests beside a database.
func ExtraNames(database string) (names []string) {
	for _, extra := range (provision.Database{Name: database}).Extras() {
		names = append(names, extra.Name)
	}
	return names
}

// maxSharers bounds the tenants that a question names.
const maxSharers = 10

// String names them behind what a question says of the database.
func (hit OthersHit) String() (said string) {
	for _, other := range hit.sharers[:min(len(hit.sharers), maxSharers)] {
		said += fmt.Sprintf(" (tenant %s uses it, too)", other)
	}
	if len(hit.sharers) > maxSharers {
		said += fmt.Sprintf(" (and %s)", cli.Counted(len(hit.sharers)-maxSharers, "other tenant"))
	}
	if len(hit.uses) > 0 {
		said += fmt.Sprintf(" (open there: %s)", hit.uses)
	}
	return said
}

// TellOthersHit says it once more where it was decided, for nobody may have been asked.
func (t *Task) TellOthersHit(hit OthersHit) {
	t.Tell(hosting.Warnings{Sharers: hit.sharers}, "leads to the database that is about to be dropped")
	if len(hit.uses) > 0 {
		t.Note("database %s: what is open there ends with it: %s", hit.database.Name, hit.uses)
	}
}
