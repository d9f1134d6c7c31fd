package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Region is where tenants can be made: a PostgreSQL server with a code.
type Region struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Answers bool   `json:"answers" doc:"its server answers now"`
}

// names are those of the regions that the original knows.
var names = map[string]string{
	"iad": "US East (Virginia)", "lhr": "Europe (London)", "syd": "Asia Pacific (Sydney)", "fra": "Frankfurt", "ams": "Amsterdam",
	"sin": "Singapore", "nrt": "Tokyo", "gru": "São Paulo",
}

func nameOf(code string) string {
	if name, ok := names[code]; ok {
		return name
	}
	return code
}

// regionList is the operation that lists regions.
func (s *Server) regionList(api huma.API) {
	huma.Register(api, operation("regions", http.MethodGet, "/api/v1/regions", "codes and names, and whether each answers", Read),
		func(ctx context.Context, _ *struct{}) (*struct{ Body data[[]Region] }, error) {
			found, err := s.Regions(ctx)
			return &struct{ Body data[[]Region] }{data[[]Region]{found}}, s.refused(ctx, err)
		})
}

// Regions returns the regions in order of their codes.
func (s *Server) Regions(ctx context.Context) ([]Region, error) {
	servers, err := s.regionServers(ctx)
	found := make([]Region, len(servers))
	var wait sync.WaitGroup
	for i, server := range servers {
		wait.Go(func() {
			found[i] = Region{Code: *server.Region, Name: nameOf(*server.Region), Answers: s.regions.answers(ctx, s, server)}
		})
	}
	wait.Wait()
	return found, err
}

// LocalRegion is a region by a host that is the machine of whoever connects: so are the URLs of its tenants.
type LocalRegion struct{ Code, Host string }

// LocalRegions returns the regions that only programs on this machine reach.
func (s *Server) LocalRegions(ctx context.Context) (found []LocalRegion, err error) {
	servers, err := s.regionServers(ctx)
	for _, server := range servers {
		u, unread := pgurl.Parse(server.Admin)
		if host := u.LocalHost(); unread == nil && host != "" {
			found = append(found, LocalRegion{*server.Region, host})
		}
		err = errors.Join(err, unread)
	}
	return found, err
}

func (s *Server) regionServers(ctx context.Context) (servers []registry.Server, err error) {
	err = s.read(ctx, func(view *registry.View) (err error) {
		servers, err = view.Regions(ctx)
		return err
	})
	return servers, err
}

// regionChecks remembers for a while whether the server of a region answers.
type regionChecks struct {
	mu    sync.Mutex
	known map[string]*checkedRegion
}

type checkedRegion struct {
	mu      sync.Mutex // while it is asked: one asks for all
	answers bool
	at      time.Time
}

const checkedFor = 10 * time.Second

func (c *regionChecks) answers(ctx context.Context, s *Server, server registry.Server) bool {
	known := c.of(server.Name)
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.at.IsZero() || s.Now().Sub(known.at) >= checkedFor {
		ctx := context.WithoutCancel(ctx) // the answer is not only for who asks; hosting bounds the wait
		known.answers, known.at = s.machine(func(string) {}).Answers(ctx, server) == nil, s.Now()
	}
	return known.answers
}

func (c *regionChecks) of(server string) *checkedRegion {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]*checkedRegion{}
	}
	if c.known[server] == nil {
		c.known[server] = &checkedRegion{}
	}
	return c.known[server]
}

// regionIn returns the server of a region. For a code that there is none of, the problem lists those
// that there are.
func regionIn(ctx context.Context, view *registry.View, code string) (registry.Server, error) {
	server, err := view.Region(ctx, code)
	if err == nil && server != nil {
		return *server, nil
	}
	if err != nil {
		return registry.Server{}, err
	}
	all, err := view.Regions(ctx)
	if err != nil {
		return registry.Server{}, err
	}
	var codes []string
	for _, s := range all {
		codes = append(codes, *s.Region)
	}
	if len(codes) == 0 {
		return registry.Server{}, invalid("/region", "this control plane has no region yet; whoever runs it adds one with spd region add")
	}
	return registry.Server{}, invalid("/region", "there is no such region; the regions are %s", strings.Join(codes, ", "))
}

// strange is an error of a server that nobody registered before: it says nothing of what was.
type strange struct{ error }

func (e strange) Error() string {
	return strings.TrimSuffix(e.error.Error(), ": "+provision.ErrMismatch.Error())
}
func (e strange) Unwrap() error { return e.error }

// AddRegion makes a PostgreSQL server a region, after a look whether databases can be made there, and
// whether it is a region already by another address. It tells whether it was that region before.
func (s *Server) AddRegion(ctx context.Context, code string, admin secret.Secret) (server registry.Server, known bool, err error) {
	if server, known, err = s.tryRegion(ctx, code, admin); err != nil {
		return server, false, s.noted(ctx, regional("region.add", code, err), err)
	}
	return server, known, s.addRegion(ctx, code, server)
}

// tryRegion looks whether a server can be a region, and whether it is one already.
func (s *Server) tryRegion(ctx context.Context, code string, admin secret.Secret) (server registry.Server, known bool, err error) {
	if server, err = registry.ServerAt(admin); err != nil {
		return server, false, err
	}
	m := s.machine(func(string) {})
	if err := m.Answers(ctx, server); err != nil {
		return server, false, strange{err}
	}
	regions, err := s.regionServers(ctx)
	if err != nil {
		return server, false, err
	}
	twin, err := m.Twin(ctx, server, regions)
	if err == nil && twin != nil {
		err = fmt.Errorf("server %s %w: it is region %s, which has it as %s", server.Name, registry.ErrExists, *twin.Region, twin.Name)
	}
	if err != nil {
		return server, false, err
	}
	return server, slices.ContainsFunc(regions, func(r registry.Server) bool { return r.Name == server.Name }), nil
}

func (s *Server) addRegion(ctx context.Context, code string, server registry.Server) error {
	err := s.change(ctx, func(reg *registry.Registry) error { return reg.AddRegion(ctx, code, server) })
	return s.noted(ctx, regional("region.add", code, err), err)
}

// AddOwnRegion makes a PostgreSQL server of this machine's programs, if there is none yet, and makes
// it a region.
func (s *Server) AddOwnRegion(ctx context.Context, code string, progress func(string)) error {
	server, err := s.ownServer(ctx, progress)
	if err != nil {
		return s.noted(ctx, regional("region.add", code, err), err)
	}
	if server.Region != nil {
		return nil
	}
	return s.addRegion(ctx, code, server)
}

// ownServer starts the PostgreSQL server of this machine's programs.
func (s *Server) ownServer(ctx context.Context, progress func(string)) (registry.Server, error) {
	m := s.machine(progress)
	known, err := s.servers(ctx)
	if err != nil {
		return registry.Server{}, err
	}
	server, err := m.Find(ctx, hosting.Wanted{Provider: registry.LocalPrograms}, known)
	if err != nil {
		return server, err
	}
	up, err := m.Up(ctx, server, 0)
	return up.Server, err
}

func (s *Server) servers(ctx context.Context) (found []registry.Server, err error) {
	err = s.read(ctx, func(view *registry.View) (err error) {
		found, err = view.Servers(ctx)
		return err
	})
	return found, err
}

// StopOwnServers stops the PostgreSQL servers that spd runs from this machine's programs, and returns the
// names of those that ran.
func (s *Server) StopOwnServers(ctx context.Context) (stopped []string, err error) {
	m := s.machine(func(string) {})
	known, err := s.servers(ctx)
	if err != nil {
		return nil, err
	}
	for _, server := range known {
		if !server.IsOwn() {
			continue
		}
		runs, err := m.Running(ctx, server)
		if err == nil && runs {
			err = m.Stop(ctx, server)
			stopped = append(stopped, server.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return stopped, nil
}

// RemoveRegion ends a region that has no database any more.
func (s *Server) RemoveRegion(ctx context.Context, code string) error {
	err := s.change(ctx, func(reg *registry.Registry) error { return reg.RemoveRegion(ctx, code) })
	return s.noted(ctx, regional("region.remove", code, err), err)
}

// regional is an act on a region. What is none and can't be one may be a secret in the wrong place.
func regional(action, code string, failure error) act {
	if errors.Is(failure, registry.ErrInvalid) || isNotFound(failure) || !isWord(code) {
		return act{action: action}
	}
	return act{action: action, target: code}
}

// databaseName is a name for the database of a tenant.
var databaseName = provision.NewName
