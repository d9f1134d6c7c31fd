package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"golang.org/x/sys/unix"
)

// Trust is `sp trust`.
func Trust() *cli.Command {
	return &cli.Command{
		Name:  "trust",
		Usage: "use a registry that came from elsewhere",
		Description: "If a registry came with a clone, an archive or a copy, sp uses it only after you\n" +
			"say that it is yours. sp trust shows where its tenants lead. Then it asks\n" +
			"whether the project moved here or is a copy of one that is still in use. sp\n" +
			"never drops the databases of a copy. The registry's servers stay unused until\n" +
			"sp db up or sp db use names them.\n\n" +
			"  sp trust --moved        the project moved here from another place\n" +
			"  sp trust --copy         this is a copy; -y alone means the same",
		Flags: append(task.ClaimFlags(), cli.Yes(), task.NoExport()),
		Run:   task.Run(trust),
	}
}

// trusted is what sp trust answers, in JSON.
type trusted struct {
	Directory string `json:"directory"`
	Trusted   bool   `json:"trusted"`
	Copy      bool   `json:"copy"`
}

// answerTrusted answers with the directory: whether it is a copy is what was said just now, or what
// the registry knows.
func answerTrusted(ctx context.Context, t *task.Task, dir project.Dir, isCopy bool) (cli.Answer, error) {
	ctx = context.WithoutCancel(ctx) // what was said is done
	err := t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		known, err := view.IsCopy(ctx)
		isCopy = isCopy || known
		return err
	})
	return cli.Line(trusted{Directory: dir.Path(), Trusted: true, Copy: isCopy}, dir.Path()), task.Afterwards(err)
}

// trust puts the directory's registry in its own place, as a restore of itself would: it is
// checked whole, and no journal but its own is played back.
func trust(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	claim, err := t.Claimed()
	if err != nil {
		return cli.Answer{}, err
	}
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	if !task.HasRegistry(dir) {
		return cli.Answer{}, fmt.Errorf("%s: %w", dir.Registry(), db.ErrMissing)
	}
	if err := t.RefuseTracked(ctx, dir); err != nil {
		return cli.Answer{}, err
	}
	err = t.UntilTold(ctx, func(ctx context.Context) (err error) {
		answer, err = trustAs(ctx, t, dir, claim)
		return err
	})
	return answer, err
}

func trustAs(ctx context.Context, t *task.Task, dir project.Dir, claim db.Claim) (cli.Answer, error) {
	err := t.Read(ctx, func(project.Dir, *registry.View) error { return nil })
	switch {
	case errors.Is(err, db.ErrUntrusted):
		return trustStranger(ctx, t, dir, claim)
	case err != nil:
		return cli.Answer{}, err
	case claim == db.Moved:
		return releaseServers(ctx, t, dir)
	case claim == db.Copied:
		return claimCopy(ctx, t, dir)
	}
	t.Note("%s is trusted already", dir.Path())
	return answerTrusted(ctx, t, dir, false)
}

// trustStranger makes a registry this user's of which nothing shows that it is.
func trustStranger(ctx context.Context, t *task.Task, dir project.Dir, claim db.Claim) (cli.Answer, error) {
	source := ownSource(dir)
	var err error
	if source.Claim, err = t.Claim(ctx, dir, source, claim); err != nil {
		return cli.Answer{}, err
	}
	done, err := t.Restore(ctx, dir, source)
	if !task.Made(err) {
		return cli.Answer{}, task.AdviseRestore(err)
	}
	t.Note("%s is trusted from now on", dir.Path())
	t.Note("what was there, with what lay beside it, is kept for 7 days: %s", done.Kept)
	if err != nil {
		return cli.Answer{}, err
	}
	return answerTrusted(ctx, t, dir, source.Claim == db.Copied)
}

// releaseServers lets the servers of the directory from which this one was copied be named here, once
// that is gone.
func releaseServers(ctx context.Context, t *task.Task, dir project.Dir) (cli.Answer, error) {
	released := int64(0)
	err := t.ChangeIn(ctx, dir, t.Others(func(ctx context.Context, reg *registry.Registry) (err error) {
		released, err = reg.ReleaseServers(ctx)
		return err
	}))
	switch {
	case errors.Is(err, registry.ErrInUse):
		return cli.Answer{}, cli.Hint(fmt.Errorf("%s: %w", dir.Path(), err), "%s shows the server; %s forgets it here, and sp makes another for new databases",
			cli.To("sp db status"), cli.To("sp db remove", "NAME"))
	case !task.Made(err):
		return cli.Answer{}, err
	case released == 0:
		t.Note("%s is trusted already", dir.Path())
	default:
		t.Note("the server of the project of which this one was a copy is this project's from now on: %s starts it", cli.To("sp db up"))
	}
	answer, problem := answerTrusted(ctx, t, dir, false)
	return answer, cmp.Or(err, problem)
}

// claimCopy makes a copy of what nothing shows to be one, as where the original can't be seen.
func claimCopy(ctx context.Context, t *task.Task, dir project.Dir) (cli.Answer, error) {
	const question = "Is this a copy? From then on sp never drops its tenants' databases, and uses no server that it runs for the other one."
	if err := t.Confirm(ctx, question); err != nil {
		return cli.Answer{}, err
	}
	err := t.ChangeIn(ctx, dir, t.Tenants(func(ctx context.Context, reg *registry.Registry) error { return reg.WithholdServers(ctx, true) }))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("%s counts as a copy from now on", dir.Path())
	answer, problem := answerTrusted(ctx, t, dir, true)
	return answer, cmp.Or(err, problem)
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
