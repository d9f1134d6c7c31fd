package task

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// sayings are what a user can say of a registry of which nothing shows that it is his.
var sayings = map[string]string{
	"moved": "the project moved here from another place",
	"copy":  "this is a copy of a project that is still in use",
}

// ClaimFlags returns the flags with which the user says whether a registry was moved or copied.
func ClaimFlags() []cli.Flag {
	return []cli.Flag{cli.Bool("moved", sayings["moved"]), cli.Bool("copy", sayings["copy"])}
}

// Claimed returns what these flags say.
func (t *Task) Claimed() (db.Claim, error) {
	switch {
	case t.Bool("moved") && t.Bool("copy"):
		return db.Unclaimed, cli.Usage("--moved, --copy: it is one or the other")
	case t.Bool("moved"):
		return db.Moved, nil
	case t.Bool("copy"):
		return db.Copied, nil
	}
	return db.Unclaimed, nil
}

// RefuseTracked refuses to trust a registry that git tracks: whoever can push changes it.
func (t *Task) RefuseTracked(ctx context.Context, dir project.Dir) error {
	tracked, err := dir.Tracked(ctx, t.Git(), "sp.db", "sp.db-journal", "sp.db-wal", "sp.db-shm", db.PlaceName)
	if err != nil {
		return err
	}
	if len(tracked) > 0 {
		return cli.Hint(fmt.Errorf("%s: %w: git tracks it, so whoever can push can change it", dir.Full(tracked[0]), db.ErrUntrusted),
			"git -C %s rm --cached -- %s, commit that, then %s", cli.Quoted(dir.Path()), strings.Join(tracked, " "), cli.To("sp trust"))
	}
	return nil
}

// Claim finds out whose registry it is. Unless something proves that it belongs to this user, it
// shows where the tenants lead and asks.
func (t *Task) Claim(ctx context.Context, dir project.Dir, source db.Source, claim db.Claim) (db.Claim, error) {
	options, err := t.Options(dir)
	if err != nil {
		return claim, err
	}
	stranger, err := registry.Look(ctx, dir.Registry(), options, source)
	if err != nil || stranger.Known {
		return claim, err
	}
	t.showStranger(ctx, dir, source.Name, stranger)
	switch {
	case stranger.CopyOf != "" && claim == db.Moved:
		return claim, cli.Hint(fmt.Errorf("%s: it is a copy, for %s is still there: %w", source.Name, stranger.CopyOf, registry.ErrInUse),
			"%s, or remove the other one first", cli.To("sp trust", "--copy"))
	case stranger.CopyOf != "", claim == db.Unclaimed && t.Bool("yes"):
		claim = db.Copied
	}
	if claim != db.Unclaimed && t.Bool("yes") {
		return claim, nil
	}
	return t.askClaim(ctx, source.Name, claim)
}

// askClaim asks at a terminal; without one, a flag has to have said it, and -y with it.
func (t *Task) askClaim(ctx context.Context, name string, claim db.Claim) (db.Claim, error) {
	if !t.IsAttended() {
		err := fmt.Errorf("%s: trust it: %w", name, cli.ErrConfirm)
		copied := cli.To("sp trust", "--copy", "-y")
		if claim == db.Copied {
			return db.Unclaimed, cli.Hint(err, "%s, if you know where it comes from", copied)
		}
		return db.Unclaimed, cli.Hint(err, "%s, or %s, if you know where it comes from", cli.To("sp trust", "--moved", "-y"), copied)
	}
	if claim != db.Unclaimed {
		return claim, t.ConfirmTyped(ctx, "Trust it?")
	}
	answer, err := t.Ask(ctx, cli.Question{What: "What is it", Cancels: true, Candidates: []cli.Candidate{
		{Answer: "moved", About: sayings["moved"]}, {Answer: "copy", About: sayings["copy"]},
	}})
	if answer == "moved" {
		return db.Moved, err
	}
	return db.Copied, err
}

// maxShown is how many tenants are shown one by one.
const maxShown = 50

// showStranger says on stderr what there is to know before a registry is trusted. No
// secret of it is shown, and nothing of it is used.
func (t *Task) showStranger(ctx context.Context, dir project.Dir, name string, s registry.Stranger) {
	t.Note("%s: nothing on this machine shows that this registry is yours", name)
	if since, err := dir.Since(); err == nil && !since.IsZero() {
		t.Note("it stands in %s since %s", dir.Path(), Clock(since))
	}
	if tracked, err := dir.Tracked(ctx, t.Git()); err == nil && len(tracked) > 0 {
		t.Note("git tracks of it: %s", cli.Some(tracked))
	}
	if s.CopyOf != "" {
		t.Note("it is a copy of %s, which is still there", s.CopyOf)
	}
	t.Note("%s:", cli.Counted(len(s.Tenants), "tenant"))
	for i, tenant := range s.Tenants {
		if i == maxShown {
			t.Note("  and %d more", len(s.Tenants)-i)
			break
		}
		t.Note("  %s (%s): %s", tenant.ID, tenant.Name, describeOwnURL(tenant))
	}
	for _, server := range s.Servers {
		t.Note("server %s: %s", server.Name, pgurl.Describe(server.Admin))
	}
}

// describeOwnURL says where a tenant's connection would go.
func describeOwnURL(t registry.Tenant) string {
	if !t.HasDatabaseURL() {
		return "no database"
	}
	return pgurl.Describe(*t.OwnURL())
}
