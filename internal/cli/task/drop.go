package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// DropDatabase drops the database that sp made for a tenant, and says so.
func (t *Task) DropDatabase(ctx context.Context, m *hosting.Machine, d registry.Database) error {
	done, err := m.Drop(ctx, d, t.WantedByDefault())
	if err != nil {
		t.Tell(done.Warnings, "")
		return adviseDropping(fmt.Errorf("database %s: %w", d.Name, err), d, done)
	}
	t.Note("database %s dropped", d.Name)
	t.Tell(done.Warnings, "")
	return nil
}

// adviseDeaf says, before other advice, what ends a session that does not react.
func (t *Task) adviseDeaf(err error) error {
	if !errors.Is(err, provision.ErrDeaf) {
		return err
	}
	advice := cli.Advise("%s ends it, with all others; where sp does not run the server, restart it there", cli.To("sp db restart"))
	if f := t.Failure(err); f.Hint != nil {
		advice = advice.And(f.Advice)
	}
	return cli.HintAt(err, advice)
}

// adviseDropping says what is left where a database was not dropped, and what helps.
func adviseDropping(err error, d registry.Database, done hosting.Dropped) error {
	id := string(d.Tenant)
	switch {
	case errors.Is(err, provision.ErrMismatch):
		return cli.Hint(err, "if somebody has dropped it: %s, or %s makes it again", cli.To("sp tenant delete", id, "--keep-database"), cli.To("sp tenant provision", id))
	case !done.Begun && (errors.Is(err, postgres.ErrUnended) || errors.Is(err, postgres.ErrFrozen)):
		return cli.Hint(err, "nothing is deleted; %s ends what is in the way, then say it again", cli.To("sp db restart"))
	case done.Whole:
		return cli.Hint(err, "its data are all there, but its logins may have ended; when that is mended, %s goes on\n%s keeps the database, with a new login",
			cli.To("sp tenant delete", id), cli.To("sp tenant provision", id))
	case done.Begun:
		return cli.Hint(err, "its data may be gone already; when that is mended, say it again\n--keep-database deletes the tenant and leaves what there still is")
	}
	return cli.Hint(err, "nothing is deleted; when that is mended, say it again\n--keep-database deletes the tenant and leaves the database where it is")
}
