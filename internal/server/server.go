// Package server is a control plane: an API over one registry and the PostgreSQL servers on which
// its tenants' databases are.
//
// A request is answered by an operation (tenants.go, credentials.go and so on): it checks who asks
// (principal.go), makes one change of the registry or of serve.db, and answers what is recorded. What
// takes long is not done there: one loop (reconcile.go) brings every database to the state that its
// row asks for.
//
// In this registry a tenant is a local one, because its database is made here; to those who ask over
// the network it is a cloud tenant.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/server/files"
	"github.com/sp-registry/sp/internal/server/login"
)

// Options hand a server what it may not fetch for itself.
type Options struct {
	// Dir is the directory of sp.db and serve.db, an absolute path.
	Dir string
	// URL is where clients reach the server, without a path; nil for one that answers nobody.
	URL *url.URL
	// Proxied says that a web server on this machine stands before this one, which says in
	// X-Forwarded-For from where a request comes.
	Proxied bool
	// Domain is what stands behind the first label of a tenant's hostname.
	Domain string
	Now    func() time.Time
	Random io.Reader
	// Wait bounds the waiting for other processes in a read or change.
	Wait time.Duration
	// Machine fills in what hosting may use of this machine, beside the registry.
	Machine func(*hosting.Machine)
	Log     *slog.Logger
	// AcceptRegistry takes the registry that is there, whatever serve.db belongs to.
	AcceptRegistry bool
}

// Server is a control plane. It may be used by several goroutines.
type Server struct {
	Options
	registry  *registry.Registry
	db        *rows.DB
	files     *files.Files
	stopping  atomic.Bool
	untouched atomic.Bool  // the last use of a token could not be written
	calls     held[callID] // with a key that are under way
	rotations held[registry.TenantID]
	pushes    held[registry.TenantID]
	rotating  chan struct{} // has one for each rotation that is under way
	login     *login.Login  // nil until Handler
	beat      time.Duration // between two signs of life of a stream
	patience  time.Duration // how long an archive may take to come
	lists     lists
	news      news
	regions   regionChecks
}

// ErrRunning is returned if another spd answers for the directory.
var ErrRunning = errors.New("another spd runs on this directory")

// Open opens the control plane of a directory, and makes that where there is none.
func Open(ctx context.Context, o Options) (*Server, error) {
	if err := makePrivate(o.Dir); err != nil {
		return nil, err
	}
	s := &Server{Options: o, rotating: make(chan struct{}, atOnce), beat: beat, patience: patience}
	if err := s.mustHaveStore(); err != nil {
		return nil, err
	}
	var err error
	if s.db, err = rows.Open(ctx, s.storePath()); err != nil {
		return nil, err
	}
	s.files = files.New(s.db, o.Dir, o.Now)
	if err := s.openRegistry(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ErrNone is returned for a directory that holds no control plane.
var ErrNone = errors.New("it holds no control plane")

// Look refuses a directory in which there is no control plane. One of which a file is missing is for Open.
func Look(dir string) error {
	for _, name := range []string{"serve.db", "sp.db"} {
		if there, err := isThere(filepath.Join(dir, name)); there || err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", dir, ErrNone)
}

func isThere(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// makePrivate makes a directory that its owner alone can use, and refuses one that others can.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s: other users can read or write it, and it holds every tenant's secrets (chmod 700): %w", dir, ErrExposed)
	}
	return err
}

// ErrExposed is returned for a directory that others can use.
var ErrExposed = errors.New("not private")

// Close releases the files.
func (s *Server) Close() error {
	err := s.db.Close()
	if s.registry != nil {
		err = errors.Join(s.registry.Close(), err)
	}
	return err
}

// Hold makes this process the only one that answers for a directory, which it makes if need be, until
// release is called.
func Hold(dir string) (release func() error, err error) {
	if err := makePrivate(dir); err != nil {
		return nil, err
	}
	file, err := place.OpenMark(filepath.Join(dir, ".spd.lock"))
	if err != nil {
		return nil, err
	}
	if !place.TryLock(file) {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, ErrRunning), file.Close())
	}
	return func() error { return place.Unlock(file) }, nil
}

// read runs fn on one instant of the registry.
func (s *Server) read(ctx context.Context, fn func(*registry.View) error) error {
	view, err := s.registry.View(ctx)
	if err != nil {
		return err
	}
	defer view.Close()
	return fn(view)
}

// change runs fn in one change of the registry. It does not end with its context: who has begun a
// change learns whether it was made.
func (s *Server) change(ctx context.Context, fn func(*registry.Registry) error) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.checkRegistry(ctx); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := s.registry.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if err := tx.Do(ctx, fn); err != nil {
		return err
	}
	now, err := s.markOf(ctx, tx.View())
	if err != nil {
		return err
	}
	made, err := tx.Commit()
	if made && err == nil {
		err = s.putMark(ctx, now)
	}
	if made && err != nil {
		err = fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
	}
	return err
}

// machine is hosting over this registry. progress is told each step.
func (s *Server) machine(progress func(string)) *hosting.Machine {
	m := &hosting.Machine{Now: s.Now, Random: s.Random, Directory: s.Dir}
	if s.Machine != nil {
		s.Machine(m)
	}
	m.Progress, m.Read, m.Change = progress, s.read, s.change
	return m
}
