package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// What serve.db knows of tenants belongs to the registry that has them, and is forgotten with them. So it
// remembers which registry that is, and the highest revision that spd has seen of it: beside a new one, or
// an older one from a backup, tenants would only seem to be gone. The mark follows a change that is
// durable. If the process dies in between, the registry is ahead of it, which does no harm.

// mark is by what a registry is known again, and how far it has come. The id is a hash, for the registry's
// own is a secret; it is empty where there is none yet.
type mark struct {
	id       string
	revision int64
}

// markOf is the mark of a registry as a view shows it.
func (s *Server) markOf(ctx context.Context, view *registry.View) (mark, error) {
	st, err := view.State(ctx)
	if err == nil && st.CopyOf != "" {
		err = fmt.Errorf("%s is a copy of the one in %s, which is still there: %w", s.registryPath(), st.CopyOf, ErrCopy)
	}
	if err != nil || st.ID.Empty() {
		return mark{revision: st.Revision}, err
	}
	return mark{secret.Hash(st.ID.Reveal()), st.Revision}, nil
}

// ErrOtherRegistry is returned for a registry to which serve.db does not belong.
var ErrOtherRegistry = errors.New("refused, for spd would forget what it knows of the tenants that are not in there")

// ErrCopy is returned for the copy of a registry that is still there.
var ErrCopy = errors.New("refused, for both would work on the same databases")

// ErrNoStore is returned for a registry whose serve.db is gone.
var ErrNoStore = errors.New("refused, for spd would begin with no users, no tokens and no audit")

// mustHaveStore refuses a registry without serve.db, which is made before it. So it looks for that last.
func (s *Server) mustHaveStore() error {
	if there, err := isThere(s.registryPath()); !there || err != nil || s.AcceptRegistry {
		return err
	}
	there, err := isThere(s.storePath())
	if err == nil && !there {
		err = fmt.Errorf("%s is gone, to which %s belongs: %w", s.storePath(), s.registryPath(), ErrNoStore)
	}
	return err
}

// openRegistry opens the registry to which serve.db belongs, and makes the first one.
func (s *Server) openRegistry(ctx context.Context) error {
	path := s.registryPath()
	known, err := s.knownMark(ctx)
	if err != nil {
		return err
	}
	if there, err := isThere(path); err != nil {
		return err
	} else if !there && known != nil && !s.AcceptRegistry {
		return s.otherRegistry("%s is gone, to which %s belongs")
	}
	s.registry, _, err = registry.Create(ctx, path, registry.Options{
		Now: s.Now, Rand: s.Random, Wait: s.Wait, Command: "spd", Holder: fmt.Sprintf("pid %d (spd)", os.Getpid()),
		Trust: db.Trust{Named: true}, // a control plane does not check the place: nobody gets one with a clone
	})
	if err != nil {
		return err
	}
	err = s.checkRegistry(ctx)
	if errors.Is(err, ErrOtherRegistry) && s.AcceptRegistry {
		err = errors.Join(s.acceptRegistry(ctx), s.checkRegistry(ctx))
	}
	return err
}

func (s *Server) registryPath() string { return filepath.Join(s.Dir, "sp.db") }
func (s *Server) storePath() string    { return filepath.Join(s.Dir, "serve.db") }

// acceptRegistry has serve.db belong to the registry that is there.
func (s *Server) acceptRegistry(ctx context.Context) error {
	return s.db.Write(ctx, func(q *rows.Queries) error {
		return errors.Join(q.DeleteRegistryMark(ctx), q.InsertAudit(ctx, s.entry(ctx, act{action: "registry.accept"})))
	})
}

// knownMark is what serve.db remembers, nil if nothing yet.
func (s *Server) knownMark(ctx context.Context) (known *mark, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		row, err := q.RegistryMark(ctx)
		if rows.IsMissing(err) {
			return nil
		}
		known = &mark{row.Registry, row.Revision}
		return err
	})
	return known, err
}

// putMark remembers how far the registry has come.
func (s *Server) putMark(ctx context.Context, now mark) error {
	if now.id == "" { // until its first change
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	return s.db.Write(ctx, func(q *rows.Queries) error {
		return q.PutRegistryMark(ctx, rows.PutRegistryMarkParams{Registry: now.id, Revision: now.revision})
	})
}

// checkRegistry refuses a registry that is another one than serve.db belongs to, or an older state of it.
// The mark is read first: the registry is only ever ahead of it.
func (s *Server) checkRegistry(ctx context.Context) error {
	if err := s.db.Look(); err != nil {
		return err
	}
	known, err := s.knownMark(ctx)
	if err != nil {
		return err
	}
	var now mark
	if err := s.read(ctx, func(view *registry.View) (err error) {
		now, err = s.markOf(ctx, view)
		return err
	}); err != nil {
		return err
	}
	switch {
	case known == nil:
		return s.putMark(ctx, now)
	case known.id != now.id:
		return s.otherRegistry("%s is not the registry to which %s belongs")
	case now.revision < known.revision:
		return s.otherRegistry("%s is older than %s: it ends with change %d, and spd has seen change %d", now.revision, known.revision)
	}
	return nil
}

func (s *Server) otherRegistry(format string, args ...any) error {
	args = append([]any{s.registryPath(), s.storePath()}, args...)
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrOtherRegistry)
}
