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

// OthersHit is what a drop of a database hits beside its tenant, for people.
type OthersHit struct {
	database registry.Database
	hosting.Hit
}

// OthersHit looks what a drop of a database would hit, and says which databases for tests go with it. Of a server
// that does not answer, it is not known whether there are any.
func (t *Task) OthersHit(ctx context.Context, m *hosting.Machine, d registry.Database) (OthersHit, error) {
	hit, err := m.HitBy(ctx, d, t.WantedByDefault())
	switch {
	case err != nil:
	case !hit.Answered:
		t.Note("its server does not answer; if there are databases for tests, they go too: %s", strings.Join(ExtraNames(d.Name), ", "))
	case len(hit.Extras) > 0:
		t.Note("its databases for tests go with it: %s", strings.Join(hit.Extras, ", "))
	}
	return OthersHit{d, hit}, err
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
	for _, other := range hit.Sharers[:min(len(hit.Sharers), maxSharers)] {
		said += fmt.Sprintf(" (tenant %s uses it, too)", other)
	}
	if len(hit.Sharers) > maxSharers {
		said += fmt.Sprintf(" (and %s)", cli.Counted(len(hit.Sharers)-maxSharers, "other tenant"))
	}
	if len(hit.Uses) > 0 {
		said += fmt.Sprintf(" (open there: %s)", hit.Uses)
	}
	return said
}

// TellOthersHit says it once more where it was decided, for nobody may have been asked.
func (t *Task) TellOthersHit(hit OthersHit) {
	t.Tell(hosting.Warnings{Sharers: hit.Sharers}, "leads to the database that is about to be dropped")
	if len(hit.Uses) > 0 {
		t.Note("database %s: what is open there ends with it: %s", hit.database.Name, hit.Uses)
	}
}
