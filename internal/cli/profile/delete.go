package profile

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func deleteCommand() *cli.Command {
	return &cli.Command{
		Name:  "delete",
		Usage: "delete a profile, and the session that chose it",
		Args:  []cli.Arg{{Name: "NAME", Kind: task.ProfileWord}},
		Flags: []cli.Flag{cli.Yes(), task.Purge()},
		Run:   task.Run(remove),
	}
}

// removal is a profile that is to be deleted, in JSON as it was, and what goes with it.
type removal struct {
	record
	WasSession bool `json:"was_session"`
	WasDefault bool `json:"was_default"`
	secrets    int
}

func remove(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if err := t.RefuseBoth(t.Arg(0)); err != nil {
		return cli.Answer{}, err
	}
	name := *t.Arg(0)
	var r removal
	err := t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		r, err = removalOf(ctx, view, name)
		return err
	})
	if err == nil {
		err = t.Confirm(ctx, r.question())
	}
	if err != nil {
		return cli.Answer{}, err
	}
	err = t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error {
		err := task.InView(ctx, reg, func(view *registry.View) (err error) {
			r, err = removalOf(ctx, view, name)
			return err
		})
		if err == nil {
			_, err = reg.DeleteProfile(ctx, name, t.Bool("purge"))
		}
		return err
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	r.tell(t)
	return cli.Answer{Value: r}, err
}

func removalOf(ctx context.Context, view *registry.View, name string) (r removal, err error) {
	p, err := view.Profile(ctx, name)
	if err != nil {
		return r, err
	}
	chosen, err := choiceIn(ctx, view)
	if err != nil {
		return r, err
	}
	if r.record, err = chosen.record(ctx, p); err != nil {
		return r, err
	}
	session, err := view.Session(ctx, p.Tenant)
	if err != nil {
		return r, err
	}
	secrets, err := view.ProfileSecrets(ctx, name)
	r.WasSession, r.WasDefault, r.secrets = session != nil && session.Profile == name, r.Default, len(secrets)
	return r, err
}

// question says what else goes before it goes.
func (r removal) question() string {
	var also []string
	if r.secrets > 0 {
		also = append(also, cli.Counted(r.secrets, "secret"))
	}
	if r.WasSession {
		also = append(also, "the session of its tenant")
	}
	if r.WasDefault {
		also = append(also, "the default")
	}
	question := fmt.Sprintf("Delete profile %s of tenant %s", r.Name, r.Tenant.ID)
	if len(also) > 0 {
		question += ", and with it " + strings.Join(also, ", ")
	}
	return question + "?"
}

func (r removal) tell(t *task.Task) {
	t.Note("profile %s of tenant %s deleted", r.Name, r.Tenant.ID)
	if r.WasSession {
		t.Note("the session that chose it ended")
	}
	if r.WasDefault {
		t.Note("it was the default profile; there is none now")
	}
}
