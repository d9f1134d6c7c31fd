package profile

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

func defaultCommand() *cli.Command {
	return &cli.Command{
		Name:  "default",
		Usage: "print the default profile, or set it",
		Args:  []cli.Arg{{Name: "NAME", Kind: task.ProfileWord, Optional: true}},
		Description: "The default applies if no stronger source names a profile, and only while its\n" +
			"own tenant, or none, is selected.",
		Flags: []cli.Flag{cli.Bool("clear", "remove the default")},
		Run:   task.Run(standing),
	}
}

func standing(ctx context.Context, t *task.Task) (cli.Answer, error) {
	name := t.Arg(0)
	if err := t.RefuseBoth(name); err != nil {
		return cli.Answer{}, err
	}
	switch {
	case name != nil && t.Bool("clear"):
		return cli.Answer{}, cli.Usage("profile default: NAME and --clear")
	case name == nil && !t.Bool("clear"):
		return printDefault(ctx, t)
	}
	return setDefault(ctx, t, name)
}

// defaultRecord is the default profile in JSON, and what outranks it.
type defaultRecord struct {
	Profile     *record   `json:"profile"`
	OutrankedBy *stronger `json:"outranked_by"`
}

// stronger is a source that names another profile than the default.
type stronger struct {
	Source  resolver.Source `json:"source"`
	Profile task.ProfileRef `json:"profile"`
	tenant  registry.TenantID
}

// defaultOf is a profile as the default; nil is none.
func defaultOf(ctx context.Context, view *registry.View, name *string) (d defaultRecord, err error) {
	chosen, err := choiceIn(ctx, view)
	if err != nil || name == nil {
		return d, err
	}
	p, err := view.Profile(ctx, *name)
	if err != nil {
		return d, err
	}
	r, err := chosen.record(ctx, p)
	d.Profile = &r
	if s := chosen.session; s != nil && s.Profile != *name {
		d.OutrankedBy = &stronger{Source: resolver.FromSession, Profile: task.ProfileRef{Name: s.Profile}, tenant: s.Tenant}
	}
	return d, err
}

// tell says what outranks the default.
func (d defaultRecord) tell(t *task.Task) {
	if s := d.OutrankedBy; s != nil {
		t.Note("profile %s stays in effect: it is the session of the selected tenant %s, which outranks the default (%s ends it)",
			s.Profile.Name, s.tenant, cli.To("sp session logout"))
	}
}

func printDefault(ctx context.Context, t *task.Task) (cli.Answer, error) {
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	name, err := view.DefaultProfile(ctx)
	if err == nil && name == nil {
		err = cli.Hint(fmt.Errorf("%w is the default", registry.ErrNoProfile), "%s sets it", cli.To("sp profile default", "NAME"))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	d, err := defaultOf(ctx, view, name)
	if err == nil {
		d.tell(t)
	}
	return cli.Line(d, *name), err
}

func setDefault(ctx context.Context, t *task.Task, name *string) (cli.Answer, error) {
	var d defaultRecord
	err := t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error {
		if err := reg.SetDefaultProfile(ctx, name); err != nil {
			return err
		}
		return task.InView(ctx, reg, func(view *registry.View) (err error) {
			d, err = defaultOf(ctx, view, name)
			return err
		})
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	if name == nil {
		t.Note("no profile is the default now")
	} else {
		t.Note("profile %s is the default now", *name)
	}
	d.tell(t)
	return cli.Answer{Value: d}, err
}
