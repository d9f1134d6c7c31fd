package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// adviseGone says how a tenant goes from here that the control plane does not have, or does not show. It
// never names the command that deletes: the tenant may be there again when that is run, with its database.
func adviseGone(ctx context.Context, t *task.Task, tenant registry.Tenant, err error) error {
	if !errors.Is(err, cloud.ErrNotFound) {
		return err
	}
	gone := fmt.Errorf("tenant %s: %w", tenant, err)
	prune := cli.To("sp tenant list", "--prune")
	uses, unread := usesOf(ctx, t, tenant.ID)
	if unread != nil || len(uses) == 0 {
		return cli.Hint(gone, "if it is gone for good, %s removes it here", prune)
	}
	return cli.Hint(gone, "it stays here while %s; after that %s removes it", strings.Join(uses, " and "), prune)
}

// usesOf says what keeps a tenant here that the control plane no longer has.
func usesOf(ctx context.Context, t *task.Task, id registry.TenantID) (uses []string, err error) {
	err = t.Read(context.WithoutCancel(ctx), func(_ project.Dir, view *registry.View) error {
		selection, err := view.Selection(ctx)
		if err == nil && task.IsSelected(id, selection) {
			uses = append(uses, "it is selected")
		}
		profiles, unread := view.ProfilesOf(ctx, &id, 1)
		for _, p := range profiles {
			uses = append(uses, "profile "+p.Name+" uses it")
		}
		return errors.Join(err, unread)
	})
	return uses, err
}
