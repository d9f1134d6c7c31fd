package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
	"golang.org/x/sys/unix"
)

func (a *app) trustCommand() *cli.Command {
	return &cli.Command{
		Name:  "trust",
		Usage: "use a registry that came from elsewhere",
		Description: "A registry that came with a clone, an archive or a copy is used only after you said\n" +
			"that it is yours. sp trust shows where its tenants lead and asks whether the project\n" +
			"moved here, or is a copy of one that is still in use. Of a copy, sp never drops a\n" +
			"database. Servers stay unused until sp db up or sp db use names them.\n\n" +
			"  sp trust --moved        this is the project that you worked in, at another place\n" +
			"  sp trust --copy         it is a copy; -y alone says so too",
		Flags: []cli.Flag{claimFlag("moved"), claimFlag("copy"), yesFlag(), a.noExportFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.trustRegistry(ctx, cmd)
		},
	}
}

// sayings are what a user can say of a registry of which nothing shows that it is his.
var sayings = map[string]string{
	"moved": "it is the project that you worked in, moved here",
	"copy":  "it is a copy of a project that is still in use",
}

func claimFlag(name string) cli.Flag { return boolFlag(name, sayings[name]) }

// trustRegistry puts the directory's registry in its own place, as a restore of itself
// would: it is checked whole, and no journal but its own is played back.
func (a *app) trustRegistry(ctx context.Context, cmd *cli.Command) error {
	claim, err := claimed(cmd)
	if err != nil {
		return err
	}
	dir, err := a.project()
	if err != nil {
		return err
	}
	if !hasRegistry(dir) {
		return fmt.Errorf("%s: %w", dir.Registry(), db.ErrMissing)
	}
	if err := a.refuseTracked(ctx, dir); err != nil {
		return err
	}
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	err = a.read(ctx, func(project.Dir, *registry.View) error { return nil })
	switch {
	case err == nil && claim == db.Moved:
		return a.releaseServers(ctx, dir)
	case err == nil && claim == db.Copied:
		return a.claimCopy(ctx, cmd, dir)
	case err == nil:
		a.note("%s is trusted already", dir.Path())
		return a.answerTrusted(dir, false)
	case !errors.Is(err, db.ErrUntrusted):
		return err
	}
	source := ownSource(dir)
	if source.Claim, err = a.claim(ctx, cmd, dir, source, claim); err != nil {
		return err
	}
	done, err := a.restoreSource(ctx, dir, source)
	if !made(err) {
		return a.explainRestore(ctx, err)
	}
	a.note("%s is trusted from now on", dir.Path())
	a.note("what was there, with what lay beside it, is kept for 7 days: %s", done.Kept)
	if err != nil {
		return err
	}
	return a.answerTrusted(dir, source.Claim == db.Copied)
}

// releaseServers lets the servers of the directory from which this one was copied be named here, once
// that is gone.
func (a *app) releaseServers(ctx context.Context, dir project.Dir) error {
	released := int64(0)
	err := a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
		released, err = reg.ReleaseServers(ctx)
		return err
	}))
	if errors.Is(err, registry.ErrInUse) {
		return withHint(fmt.Errorf("%s: %w", dir.Path(), err), "sp db status shows the server; sp db remove NAME forgets it here, and sp makes another for new databases")
	}
	if !made(err) {
		return err
	}
	if released == 0 {
		a.note("%s is trusted already", dir.Path())
	} else {
		a.note("the server of the project of which this one was a copy is this project's from now on: sp db up starts it")
	}
	return cmp.Or(err, a.answerTrusted(dir, false))
}

// claimCopy makes a copy of what nothing shows to be one, as where the original can't be seen.
func (a *app) claimCopy(ctx context.Context, cmd *cli.Command, dir project.Dir) error {
	const question = "Is this a copy? From then on sp never drops its tenants' databases, and uses no server that it runs for the other one."
	if err := a.confirm(ctx, cmd, question); err != nil {
		return err
	}
	err := a.change(ctx, a.tenants(func(ctx context.Context, reg *registry.Registry) error { return reg.WithholdServers(ctx, true) }))
	if !made(err) {
		return err
	}
	a.note("%s counts as a copy from now on", dir.Path())
	return cmp.Or(err, a.answerTrusted(dir, true))
}

func (a *app) answerTrusted(dir project.Dir, isCopy bool) error {
	if a.json {
		return a.document(trusted{Directory: dir.Path(), Trusted: true, Copy: isCopy})
	}
	return a.line(dir.Path())
}

// trusted is what sp trust answers, in JSON.
type trusted struct {
	Directory string `json:"directory"`
	Trusted   bool   `json:"trusted"`
	Copy      bool   `json:"copy"`
}

func claimed(cmd *cli.Command) (db.Claim, error) {
	switch {
	case cmd.Bool("moved") && cmd.Bool("copy"):
		return db.Unclaimed, usage("--moved, --copy: it is one or the other")
	case cmd.Bool("moved"):
		return db.Moved, nil
	case cmd.Bool("copy"):
		return db.Copied, nil
	}
	return db.Unclaimed, nil
}

// refuseTracked refuses to trust a registry that git tracks: whoever can push changes it.
func (a *app) refuseTracked(ctx context.Context, dir project.Dir) error {
	tracked, err := dir.Tracked(ctx, a.git(), "sp.db", "sp.db-journal", "sp.db-wal", "sp.db-shm", db.PlaceName)
	if err != nil {
		return err
	}
	if len(tracked) > 0 {
		return withHint(fmt.Errorf("%s: %w: git tracks it, so whoever can push can change it", dir.Full(tracked[0]), db.ErrUntrusted),
			"git -C %s rm --cached -- %s, commit that, then sp trust", project.Quoted(dir.Path()), strings.Join(tracked, " "))
	}
	return nil
}

// ownSource is the directory's registry itself, with the journal of a change of its own that was
// interrupted, and without anything else that lies beside it.
func ownSource(dir project.Dir) db.Source {
	return db.Source{Name: dir.Registry(), Own: true, Copy: func(side string, to io.Writer) (bool, error) {
		switch side {
		case "":
		case "-journal":
			if own, err := db.IsOwnJournal(dir.Registry()); err != nil || !own {
				return false, err
			}
		default:
			return false, nil
		}
		file, err := os.OpenFile(dir.Registry()+side, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if err != nil {
			return false, err
		}
		defer func() { _ = file.Close() }() // it is only read
		_, err = io.Copy(to, file)
		return true, err
	}}
}

// claim shows what a registry leads to, unless something shows that it is this user's, and
// finds out what he says of it.
func (a *app) claim(ctx context.Context, cmd *cli.Command, dir project.Dir, source db.Source, claim db.Claim) (db.Claim, error) {
	options, err := a.options(dir)
	if err != nil {
		return claim, err
	}
	stranger, err := registry.Look(ctx, dir.Registry(), options, source)
	if err != nil || stranger.Known {
		return claim, err
	}
	a.showStranger(ctx, dir, source.Name, stranger)
	switch {
	case stranger.CopyOf != "" && claim == db.Moved:
		return claim, withHint(fmt.Errorf("%s: it is a copy, for %s is still there: %w", source.Name, stranger.CopyOf, registry.ErrInUse),
			"sp trust --copy, or remove the other one first")
	case stranger.CopyOf != "", claim == db.Unclaimed && cmd.Bool("yes"):
		claim = db.Copied
	}
	if claim != db.Unclaimed && cmd.Bool("yes") {
		return claim, nil
	}
	return a.askClaim(ctx, source.Name, claim)
}

// askClaim asks at a terminal; without one, a flag has to have said it, and -y with it.
func (a *app) askClaim(ctx context.Context, name string, claim db.Claim) (db.Claim, error) {
	question := "Is it the project that you worked in, moved here (m), or a copy of one that is still in use (c)? [m/c/N]"
	yes := map[string]db.Claim{"m": db.Moved, "moved": db.Moved, "c": db.Copied, "copy": db.Copied}
	if claim != db.Unclaimed {
		question = "Trust it? [y/N]"
		yes = map[string]db.Claim{"y": claim, "yes": claim}
	}
	if !a.terminal(int(a.stdin.Fd())) {
		return db.Unclaimed, withHint(fmt.Errorf("%s: trust it: %w", name, errConfirm), "sp trust --moved -y, or sp trust --copy -y, if you know where it comes from")
	}
	a.clearProgress()
	fmt.Fprint(a.stderr, "sp: "+question+" ")
	answer, err := readLine(ctx, a.stdin)
	if err != nil {
		return db.Unclaimed, err
	}
	claim, ok := yes[strings.ToLower(answer)]
	if !ok {
		return db.Unclaimed, fmt.Errorf("%s: trust it: %w", name, errConfirm)
	}
	return claim, nil
}

// maxShown is how many tenants are shown one by one.
const maxShown = 50

// showStranger says on stderr what there is to know before a registry is trusted. No
// secret of it is shown, and nothing of it is used.
func (a *app) showStranger(ctx context.Context, dir project.Dir, name string, s registry.Stranger) {
	a.note("%s: nothing on this machine shows that this registry is yours", name)
	if since, err := dir.Since(); err == nil && !since.IsZero() {
		a.note("it stands in %s since %s", dir.Path(), registry.FormatTime(since))
	}
	if tracked, err := dir.Tracked(ctx, a.git()); err == nil && len(tracked) > 0 {
		a.note("git tracks of it: %s", some(tracked))
	}
	if s.CopyOf != "" {
		a.note("it is a copy of %s, which is still there", s.CopyOf)
	}
	a.note("%s:", counted(len(s.Tenants), "tenant"))
	for i, t := range s.Tenants {
		if i == maxShown {
			a.note("  and %d more", len(s.Tenants)-i)
			break
		}
		a.note("  %s (%s): %s", t.ID, t.Name, describeOwnURL(t))
	}
	for _, server := range s.Servers {
		a.note("server %s: %s", server.Name, pgurl.Describe(server.Admin))
	}
}

// describeOwnURL says where a tenant's connection would go.
func describeOwnURL(t registry.Tenant) string {
	if !t.HasDatabaseURL() {
		return "no database"
	}
	return pgurl.Describe(*t.OwnURL())
}
