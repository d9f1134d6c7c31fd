package registry

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// Restored is what a restore did.
type Restored struct {
	// Revision is what the registry has now, above that of the backup and that of
	// what it replaced.
	Revision int64
	// Tenants is how many there are now.
	Tenants int
	// Kept is the automatic copy of what was replaced; empty where there was nothing.
	Kept string
}

// beyond is added to the revision of a backup where nobody knows which one the
// registry had: more changes than anybody has made since.
const beyond = 1_000_000

// Backup is what is to be restored.
type Backup = db.Source

// Restore begins the change that puts a backup in the place of the registry at path, an
// absolute path; see db.Restore. It says what there is then.
func Restore(ctx context.Context, path string, o Options, source Backup) (t *Tx, done Restored, err error) {
	tx, err := db.Restore(ctx, path, o.forFile(), source)
	if err != nil {
		return nil, done, err
	}
	c := &change{
		View: &View{q: queries.New(tx), now: tx.Now, due: newDue()}, tx: tx, random: o.random(), record: record{command: o.Command},
	}
	t = &Tx{change: c, registry: &Registry{options: o}, commit: tx.Commit, close: tx.Close}
	if done, err = c.restored(ctx, tx, source.Own); err != nil {
		return nil, done, errors.Join(err, tx.Close())
	}
	return t, done, nil
}

// restored makes a registry's next revision of its backup.
func (c *change) restored(ctx context.Context, tx *db.Restoration, own bool) (done Restored, err error) {
	if tx.Stranger || tx.Copied {
		if err := c.withholdServers(ctx, tx.Copied); err != nil {
			return done, err
		}
	}
	if tx.Stranger && !tx.Copied && tx.Original() == "" {
		if _, err := c.q.ReleaseServers(ctx); err != nil {
			return done, err
		}
	}
	if err := c.succeed(ctx, tx.Replaced, tx.ReplacedCopyOf != "", tx.Kept != "" && !own); err != nil {
		return done, err
	}
	if err := c.markTenants(ctx); err != nil {
		return done, err
	}
	done = Restored{Revision: c.revision, Kept: tx.Kept}
	done.Tenants, err = c.Len(ctx)
	return done, err
}

// succeed makes the backup the next revision of what it replaces, and has it remember
// the files as they are now. What can't be read of a damaged registry is not known.
func (c *change) succeed(ctx context.Context, replaced *sql.Tx, copied, there bool) error {
	own, err := c.q.Meta(ctx)
	if err != nil {
		return err
	}
	latest := own.Revision
	var files []queries.FilesRow
	known := false
	if replaced != nil {
		old := queries.New(replaced)
		if meta, err := old.Meta(ctx); err == nil {
			latest, known = max(latest, meta.Revision), true
			files, err = old.Files(ctx)
			known = err == nil
		}
	}
	if there && !known {
		latest += beyond
	}
	if err := c.q.SetRevision(ctx, latest); err != nil {
		return err
	}
	if replaced != nil {
		view := &View{q: queries.New(replaced), copied: copied}
		if err := errors.Join(c.keepDatabases(ctx, view), c.keepCalls(ctx, view)); err != nil {
			return err
		}
	}
	for _, f := range files {
		f.Due = f.Kind != ""
		if err := c.q.PutWholeFile(ctx, queries.PutWholeFileParams(f)); err != nil {
			return err
		}
	}
	if c.revision, err = c.q.BumpRevision(ctx); err != nil {
		return err
	}
	c.touched, c.due.Sessions = true, true
	for p, err := range c.Profiles(ctx, nil, Page{}) {
		if err != nil {
			return err
		}
		c.due.Profiles[p.Name] = true
	}
	return c.recordRestore(ctx, own.Revision)
}

// keepDatabases goes on knowing the databases that sp has made since the backup: nobody
// else would ever drop them.
func (c *change) keepDatabases(ctx context.Context, replaced *View) error {
	servers, err := replaced.Servers(ctx)
	databases, unreadable := replaced.Databases(ctx)
	if err != nil || unreadable != nil {
		return nil // it is damaged, and whoever restores a backup knows
	}
	for _, s := range servers {
		known, err := c.Server(ctx, s.Name)
		if err != nil {
			return err
		}
		if s = s.since(known); known == nil {
			if err := c.dropTakenRegion(ctx, &s); err != nil {
				return err
			}
		}
		if err := c.putServer(ctx, s); err != nil {
			return err
		}
	}
	for _, d := range databases {
		known, err := c.Database(ctx, d.Tenant)
		if err == nil && known == nil {
			err = c.putDatabase(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// since is what is known of a server when a backup comes back that knows it so, nil if it
// does not. Where its data are now is not for the backup to say.
func (s Server) since(backup *Server) Server {
	switch {
	case backup == nil:
		s.Chosen = false
		return s
	case backup.Place == nil || s.Place != nil && *s.Place == *backup.Place:
		backup.Place, backup.Identity = s.Place, s.Identity
		return *backup
	case s.Place != nil: // it was removed and made anew, with another password
		s.Chosen, s.Region = backup.Chosen, backup.Region
		return s
	}
	return *backup
}

// recordRestore tells the history of a change that has no entries: all that the backup
// holds is as its own history says.
func (c *change) recordRestore(ctx context.Context, restored int64) error {
	if err := c.forgetOver(ctx); err != nil {
		return err
	}
	return c.q.InsertChange(ctx, queries.InsertChangeParams{
		Sequence: c.revision, MadeAt: c.now.UnixMicro(), Command: c.record.command, Restored: &restored,
	})
}
