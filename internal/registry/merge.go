package registry

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Side is who is right about what both changed.
type Side string

// The sides of a merge. Nobody settles nothing: then a conflict ends it.
const (
	Nobody Side = ""
	Theirs Side = "theirs" // the file's
	Ours   Side = "ours"   // the registry's
)

// mergeCommand is what the history says of a merge that is part of another command,
// and sessionsMergeCommand of one that concerns the sessions alone.
const (
	mergeCommand         = "tenants.json was changed by another program"
	sessionsMergeCommand = "sessions/index.json was changed by another program"
)

// Merge asks for what another program did to a file of tenants to be taken over: it
// is merged, three ways, with what was done here since the file showed the registry.
// What it was then the history tells.
type Merge struct {
	// Read gives each tenant of the file to take, and returns the rest of the file; it may
	// be asked twice. It is nil where only sessions are to be taken over.
	Read func(take func(Tenant) error) (Document, error)
	// Sessions is what was done to the sessions, nil for nothing.
	Sessions *SessionsEdit
	// Since is the TenantsRevision that the file showed before.
	Since int64
	// Written is when the other program wrote the file, by the clock of the file system.
	// Zero is not known: then it knew all that the file showed.
	Written time.Time
	// Settle says who is right where both changed the same. For Theirs, the other program
	// knew all that the file showed.
	Settle Side
	// Unread says that the state Since was not in place before the other program wrote the
	// file, as far as is known: then it was read only if the file shows that.
	Unread bool
	// Unseen says that the file was kept aside when another took its place: who wrote since
	// does not know what it says.
	Unseen bool
	// Purge forgets the secrets that it replaces or removes at once.
	Purge bool
}

// Conflict is what both sides changed of one tenant: the members, also those that the
// record does not define or, where one side has deleted it, which.
type Conflict struct {
	ID      TenantID
	Members []string
	Deleted Side
}

// String says it in names, never values.
func (c Conflict) String() string {
	switch c.Deleted {
	case Theirs:
		return fmt.Sprintf("tenant %s: the file has it no more, and it is in use or was changed here", c.ID)
	case Ours:
		return fmt.Sprintf("tenant %s: deleted here, and the file changed it", c.ID)
	}
	return fmt.Sprintf("tenant %s: both changed %s", c.ID, strings.Join(c.Members, ", "))
}

// maxConflicts bounds the conflicts that are listed.
const maxConflicts = 20

// ConflictsError is returned for a merge that somebody has to settle.
type ConflictsError struct {
	Conflicts []Conflict // the first of them
	Omitted   int
}

func (e *ConflictsError) Error() string {
	return "changed here and by another program"
}

// Unwrap returns ErrConflict.
func (e *ConflictsError) Unwrap() error { return ErrConflict }

func (c *change) takeOver(ctx context.Context, b Merge, plan *Plan) error {
	c.record.command, c.record.purge = mergeCommand, b.Purge
	plan.Revision = c.revision - 1
	if b.Read == nil {
		c.record.command = sessionsMergeCommand
	} else if err := c.takeTenants(ctx, b, plan); err != nil {
		return err
	}
	if b.Sessions == nil {
		return nil
	}
	var err error
	due := c.due.Sessions
	plan.Sessions, err = c.editSessions(ctx, *b.Sessions)
	c.due.Sessions = due // what was taken of the index, that shows already
	return err
}

func (c *change) takeTenants(ctx context.Context, b Merge, plan *Plan) error {
	if c.record.taken = byOther; b.Unseen {
		c.record.taken = byOtherUnseen
	}
	var document Document
	err := c.prepared(func() error {
		t, err := c.merging(ctx, b, plan)
		if err != nil {
			return err
		}
		if document, err = b.Read(func(tenant Tenant) error { return t.take(ctx, tenant) }); err != nil {
			return err
		}
		if err := t.eachUnseen(ctx, func(ours placedTenant) error { return t.takeRemoval(ctx, ours) }); err != nil {
			return err
		}
		if len(t.conflicts.Conflicts) > 0 {
			return &t.conflicts
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.noteAmbiguous(ctx, plan); err != nil {
		return err
	}
	return c.importDocument(ctx, Import{}, document, plan)
}
