package task

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// mostNames bounds among how many things the nearest name is looked for.
const mostNames = 10_000

// adviseMissing is AdviseMissing with a look into the registry.
func (t *Task) adviseMissing(ctx context.Context, err error) error {
	if !lacksNames(err) {
		return err
	}
	advised := err
	_ = t.Read(ctx, func(_ project.Dir, view *registry.View) error { // without it there is less to say
		advised = AdviseMissing(ctx, view, t.Now(), err)
		return nil
	})
	return advised
}

// AdviseMissing offers the nearest names where a word names no tenant or profile, and the way to a
// selected tenant where there is none.
func AdviseMissing(ctx context.Context, view *registry.View, now time.Time, err error) error {
	switch {
	case !lacksNames(err):
		return err
	case errors.Is(err, registry.ErrNoTenant):
		return adviseNoTenant(ctx, view, err)
	}
	var missing interface{ Missing() (what, word string) }
	if !errors.As(err, &missing) {
		return err
	}
	switch what, word := missing.Missing(); what {
	case "tenant":
		if k, unread := UnderWay(ctx, view, word, now); unread == nil && k != nil {
			return cli.Hint(err, "its creation began at %s and is not finished; %s goes on with it", Clock(k.MadeAt), ToGoOn(*k))
		}
		return adviseTenant(ctx, view, err, word)
	case "profile":
		return cli.DidYouMean(err, word, profileNames(ctx, view), cli.To("sp profile list", "--all"))
	case "change":
		return cli.Hint(err, "%s shows which there are", cli.To("sp log"))
	}
	return err
}

// adviseTenant offers the tenants that a word may have been meant for; behind id: that is an id.
func adviseTenant(ctx context.Context, view *registry.View, err error, word string) error {
	names, list := tenantNames(ctx, view), cli.To("sp tenant list")
	id, only := strings.CutPrefix(word, registry.OnlyID)
	switch {
	case !only:
		return cli.DidYouMean(err, word, names, list)
	case slices.Contains(names, id):
		return cli.WithCandidates(cli.Hint(err, "id: takes an id, and %s is a name: leave out id:", cli.Quoted(id)), id)
	}
	return cli.DidYouMean(err, id, names, list)
}

// UnderWay is the creation of the tenant that a word names by its id or name, and with which the same command
// goes on; nil if none is.
func UnderWay(ctx context.Context, view *registry.View, word string, now time.Time) (*registry.CloudCall, error) {
	calls, err := view.CloudCalls(ctx)
	for _, k := range calls {
		isID := k.Tenant != nil && string(*k.Tenant) == strings.TrimPrefix(word, registry.OnlyID)
		if k.Kind == registry.CreateCall && !k.IsOver(now) && (isID || k.Name == word) {
			return &k, nil
		}
	}
	return nil, err
}

// ToGoOn is the command that goes on with the creation of a tenant.
func ToGoOn(k registry.CloudCall) cli.Next {
	args := []string{"--region", k.Region, "--name", k.Name}
	if k.External {
		args = append(args, "--external-db-access")
	}
	return cli.To("sp tenant create", args...)
}

// AdviseEither offers the nearest names where neither a tenant nor a profile is called so.
func AdviseEither(ctx context.Context, view *registry.View, err error, word string) error {
	names := append(profileNames(ctx, view), tenantNames(ctx, view)...)
	return cli.DidYouMean(err, word, names, cli.To("sp tenant list"))
}

// lacksNames tells whether something was not found or is not selected, and nothing says yet what helps.
func lacksNames(err error) bool {
	return (errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrNoTenant)) && !errors.Is(err, registry.ErrForgotten) && !cli.HasHint(err)
}

// tenantNames are what tenants can be called by. What can't be read has none.
func tenantNames(ctx context.Context, view *registry.View) (names []string) {
	for tenant, err := range view.Tenants(ctx, registry.Page{Limit: mostNames}) {
		if err == nil {
			names = append(names, tenant.Name, string(tenant.ID))
		}
	}
	return names
}

func profileNames(ctx context.Context, view *registry.View) (names []string) {
	profiles, _ := view.ProfilesOf(ctx, nil, mostNames)
	for _, p := range profiles {
		names = append(names, p.Name)
	}
	return names
}
