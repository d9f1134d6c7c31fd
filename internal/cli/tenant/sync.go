package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// How old a sync may be before a list makes another one, and how long a list waits for it.
const (
	fresh      = time.Minute
	syncWithin = 3 * time.Second
)

// syncing is how tenants are synced.
type syncing struct {
	prune bool   // also remove what is gone
	now   bool   // though the last sync was just now
	named string // the word that somebody looks for
}

// syncTenants takes over what the control plane says of its tenants, if somebody is logged in and that
// was not done just now. Where that fails, the list shows what is here; --prune has to know.
func syncTenants(ctx context.Context, t *task.Task) error {
	how := syncing{prune: t.Bool("prune"), now: t.Bool("prune")}
	err := syncIfLoggedIn(ctx, t, how)
	if how.prune || err == nil || errors.As(err, new(*cli.SignalError)) {
		return err
	}
	warnUnsynced(t, err, "this list may be out of date")
	return nil
}

// syncIfLoggedIn is syncNow unless nobody is to be asked.
func syncIfLoggedIn(ctx context.Context, t *task.Task, how syncing) error {
	if t.Has("offline") && t.Bool("offline") || t.Offline() != nil {
		return nil
	}
	err := syncNow(ctx, t, how)
	if errors.Is(err, cloud.ErrNotLoggedIn) && !how.prune {
		return nil
	}
	return err
}

// warnUnsynced says why there was no sync, and what that means.
func warnUnsynced(t *task.Task, err error, so string) {
	f := t.FailureOf(err)
	t.Note("warning: no sync: %s; %s", f.Message, so)
	t.NoteAdvice(f.Advice)
}

// lookAgain looks for the tenant that the argument means. If none is known by that word, it syncs and
// looks once more: a colleague may have granted it just now. Where it can't, nobody knows whether there is
// one.
func lookAgain(ctx context.Context, t *task.Task, look func() error) error {
	err := look()
	if t.Arg(0) == nil || !isUnknown(err) {
		return err
	}
	failed := syncIfLoggedIn(ctx, t, syncing{now: true, named: *t.Arg(0)})
	switch {
	case failed == nil:
		return look()
	case task.IsNoRegistry(err), errors.As(failed, new(*cli.SignalError)):
		return failed
	}
	return fmt.Errorf("%v here, and the control plane can't be asked: %w", err, failed) //nolint:errorlint // what failed counts
}

// isUnknown tells of an error whether nothing is known here by a tenant's word, as before the first sync.
func isUnknown(err error) bool {
	var missing interface{ Missing() (what, word string) }
	if !errors.Is(err, registry.ErrNotFound) || !errors.As(err, &missing) {
		return task.IsNoRegistry(err)
	}
	what, _ := missing.Missing()
	return what == "tenant"
}

// syncNow asks without a lock, and stores what it is told.
func syncNow(ctx context.Context, t *task.Task, how syncing) error {
	client, origin, err := t.Cloud(ctx)
	if err == nil {
		err = t.MakeRegistry(ctx, task.Refused)
	}
	if err != nil {
		return err
	}
	last, err := lastSync(ctx, t, client)
	if err != nil || last.At != nil && t.Now().Sub(*last.At) < fresh && !how.now {
		return err
	}
	etag := last.ETag
	if how.prune {
		etag = "" // what is gone has to be looked for
	}
	within, cancel := context.WithTimeout(ctx, syncWithin)
	defer cancel()
	t.Step("asking " + client.Host())
	me, unchanged, err := client.Me(within, etag)
	if err == nil && !unchanged {
		err = checkAccount(client, me)
	}
	if err != nil {
		return err
	}
	sync := registry.CloudSync{
		Origin: origin, Account: cmp.Or(me.User.Email, client.Account), ETag: cmp.Or(me.ETag, etag), Unchanged: unchanged,
		Named: registry.TenantID(strings.TrimPrefix(how.named, registry.OnlyID)),
	}
	for _, tenant := range me.Tenants {
		if tenant.IsDeleted() {
			continue // and is shown while its database is being dropped
		}
		sync.Tenants = append(sync.Tenants, cloudTenantOf(client, tenant))
	}
	done, err := storeSync(ctx, t, sync)
	if !task.Made(err) {
		return err
	}
	tellSynced(t, client, done, how)
	if !how.prune {
		return err
	}
	return cmp.Or(prune(ctx, t, client, sync, done.Prunable), err)
}

// checkAccount refuses the tenants of somebody else than credentials.json names, for whom the user has
// vouched: the token in it is another's.
func checkAccount(client *cloud.Client, me cloud.Me) error {
	if client.Account == "" || client.Account == me.User.Email {
		return nil
	}
	return cli.Hint(fmt.Errorf("%s is of %s, and %s says that its token is of %s: %w",
		cloud.LoginName, client.Account, client.Host(), me.User.Email, task.ErrStrangeLogin), "%s makes a login of your own", cli.To("sp login", client.Base))
}

// lastSync is when this login asked last. What another one was told, or one that says not whose it is,
// tells nothing of what this one would be.
func lastSync(ctx context.Context, t *task.Task, client *cloud.Client) (last registry.LastSync, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		last, err = view.LastSync(ctx, client.Base)
		return err
	})
	if client.Account == "" || last.Account != client.Account {
		last = registry.LastSync{}
	}
	return last, err
}

// prune removes tenants that the control plane no longer has, after a question.
func prune(ctx context.Context, t *task.Task, client *cloud.Client, sync registry.CloudSync, gone []registry.Step) error {
	if len(gone) == 0 {
		return nil
	}
	sync.Prune = true
	names, more := []string{}, ""
	for _, step := range gone {
		sync.Only = append(sync.Only, step.ID)
		names = append(names, fmt.Sprintf("%s (%s)", step.ID, step.Name))
	}
	if n := len(names) - maxAsked; n > 0 {
		names, more = names[:maxAsked], fmt.Sprintf(" and %d more", n)
	}
	question := fmt.Sprintf("Remove what %s no longer has, with the credentials: %s%s?", client.Host(), strings.Join(names, ", "), more)
	if err := t.Confirm(ctx, question); err != nil {
		return err
	}
	done, err := storeSync(ctx, t, sync)
	for _, step := range done.Pruned {
		t.Note("tenant %s (%s) removed: %s no longer has it", step.ID, step.Name, client.Host())
		err = cmp.Or(err, forgetSync(t, step.ID))
	}
	return err
}

// storeSync merges what a control plane said.
func storeSync(ctx context.Context, t *task.Task, sync registry.CloudSync) (done registry.CloudSynced, err error) {
	err = t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		done, err = reg.SyncCloud(ctx, sync)
		return err
	}))
	return done, err
}

func tellSynced(t *task.Task, client *cloud.Client, done registry.CloudSynced, how syncing) {
	for _, step := range done.Added {
		t.Note("tenant %s (%s) is new at %s", step.ID, step.Name, client.Host())
	}
	for _, step := range done.Updated {
		t.Note("tenant %s (%s): %s changed at %s", step.ID, step.Name, strings.Join(step.Changed, ", "), client.Host())
	}
	for _, step := range done.Gone {
		isPrunable := slices.ContainsFunc(done.Prunable, func(p registry.Step) bool { return p.ID == step.ID })
		switch {
		case !isPrunable:
			t.Note("tenant %s (%s): %s no longer has it; it stays, as it is selected or a profile uses it", step.ID, step.Name, client.Host())
		case !how.prune:
			t.Note("tenant %s (%s): %s no longer has it; %s removes it", step.ID, step.Name, client.Host(), cli.To("sp tenant list", "--prune"))
		}
	}
	for _, step := range done.Hidden {
		t.Note("tenant %s (%s): %s does not show it to this account; it stays", step.ID, step.Name, client.Host())
	}
	for _, id := range done.Ambiguous {
		t.Note("warning: %s is one tenant's id and another's name; id:%s means the tenant with that id", id, id)
	}
	for _, kept := range done.Kept {
		if kept.Word != "" {
			so, way := "is left out", cli.To("sp tenant provision", registry.OnlyID+string(kept.ID))
			if kept.Members != nil {
				so, way = "keeps its name here", cli.To("sp tenant edit", string(kept.ID), "--name", kept.Name)
			}
			t.Note("warning: tenant %s (%s) of %s %s: %s means tenant %s, and would mean that one; %s changes that", kept.ID, kept.Name, client.Host(), so, kept.Word, kept.Means, way)
			continue
		}
		if kept.Origin != "" {
			t.Note("warning: tenant %s (%s) is from %s, and %s has one of that id; yours stays", kept.ID, kept.Name, kept.Origin, client.Host())
			continue
		}
		if len(kept.Members) == 0 {
			t.Note("warning: tenant %s (%s) is local, and %s has another one with that id", kept.ID, kept.Name, client.Host())
			continue
		}
		t.Note("tenant %s (%s): %s differs at %s; yours stays", kept.ID, kept.Name, strings.Join(kept.Members, ", "), client.Host())
	}
}
