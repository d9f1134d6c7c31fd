package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// The data of a server that sp runs of this machine's programs belong to the user and not to
// the work tree, for what comes with a clone must never be started. Only the directory that
// the registry recorded is.

var (
	// errNoPlace is returned where there is nowhere to keep a server's data.
	errNoPlace = errors.New("no place for the data of a server")
	// errOtherData is returned for data that are not those that sp made, for all it can tell.
	errOtherData = errors.New("not started")
	// errLost is returned where data are gone in which databases are recorded.
	errLost = errors.New("its data are gone")
)

// oldPlace is where an earlier sp kept the data.
func oldPlace(dir project.Dir) string { return dir.Full("postgres") }

// projectOf is what people call the project of a directory.
func projectOf(dir project.Dir) string { return filepath.Base(filepath.Dir(dir.Path())) }

// dataPlace is where the data of all servers are, which need not be there yet.
func (a *app) dataPlace() (string, error) { return a.dataPlaceOf(os.Geteuid()) }

func (a *app) dataPlaceOf(user int) (string, error) {
	named := func(name string) string {
		if value := a.env(name); value != nil {
			return *value
		}
		return ""
	}
	path, from := named("SP_DATA_DIR"), "SP_DATA_DIR"
	if path == "" {
		if path, from = named("XDG_DATA_HOME"), "XDG_DATA_HOME"; path != "" {
			path += "/sp"
		}
	}
	if path == "" && user == 0 {
		path = "/var/lib/sp"
	}
	if path == "" {
		if path, from = named("HOME"), "HOME"; path != "" {
			path += "/.local/share/sp"
		}
	}
	switch {
	case path == "":
		return "", fmt.Errorf("%w: SP_DATA_DIR, XDG_DATA_HOME and HOME are not set", errNoPlace)
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("%w: %s is not an absolute path", errNoPlace, from)
	}
	return filepath.Join(path, "postgres"), nil
}

// placeForData makes that place. sp makes nobody's home.
func (a *app) placeForData(dir project.Dir) (string, error) {
	base, err := a.dataPlace()
	if err != nil {
		return "", err
	}
	if home := a.env("HOME"); home != nil && *home != "" && isBelow(base, *home) {
		if _, err := os.Stat(*home); err != nil {
			return "", fmt.Errorf("%w: HOME: %w", errNoPlace, err)
		}
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", fmt.Errorf("%w: %w", errNoPlace, err)
	}
	if err := a.checkAbove(filepath.Join(base, "ID")); err != nil {
		return "", err
	}
	if isLayer(base) && !isLayer(dir.Path()) {
		a.note("warning: %s is a layer of this container and goes with it; SP_DATA_DIR names another place for the data", base)
	}
	return base, nil
}

func isBelow(path, dir string) bool {
	below, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(below)
}

// clusterToStart is cluster, which is not started if it is not what was recorded.
func (a *app) clusterToStart(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (postgres.Cluster, error) {
	c, err := a.cluster(dir, s)
	if err != nil {
		return c, err
	}
	if s.Place == nil {
		return c, fmt.Errorf("server %s: %w: an earlier sp made it in %s", s.Name, errOtherData, c.Dir)
	}
	if _, err := a.placeForData(dir); err != nil {
		return c, err
	}
	if _, err := os.Lstat(c.Dir); err != nil { // before one is made
		if err := a.mayStart(ctx, reg, s.Name, c); err != nil {
			return c, err
		}
	}
	c.MayStart = func(ctx context.Context) error { return a.mayStart(ctx, reg, s.Name, c) }
	return c, nil
}

// mayStart compares what is there with what is recorded, which another command may just have
// done, and records a directory in which nothing has been made yet.
func (a *app) mayStart(ctx context.Context, reg *registry.Registry, name string, c postgres.Cluster) error {
	s, err := knownServer(ctx, reg, name)
	if err != nil || s == nil {
		return errors.Join(err, fmt.Errorf("server %s: %w", name, registry.ErrNotFound))
	}
	if !c.Exists() {
		if err := refuseLost(ctx, reg, *s, c.Dir); err != nil {
			return err
		}
	}
	now, err := c.Identity()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case s.Identity != nil && *s.Identity == now:
		return nil
	case c.Exists():
		return fmt.Errorf("server %s: %w: %s is not the directory that sp recorded, perhaps a copy", name, errOtherData, c.Dir)
	}
	return recordPlace(ctx, reg, *s, now)
}

func recordPlace(ctx context.Context, reg *registry.Registry, s registry.Server, now string) error {
	_, err := reg.PlaceServer(ctx, s.Name, *s.Place, &now)
	return err
}

// refuseLost refuses to make anew a server on which databases are recorded.
func refuseLost(ctx context.Context, reg *registry.Registry, s registry.Server, where string) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	databases, err := view.Databases(ctx)
	view.Close()
	lost := recordedOn(s, databases)
	if err != nil || len(lost) == 0 {
		return err
	}
	return withHint(fmt.Errorf("server %s: %w: %s (with the databases of %s)", s.Name, errLost, where, joined(lost)), "%s", lostRemedies(s))
}

// recordedOn are the tenants whose databases are recorded as made on a server.
func recordedOn(s registry.Server, databases []registry.Database) (tenants []registry.TenantID) {
	for _, d := range databases {
		if d.Server == s.Name && d.State != registry.Provisioning {
			tenants = append(tenants, d.Tenant)
		}
	}
	return tenants
}

// dataTrouble says how the data of a server that sp runs, and that does not run, are not as
// they were recorded; nil where they are.
func (a *app) dataTrouble(ctx context.Context, dir project.Dir, s registry.Server) error {
	if s.Provider == registry.InDocker {
		d, err := a.dockerOf(dir, s)
		if err != nil {
			return nil // from here nobody can tell
		}
		made, err := d.IsMade(ctx)
		if err != nil || made || s.Env == nil {
			return err
		}
		return withHint(fmt.Errorf("%w: volume %s-data", errLost, postgres.Container), "%s", lostRemedies(s))
	}
	c, err := a.cluster(dir, s)
	if err != nil || s.Place != nil && s.Identity == nil {
		return err // it was never whole
	}
	if !c.Exists() {
		return withHint(fmt.Errorf("%w: %s", errLost, c.Dir), "%s", lostRemedies(s))
	}
	now, err := c.Identity()
	if err == nil && s.Place != nil && *s.Identity != now {
		err = fmt.Errorf("%w: %s is not the directory that sp recorded, perhaps a copy", errOtherData, c.Dir)
	}
	return err
}

// missingFrom are the databases that are recorded as whole on a server and are not there.
func missingFrom(ctx context.Context, h *host, databases []registry.Database) (missing []registry.Database, err error) {
	for _, d := range databases {
		if d.Server != h.Name || d.State != registry.Ready {
			continue
		}
		_, whole, err := h.admin.Holds(ctx, h.database(d))
		if err != nil {
			return nil, err
		}
		if !whole {
			missing = append(missing, d)
		}
	}
	return missing, nil
}

// lostRemedies are the ways out where the data of a server are gone.
func lostRemedies(s registry.Server) string {
	id := s.Name
	if s.Place != nil {
		id = *s.Place
	}
	return "if they are elsewhere, put them back; SP_DATA_DIR, XDG_DATA_HOME and HOME say where sp looks\n" +
		"sp db remove " + id + " gives them up: then sp tenant provision makes empty databases"
}

// settleCluster has a local server be what is recorded, where somebody says so: it moves what
// an earlier sp made in the work tree, and takes over data that are not known.
func (a *app) settleCluster(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	old := postgres.Cluster{Dir: oldPlace(dir), Owner: dir.Path()}
	c, err := a.cluster(dir, s)
	if err != nil {
		return s, err
	}
	if s.Place == nil && !old.Exists() {
		return a.moveCluster(ctx, dir, reg, s, nil) // it was never whole, or is gone
	}
	if s.Place == nil || s.Identity == nil && !c.Exists() && old.Exists() {
		return a.moveCluster(ctx, dir, reg, s, &old)
	}
	if !c.Exists() {
		return s, nil
	}
	now, err := c.Identity()
	if err != nil || s.Identity != nil && *s.Identity == now {
		return s, err
	}
	if err := a.confirmData(ctx, dir, fmt.Sprintf("%s is not the directory that sp recorded for server %s, perhaps a copy or a restored backup. Starting it runs what is in it. Start it?", c.Dir, s.Name)); err != nil {
		return s, err
	}
	return s, recordPlace(ctx, reg, s, now)
}

// moveCluster gives a server that an earlier sp made a place outside of the work tree.
func (a *app) moveCluster(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server, old *postgres.Cluster) (registry.Server, error) {
	base, err := a.placeForData(dir)
	if err != nil {
		return s, err
	}
	if s.Place == nil {
		id, err := registry.NewPlace(projectOf(dir), a.random)
		if err != nil {
			return s, err
		}
		s.Place = &id
	}
	to := filepath.Join(base, *s.Place)
	if old != nil {
		if err := a.confirmData(ctx, dir, fmt.Sprintf("An earlier sp made server %s in %s. It moves to %s. Starting it runs what is in it. Go on?", s.Name, old.Dir, to)); err != nil {
			return s, err
		}
	}
	if s, err = reg.PlaceServer(ctx, s.Name, *s.Place, nil); !made(err) || old == nil {
		return s, err
	}
	a.step("moving the data")
	if err := old.MoveTo(ctx, to); err != nil {
		return s, err
	}
	a.note("server %s moved to %s", s.Name, to)
	now, err := postgres.Cluster{Dir: to}.Identity()
	if err == nil {
		err = recordPlace(ctx, reg, s, now)
	}
	return s, err
}

// confirmData asks about data that may be anybody's. -y does not answer; without a terminal
// SP_TRUST must name the project.
func (a *app) confirmData(ctx context.Context, dir project.Dir, question string) error {
	named, err := a.isTrustNamed(dir)
	if err != nil || named && !a.terminal(int(a.stdin.Fd())) {
		return err
	}
	err = a.confirmTyped(ctx, question)
	if errors.Is(err, errConfirm) {
		err = withHint(err, "sp db up asks at a terminal; without one, SP_TRUST=%s says yes", project.Quoted(filepath.Dir(dir.Path())))
	}
	return err
}
