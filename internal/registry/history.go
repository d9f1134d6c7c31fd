package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/sp-registry/sp/db/queries"
)

// Entity is a kind of thing whose changes the history tells.
type Entity string

// What the history tells of; there is one selection and one document.
const (
	TenantEntity    Entity = "tenant"
	ProfileEntity   Entity = "profile"
	SessionEntity   Entity = "session"
	SelectionEntity Entity = "selection"
	documentEntity  Entity = "document"
)

// entities lists them so that what another refers to comes before it.
var entities = []Entity{documentEntity, TenantEntity, ProfileEntity, SessionEntity, SelectionEntity}

// Change is one change of the registry. Sequence is the revision that it made:
// they ascend, with gaps where nothing changed that the history tells of.
type Change struct {
	Sequence int64
	MadeAt   time.Time
	// Command is the command line that made it, without secrets.
	Command string
	// Undoes is the sequence of the change that it took back.
	Undoes *int64
	// Restored is the revision of the backup that it put in the registry's place.
	Restored *int64
	// Purged tells that all it did was to forget what undos could bring back.
	Purged bool
	// Entries are the first of what it did, Omitted counts the rest.
	Entries []Entry
	Omitted int

	firstAdded, lastAdded, weight int64
}

// String names the change as people look for it.
func (c Change) String() string { return fmt.Sprintf("change %d (%s)", c.Sequence, c.Command) }

// Entry is what a change did to one thing: the members that it changed, as JSON
// values by name, before and after. A secret is an object with its digest. Before
// is nil for what the change made, After for what it removed.
type Entry struct {
	Entity        Entity
	ID            string
	Tenant        TenantID
	Before, After map[string]json.RawMessage
}

// maxEntries bounds the entries that a change lists.
const maxEntries = 1000

// Changes streams the history, newest first: of the tenant with that id and all
// that belonged to it or, with nil, of all. page.After is a sequence.
func (v *View) Changes(ctx context.Context, tenant *TenantID, page Page) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		before, err := sequenceOf(page.After)
		if err != nil {
			yield(Change{}, err)
			return
		}
		rows := v.changeRows(ctx, tenant, before, page.Limit)
		convert(rows, func(row queries.Change) (Change, error) { return v.listed(ctx, changeOf(row), tenant) })(yield)
	}
}

// changeRows streams the rows of the changes before a sequence, newest first.
func (v *View) changeRows(ctx context.Context, tenant *TenantID, before int64, limit int) iter.Seq2[queries.Change, error] {
	return stream(limit, func(size int64) ([]queries.Change, error) {
		rows, err := v.changesBefore(ctx, tenant, before, size)
		if len(rows) > 0 {
			before = rows[len(rows)-1].Sequence
		}
		return rows, err
	})
}

func sequenceOf(after string) (int64, error) {
	if after == "" {
		return math.MaxInt64, nil
	}
	sequence, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("sequence of a change: not a number: %w", ErrInvalid)
	}
	return sequence, nil
}

func (v *View) changesBefore(ctx context.Context, tenant *TenantID, before, size int64) ([]queries.Change, error) {
	if tenant == nil {
		return v.q.ChangesBefore(ctx, queries.ChangesBeforeParams{Sequence: before, Size: size})
	}
	return v.q.TenantChangesBefore(ctx, queries.TenantChangesBeforeParams{
		Sequence: before, TenantID: string(*tenant), Size: size,
	})
}

func (v *View) changeRow(ctx context.Context, sequence int64) (Change, error) {
	row, err := v.q.Change(ctx, sequence)
	return changeOf(row), absent(err, "change", strconv.FormatInt(sequence, 10))
}

func changeOf(row queries.Change) Change {
	c := Change{Sequence: row.Sequence, MadeAt: time.UnixMicro(row.MadeAt).UTC(), Command: row.Command, Undoes: row.Undoes, Restored: row.Restored}
	if row.FirstAdded != nil && row.LastAdded != nil {
		c.firstAdded, c.lastAdded = *row.FirstAdded, *row.LastAdded
	}
	return c
}

// weighed returns a change that knows to how many things it did something. One that did
// nothing, and is there all the same, is an undo, a restore or a purge.
func (v *View) weighed(ctx context.Context, c Change) (_ Change, err error) {
	c.weight, err = v.q.CountEntries(ctx, c.Sequence)
	if c.firstAdded != 0 {
		c.weight += c.lastAdded - c.firstAdded + 1
	}
	c.Purged = c.weight == 0 && c.Undoes == nil && c.Restored == nil
	return c, err
}

// listed adds to a change what it did, to one tenant and what belongs to it or, with
// nil, to all.
func (v *View) listed(ctx context.Context, c Change, tenant *TenantID) (Change, error) {
	d, err := v.digests(ctx)
	if err != nil {
		return c, err
	}
	if c.weight = 0; tenant == nil { // of what concerns one tenant there are not so many that any is omitted
		if c, err = v.weighed(ctx, c); err != nil {
			return c, err
		}
	}
	note := func(e Entry, err error) bool {
		if err == nil {
			c.Entries = append(c.Entries, e)
		}
		return err == nil && len(c.Entries) < maxEntries
	}
	for e, err := range v.entriesOf(ctx, c, tenant, d) {
		if !note(e, err) {
			c.Omitted = max(int(c.weight)-len(c.Entries), 0)
			return c, err
		}
	}
	return c, nil
}
