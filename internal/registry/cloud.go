package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// CloudTenant is a tenant as a control plane gives it. A URL that is masked is not known.
type CloudTenant struct {
	ID                      TenantID
	Name                    string
	AppID, Hostname, Region *string
	External                bool
	InternalURL, URL        *secret.Secret
	// Account is who saw it there, empty where that is not known.
	Account string
}

// record is the tenant as the registry has it, without its URLs.
func (t CloudTenant) record() Tenant {
	return Tenant{
		ID: t.ID, Name: t.Name, AppID: t.AppID, Hostname: t.Hostname, Region: t.Region, Kind: Cloud, ExternalDBAccess: t.External,
	}
}

// CloudSync is all the tenants that the control plane at Origin has for Account, in the state that
// ETag names. Unchanged says that they are as they were at the last sync; then Tenants is empty.
type CloudSync struct {
	Origin, Account, ETag string
	Unchanged             bool
	Tenants               []CloudTenant
	// Prune removes the tenants that it has no more: those of Only, or all if that is nil.
	Prune bool
	Only  []TenantID
	// Named is a tenant that the user named by its whole id: it is added, whatever its words mean today.
	Named TenantID
}

// LastSync is when a control plane was asked last, nil for never, by whom, and the ETag of what it
// said.
type LastSync struct {
	At            *time.Time
	Account, ETag string
}

// LastSync returns when a control plane was asked last.
func (v *View) LastSync(ctx context.Context, origin string) (last LastSync, err error) {
	row, err := v.q.CloudOrigin(ctx, origin)
	if there, err := isThere(err); !there {
		return last, err
	}
	at := time.UnixMicro(row.SyncedAt).UTC()
	return LastSync{&at, row.Account, row.Etag}, nil
}

// check refuses an answer in which a tenant has no id or no name, or stands twice.
func (s CloudSync) check() error {
	if err := checkText("origin", s.Origin); err != nil {
		return err
	}
	seen := map[TenantID]bool{}
	for _, t := range s.Tenants {
		if err := checkWhole(t.record()); err != nil {
			return err
		}
		if seen[t.ID] {
			return &DuplicateError{ID: t.ID}
		}
		seen[t.ID] = true
	}
	return nil
}

// CloudSynced is what a sync did.
type CloudSynced struct {
	// Gone are tenants that the control plane has no more and the registry keeps: with Prune
	// those that are selected, have a profile or have a database that sp made. Prunable are those
	// of them that Prune would remove. Hidden are tenants that another account saw and this one
	// does not: they are there, perhaps.
	Added, Updated, Pruned, Gone, Prunable, Hidden []Step
	Kept                                           []CloudConflict
	// Ambiguous are ids, a few of them, that are also another tenant's name by then.
	Ambiguous []TenantID
	// Changed tells that tenants changed, and not just the time of the sync.
	Changed bool
}

// CloudConflict is a tenant of which the registry keeps what the control plane says otherwise:
// the members that both changed, or that nobody knows who changed. There are none where the
// registry has a local tenant of that id, which a sync does not touch.
type CloudConflict struct {
	ID      TenantID
	Name    string
	Members []string
	// Origin is the control plane that the tenant is from, if that is another one.
	Origin string
	// Word means the tenant Means today, and would mean this one by the Name that the control plane gives
	// it, or by its id: a new one is left out, one that is here keeps its name.
	Word  string
	Means Tenant
}

// A control plane and the registry both have the members cloudMembers of a tenant. The rule:
//
//  1. base is what the control plane said at the last sync. What only it has changed since is
//     taken, what only the registry has changed stays, and of what both changed ours stays.
//  2. A cloud tenant without a base came with a file, or back by an undo. Its base is empty: what
//     it lacks is taken, and what it has otherwise stays.
//  3. A URL is taken if it is real and ours is absent, empty or masked; database_url only
//     where the database can be reached from outside.
//  4. Nothing else is ever touched: local tenants, tokens, real URLs, unknown members.
var cloudMembers = []string{"name", "app_id", "hostname", "region", "external_db_access"}

// baseOf is what a sync remembers of a tenant.
func baseOf(t Tenant) image { return imageOfTenant(t, digester{}).only(cloudMembers) }

// mergeCloud returns what becomes of a cloud tenant when its control plane says theirs of it,
// and the members of which ours stays though theirs is another.
func mergeCloud(base image, ours, theirs Tenant) (merged Tenant, kept []string) {
	merged = ours
	here, there := baseOf(ours), baseOf(theirs)
	for _, m := range Members {
		if !slices.Contains(cloudMembers, m.Name) || m.isSame(&ours, &theirs) {
			continue
		}
		switch was := string(base[m.Name]); was {
		case string(here[m.Name]):
			m.take(&merged, &theirs)
		case string(there[m.Name]):
		default:
			kept = append(kept, m.Name)
		}
	}
	return merged, kept
}

// fill gives a tenant the real URLs that it has not.
func (t CloudTenant) fill(to *Tenant) {
	if isUnknown(to.InternalDatabaseURL) && isReal(t.InternalURL) {
		to.InternalDatabaseURL = t.InternalURL
	}
	if to.ExternalDBAccess && isUnknown(to.DatabaseURL) && isReal(t.URL) {
		to.DatabaseURL = t.URL
	}
}

func isUnknown(url *secret.Secret) bool {
	return url == nil || url.Empty() || pgurl.IsMasked(*url)
}

func isReal(url *secret.Secret) bool { return !isUnknown(url) && pgurl.Check(*url) == nil }

// CloudOrigin returns the URL of the control plane with which a tenant was synced last, nil if
// it never was.
func (v *View) CloudOrigin(ctx context.Context, id TenantID) (*string, error) {
	row, err := v.q.CloudTenant(ctx, string(id))
	if there, err := isThere(err); !there {
		return nil, err
	}
	if !utf8.ValidString(row.Origin) {
		return nil, fmt.Errorf("control plane of tenant %s: %w: it is not UTF-8", shown(string(id)), db.ErrDamaged)
	}
	return &row.Origin, nil
}

// SyncCloud merges the tenants of a control plane into the registry, as one change.
func (r *Registry) SyncCloud(ctx context.Context, s CloudSync) (done CloudSynced, err error) {
	if err := s.check(); err != nil {
		return done, err
	}
	err = r.write(ctx, func(c *change) error {
		done = CloudSynced{}
		return c.prepared(func() error {
			y, err := c.syncing(ctx, s, &done)
			if err == nil {
				err = y.run(ctx)
			}
			return err
		})
	})
	return done, err
}

// StoreCloudURLs gives a cloud tenant that is here the real URLs that its control plane gave. Where nobody
// knows whether it is from there, and it has one, nothing changes.
func (r *Registry) StoreCloudURLs(ctx context.Context, origin string, t CloudTenant) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		before, err := c.placedTenant(ctx, t.ID)
		if err == nil && before.IsLocal() {
			err = fmt.Errorf("tenant %s: it is a local one: %w", before, ErrInvalid)
		}
		if err != nil {
			return err
		}
		given, err := c.credentialsFor(ctx, before.Tenant, origin, CloudResult{InternalURL: t.InternalURL, URL: t.URL})
		if tenant = before.Tenant; err != nil || t.InternalURL != nil && given.InternalURL == nil {
			return err
		}
		base, err := c.base(ctx, t.ID)
		if err != nil {
			return err
		}
		merged, _ := mergeCloud(base, before.Tenant, t.record())
		if err := given.give(&merged); err != nil {
			return err
		}
		if tenant = merged; !before.Equal(merged) {
			if err := c.updateTenant(ctx, before, merged); err != nil {
				return err
			}
		}
		return c.putBase(ctx, origin, t)
	})
	return tenant, err
}

// credentialsFor returns what of a control plane's credentials a tenant takes. That of another control plane
// takes none: whoever runs one can name its id, and would get its sync token next. For the same reason one
// of which nobody knows where it is from takes only what it has not.
func (c *change) credentialsFor(ctx context.Context, t Tenant, origin string, n CloudResult) (CloudResult, error) {
	from, err := c.CloudOrigin(ctx, t.ID)
	switch {
	case err != nil:
		return n, err
	case from != nil && *from != origin:
		return n, fmt.Errorf("tenant %s is from %s, and %s gave its id: %w", t, *from, origin, ErrConflict)
	case from != nil:
		return n, nil
	}
	if !isUnknown(t.InternalDatabaseURL) {
		n.InternalURL = nil
	}
	if !isUnknown(t.DatabaseURL) {
		n.URL = nil
	}
	if !t.IsSyncTokenMissing() {
		n.SyncToken = nil
	}
	return n, nil
}

// syncing is a sync at work.
type syncing struct {
	*change
	CloudSync
	done  *CloudSynced
	known map[TenantID]queries.CloudTenant
	calls []CloudCall
	taken map[TenantID]CloudConflict
}

func (c *change) syncing(ctx context.Context, s CloudSync, done *CloudSynced) (*syncing, error) {
	y := &syncing{change: c, CloudSync: s, done: done, known: map[TenantID]queries.CloudTenant{}, taken: map[TenantID]CloudConflict{}}
	rows, err := c.q.CloudTenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		y.known[TenantID(row.TenantID)] = row
	}
	y.calls, err = c.CloudCalls(ctx)
	return y, err
}

func (y *syncing) run(ctx context.Context) error {
	err := y.putOrigin(ctx)
	if err == nil && !y.Unchanged {
		err = y.merge(ctx)
	}
	if y.ETag != "" && len(y.taken) > 0 { // it is looked at again: the word may be free by then
		y.ETag = ""
		err = cmp.Or(err, y.putOrigin(ctx))
	}
	if err != nil {
		return err
	}
	if y.done.Changed = len(y.done.Added)+len(y.done.Updated)+len(y.done.Pruned) > 0; y.done.Changed {
		if y.done.Ambiguous, err = y.AmbiguousIDs(ctx); err != nil {
			return err
		}
	}
	return y.setSynced(ctx, y.now)
}

func (y *syncing) putOrigin(ctx context.Context) error {
	return y.q.PutCloudOrigin(ctx, queries.PutCloudOriginParams{Origin: y.Origin, Account: y.Account, Etag: y.ETag, SyncedAt: y.now.UnixMicro()})
}

// findTaken finds the tenants that would take a word from one that is here now.
func (y *syncing) findTaken(ctx context.Context) error {
	for _, t := range y.Tenants {
		row, known := y.known[t.ID]
		if known && (row.Origin != y.Origin || row.Base == baseOf(t.record()).text()) {
			continue
		}
		words := []string{string(t.ID), t.Name}
		ours, err := y.Tenant(ctx, t.ID)
		conflict := CloudConflict{ID: t.ID, Name: t.Name}
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case ours.IsLocal(), ours.Name == t.Name:
			continue
		default:
			words, conflict.Members = words[1:], []string{"name"}
		}
		word, means, err := y.takes(ctx, words...)
		if err != nil {
			return err
		}
		if means != nil && means.ID != t.ID && t.ID != y.Named {
			conflict.Word, conflict.Means = word, *means
			y.taken[t.ID] = conflict
		}
	}
	return nil
}

func (y *syncing) merge(ctx context.Context) error {
	if err := y.findTaken(ctx); err != nil {
		return err
	}
	gone := maps.Clone(y.known)
	for _, t := range y.Tenants {
		delete(gone, t.ID)
		t.Account = y.Account
		if err := y.take(ctx, t); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if gone[id].Origin == y.Origin {
			if err := y.takeGone(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// take merges one tenant. One that is being created comes with its credentials, not before.
func (y *syncing) take(ctx context.Context, theirs CloudTenant) error {
	ours, err := y.placedTenant(ctx, theirs.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		if slices.ContainsFunc(y.calls, func(c CloudCall) bool { return c.creates(y.Origin, theirs, y.now) }) {
			return nil
		}
		if conflict, taken := y.taken[theirs.ID]; taken {
			y.done.Kept = append(y.done.Kept, conflict)
			return nil
		}
		return y.add(ctx, theirs)
	case err != nil:
		return err
	case ours.IsLocal():
		y.done.Kept = append(y.done.Kept, CloudConflict{ID: ours.ID, Name: ours.Name})
		return nil
	case y.isAnothers(ours.ID):
		y.done.Kept = append(y.done.Kept, CloudConflict{ID: ours.ID, Name: ours.Name, Origin: y.known[ours.ID].Origin})
		return nil
	}
	if conflict, taken := y.taken[theirs.ID]; taken {
		y.done.Kept = append(y.done.Kept, conflict)
		theirs.Name = ours.Name
	}
	return y.update(ctx, ours, theirs)
}

func (y *syncing) add(ctx context.Context, theirs CloudTenant) error {
	tenant := theirs.record()
	theirs.fill(&tenant)
	if err := y.appendTenant(ctx, tenant); err != nil {
		return err
	}
	y.done.Added = append(y.done.Added, Step{Action: Add, ID: tenant.ID, Name: tenant.Name, Kind: Cloud})
	return y.putBase(ctx, y.Origin, theirs)
}

// isAnothers tells whether a tenant is another control plane's: whoever runs one can name its id.
func (y *syncing) isAnothers(id TenantID) bool {
	row, known := y.known[id]
	return known && row.Origin != y.Origin
}

func (y *syncing) update(ctx context.Context, ours placedTenant, theirs CloudTenant) error {
	row := y.known[ours.ID]
	base, err := readImage(row.Base)
	if err != nil {
		return err
	}
	merged, kept := mergeCloud(base, ours.Tenant, theirs.record())
	theirs.fill(&merged)
	if kept != nil {
		y.done.Kept = append(y.done.Kept, CloudConflict{ID: ours.ID, Name: merged.Name, Members: kept})
	}
	if changed := ours.Differing(merged); changed != nil {
		y.done.Updated = append(y.done.Updated, Step{Action: Update, ID: ours.ID, Name: merged.Name, Kind: Cloud, Changed: changed})
		if err := y.updateTenant(ctx, ours, merged); err != nil {
			return err
		}
	}
	if row.Origin == y.Origin && row.Account == y.Account && row.Base == baseOf(theirs.record()).text() {
		return nil
	}
	return y.putBase(ctx, y.Origin, theirs)
}

// takeGone tells of a tenant that the control plane has no more, or removes it.
func (y *syncing) takeGone(ctx context.Context, id TenantID) error {
	ours, err := y.placedTenant(ctx, id)
	if err != nil || ours.IsLocal() {
		return err
	}
	step := Step{Action: Stay, ID: id, Name: ours.Name, Kind: ours.Kind}
	if y.known[id].Account != y.Account {
		y.done.Hidden = append(y.done.Hidden, step)
		return nil
	}
	needed, err := y.isNeeded(ctx, id)
	if err == nil && !needed && !y.prunes(id) {
		y.done.Prunable = append(y.done.Prunable, step)
	}
	if err != nil || needed || !y.prunes(id) {
		y.done.Gone = append(y.done.Gone, step)
		return err
	}
	removed, err := y.removeTenant(ctx, ours)
	step.Action, step.Removed = Remove, &removed
	y.done.Pruned = append(y.done.Pruned, step)
	return err
}

func (y *syncing) prunes(id TenantID) bool {
	return y.Prune && (y.Only == nil || slices.Contains(y.Only, id))
}

// isNeeded tells whether a tenant is selected, or has a profile or a database that sp made.
func (c *change) isNeeded(ctx context.Context, id TenantID) (bool, error) {
	s, err := c.Selection(ctx)
	if err != nil || s.Tenant != nil && *s.Tenant == id {
		return true, err
	}
	profiles, err := c.ProfilesOf(ctx, &id, 1)
	if err != nil || len(profiles) > 0 {
		return true, err
	}
	d, err := c.Database(ctx, id)
	return d != nil, err
}

// base returns what a control plane said of a tenant last, nil where it was never synced.
func (v *View) base(ctx context.Context, id TenantID) (image, error) {
	row, err := v.q.CloudTenant(ctx, string(id))
	if there, err := isThere(err); !there {
		return nil, err
	}
	return readImage(row.Base)
}

// putBase remembers what a control plane said of a tenant.
func (c *change) putBase(ctx context.Context, origin string, said CloudTenant) error {
	return c.q.PutCloudTenant(ctx, queries.PutCloudTenantParams{
		TenantID: string(said.ID), Origin: origin, Account: said.Account, Base: baseOf(said.record()).text(),
	})
}
