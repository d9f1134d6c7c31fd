// Package registry keeps tenants, profiles and sessions: their rules, and the one
// store that holds them.
package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// Options hand a registry what it may not fetch for itself.
type Options struct {
	// Now tells the time; each view and each change asks it once.
	Now func() time.Time
	// Wait bounds, for each read or change, the waiting for other processes.
	Wait time.Duration
	// Rand is where keys and tokens come from; nil is the system's.
	Rand io.Reader
	// Command is the command line that the history notes for each change; no secrets.
	Command string
	// Holder says who this process is to those who wait for it; no secrets.
	Holder string
	// Waiting, if not nil, is told once when other processes take longer than a
	// second, and who they are, if that is known.
	Waiting func(holder string)
	// Trust is what vouches for the registry beside its place.
	Trust db.Trust
	// Bulk expects a change to add very many rows.
	Bulk bool
	// New has the first change make the registry where there is none: it is there when that is
	// committed, and not before.
	New bool
}

// ErrIncomplete is returned when a change was committed but something after it
// was not done, such as putting a file in place.
var ErrIncomplete = errors.New("the change was made, but not all that follows it")

// Registry is an open registry, whose methods that write are a change each, or one that is
// bound to a change (Tx.Do), whose methods are parts of it.
type Registry struct {
	db      *db.DB
	options Options
	change  *change
}

// Create opens the registry at path, an absolute path, and makes it where there
// is none. It tells whether it made it, also beside an error.
func Create(ctx context.Context, path string, o Options) (r *Registry, made bool, err error) {
	store, made, err := db.Create(ctx, path, o.forFile(), o.seed)
	if err != nil {
		return nil, made, err
	}
	return &Registry{db: store, options: o}, made, nil
}

// seed puts into a new registry what every one has. Its tenants.json follows it from the start, and
// is behind until the first change that writes it.
func (o Options) seed(ctx context.Context, tx *sql.Tx) error {
	q := queries.New(tx)
	if err := q.InsertMeta(ctx, FormatTime(o.Now())); err != nil {
		return err
	}
	empty := sha256.Sum256(nil) // as though sp had written a file of nothing
	if err := q.PutFile(ctx, queries.PutFileParams{Path: "tenants.json", Current: hex.EncodeToString(empty[:]), TenantsRevision: -1}); err != nil {
		return err
	}
	return q.InsertSelection(ctx)
}

// Open opens the registry at path, an absolute path; see db.Open for what is refused.
func Open(ctx context.Context, path string, o Options) (*Registry, error) {
	open := db.Open
	if o.New {
		open = func(ctx context.Context, path string, file db.Options) (*db.DB, error) {
			return db.OpenOrNew(ctx, path, file, o.seed)
		}
	}
	store, err := open(ctx, path, o.forFile())
	if err != nil {
		return nil, err
	}
	return &Registry{db: store, options: o}, nil
}

func (o Options) random() io.Reader {
	if o.Rand == nil {
		return rand.Reader
	}
	return o.Rand
}

// relied are the tables that say which tenant, profile and database it is: neither those of the
// history nor those of what is on servers, which a change checks before it does anything there.
var relied = []string{"registry_meta", "selection", "sessions", "profiles", "profile_secrets", "tenants", "files"}

func (o Options) forFile() db.Options {
	return db.Options{Now: o.Now, Wait: o.Wait, Holder: o.Holder, Waiting: o.Waiting, Rand: o.Rand, Trust: o.Trust, Relied: relied}
}

// Close releases the registry.
func (r *Registry) Close() error { return r.db.Close() }

// Stranger is a registry of which nothing shows that it is this user's, or a backup of one.
type Stranger struct {
	// Known tells that something does show it.
	Known bool
	// CopyOf is the directory of the registry whose copy it is, as far as is known.
	CopyOf  string
	Tenants []Tenant
	Servers []Server
}

// Look tells what source holds, in a copy beside the registry at path that is gone
// afterwards: what it leads to can be shown before it is trusted, and nothing of it is used.
func Look(ctx context.Context, path string, o Options, source db.Source) (s Stranger, err error) {
	err = db.Look(ctx, path, o.forFile(), source, func(tx *sql.Tx, stranger bool, copyOf string) error {
		s.Known, s.CopyOf = !stranger, copyOf
		view := &View{q: queries.New(tx), now: o.Now()}
		for t, err := range view.Tenants(ctx, Page{}) {
			if err != nil {
				return err
			}
			s.Tenants = append(s.Tenants, t)
		}
		var err error
		s.Servers, err = view.Servers(ctx)
		return err
	})
	return s, err
}
