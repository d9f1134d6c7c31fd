package registry

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Provider says who runs a PostgreSQL server.
type Provider string

// The providers: somebody else, Docker at our bidding, and sp itself with the programs of
// this machine.
const (
	Elsewhere     Provider = "server"
	InDocker      Provider = "docker"
	LocalPrograms Provider = "local"
)

// Withheld says why sp does not use a server that it knows; empty, it does.
type Withheld string

// Why a server is withheld.
const (
	// unnamed is one of a registry that was trusted since: sp uses it when sp db up or
	// sp db use has named it.
	unnamed Withheld = "unnamed"
	// Foreign is one that sp runs for another directory, of which this one is a copy.
	Foreign Withheld = "foreign"
)

// Server is a PostgreSQL server on which sp makes databases. One that it runs is called
// like its provider, another by its address. Admin is the URL of somebody who may make
// roles and databases there.
type Server struct {
	Name     string
	Provider Provider
	Admin    secret.Secret
	// Chosen tells that new databases go there unless another is named.
	Chosen   bool
	Withheld Withheld
	// Place is where the data of a local server are, below the user's place for data; nil
	// for one that an earlier sp made in the work tree. Identity is that of the directory,
	// nil until it is made.
	Place, Identity *string
	// Compose and Env are the SHA-256 of the files of the container that may be used, and
	// Image is what ran in it first, by its digest.
	Compose, Env, Image *string
	// Region is the code of the region that it is, such as iad; nil for none.
	Region *string
}

// IsOwn tells whether sp runs the server.
func (s Server) IsOwn() bool { return s.Provider != Elsewhere }

// Serves tells whether a URL leads to a server that sp runs, which listens on the loopback.
func (s Server) Serves(url secret.Secret) bool {
	own, err := pgurl.Parse(s.Admin)
	if err != nil || !s.IsOwn() {
		return false
	}
	_, port, err := net.SplitHostPort(own.Addresses()[0].Name)
	if err != nil {
		return false
	}
	u, err := pgurl.Parse(url)
	return err == nil && slices.ContainsFunc(u.Addresses(), func(a pgurl.Address) bool {
		host, there, err := net.SplitHostPort(a.Name)
		ip := net.ParseIP(host)
		return err == nil && a.Network == "tcp" && there == port && (strings.TrimSuffix(strings.ToLower(host), ".") == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()))
	})
}

// ServerAt returns the server that an admin URL leads to, which somebody else runs.
func ServerAt(admin secret.Secret) (Server, error) {
	u, err := pgurl.Usable(admin)
	if err != nil {
		return Server{}, fmt.Errorf("server: %w", err)
	}
	return Server{Name: u.Addresses()[0].Name, Provider: Elsewhere, Admin: admin}, nil
}

// Server returns the server of that name, nil if there is none.
func (v *View) Server(ctx context.Context, name string) (*Server, error) {
	row, err := v.q.Server(ctx, name)
	if there, err := isThere(err); !there {
		return nil, err
	}
	s, err := v.serverOf(row)
	return &s, err
}

// Servers returns all servers in order of name.
func (v *View) Servers(ctx context.Context) ([]Server, error) {
	rows, err := v.q.Servers(ctx)
	if err != nil {
		return nil, err
	}
	return v.serversOf(rows)
}

func (v *View) serversOf(rows []queries.Server) (servers []Server, err error) {
	for _, row := range rows {
		s, err := v.serverOf(row)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	return servers, nil
}

// serverOf reads a server. Of a copy in which nothing was changed yet it is withheld already, as
// its first change records.
func (v *View) serverOf(row queries.Server) (Server, error) {
	s, err := serverOf(row)
	switch {
	case !v.copied:
	case s.IsOwn():
		s.Withheld = Foreign
	default:
		s.Withheld = unnamed
	}
	return s, err
}

func serverOf(row queries.Server) (Server, error) {
	s := Server{
		Name: row.Name, Provider: Provider(row.Provider), Admin: secret.New(row.AdminURL), Chosen: row.Chosen,
		Place: row.Place, Identity: row.Identity, Compose: row.Compose, Env: row.Env, Image: row.Image, Region: row.Region,
	}
	if row.Withheld != nil {
		s.Withheld = Withheld(*row.Withheld)
	}
	if _, err := pgurl.Parse(s.Admin); err != nil { // what earlier versions took may lead nowhere
		return s, fmt.Errorf("server %s: %w: %v", shown(s.Name), db.ErrDamaged, err) // not ErrInvalid: nobody typed it
	}
	if s.Place != nil && !IsPlace(*s.Place) {
		return s, fmt.Errorf("server %s: %w: place %s", shown(s.Name), db.ErrDamaged, shown(*s.Place))
	}
	if s.Image != nil && !IsImage(*s.Image) {
		return s, fmt.Errorf("server %s: %w: image %s", shown(s.Name), db.ErrDamaged, shown(*s.Image))
	}
	return s, nil
}

// IsCopy tells whether this is known to be a copy: nothing was changed in it yet, or a server that it
// knows is the original's.
func (v *View) IsCopy(ctx context.Context) (bool, error) {
	servers, err := v.Servers(ctx)
	return v.copied || slices.ContainsFunc(servers, func(s Server) bool { return s.Withheld == Foreign }), err
}

// setServer makes a server known, or its admin URL another one. If it is chosen, no other
// one is any more.
func (r *Registry) setServer(ctx context.Context, s Server) error {
	if err := pgurl.Check(s.Admin); err != nil {
		return err
	}
	return r.write(ctx, func(c *change) error {
		if s.Chosen {
			if err := c.q.ChooseNoServer(ctx); err != nil {
				return err
			}
		}
		return c.putServer(ctx, s)
	})
}

// UpdateServer gives a server that is known another admin URL, if it is another one. One
// that is chosen becomes known.
func (r *Registry) UpdateServer(ctx context.Context, s Server) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	known, err := view.Server(ctx, s.Name)
	view.Close()
	if known != nil {
		s.Withheld, s.Region = known.Withheld, known.Region // NameServer and RemoveRegion end that
	}
	if err != nil || known == nil && !s.Chosen || known != nil && known.Admin.Equal(s.Admin) && known.Chosen == s.Chosen {
		return err
	}
	return r.setServer(ctx, s)
}

// PlanServer makes a server known that is about to be made, and returns it: or the one of
// that name that is known already, whose password is the one that holds.
func (r *Registry) PlanServer(ctx context.Context, s Server) (planned Server, err error) {
	if err := pgurl.Check(s.Admin); err != nil {
		return Server{}, err
	}
	err = r.write(ctx, func(c *change) error {
		known, err := c.Server(ctx, s.Name)
		if err == nil && known == nil {
			known, err = &s, c.putServer(ctx, s)
		}
		if err == nil {
			planned = *known
		}
		return err
	})
	return planned, err
}

func (c *change) putServer(ctx context.Context, s Server) error {
	var withheld *string
	if s.Withheld != "" {
		text := string(s.Withheld)
		withheld = &text
	}
	return c.q.PutServer(ctx, queries.PutServerParams{
		Name: s.Name, Provider: string(s.Provider), AdminURL: s.Admin.Reveal(), Chosen: s.Chosen, Withheld: withheld,
		Place: s.Place, Identity: s.Identity, Compose: s.Compose, Env: s.Env, Image: s.Image, Region: s.Region,
	})
}

// ChooseNoServer ends the choice of a server. One that somebody else runs is forgotten
// with its last database.
func (r *Registry) ChooseNoServer(ctx context.Context) error {
	return r.write(ctx, func(c *change) error {
		return errors.Join(c.q.ChooseNoServer(ctx), c.q.DeleteUnusedServers(ctx))
	})
}

// MoveServer gives a server that sp runs another address, and the tenants whose databases
// are there the URLs that lead to it. It returns those tenants.
func (r *Registry) MoveServer(ctx context.Context, name string, admin secret.Secret) (moved []TenantID, err error) {
	err = r.write(ctx, func(c *change) (err error) {
		s, databases, err := c.serverWith(ctx, name)
		if err != nil {
			return err
		}
		for _, d := range databases {
			if moved, err = c.redirect(ctx, d, moved, func(url secret.Secret) (*secret.Secret, bool, error) {
				return movedURL(url, d, s.Admin, admin)
			}); err != nil {
				return err
			}
		}
		s.Admin = admin
		return c.putServer(ctx, s)
	})
	return moved, err
}

// movedURL tells whether a URL leads to a database at one address, and the one that leads
// there at another. One that can't be read somebody else gave it.
func movedURL(url secret.Secret, d Database, from, to secret.Secret) (*secret.Secret, bool, error) {
	u, err := pgurl.Parse(url)
	if err != nil {
		return nil, false, nil
	}
	role, password := u.User(), u.Secrets()["password"]
	known, err := pgurl.For(from, role, d.Name, password)
	if err != nil || !known.Equal(url) {
		return nil, false, err
	}
	moved, err := pgurl.For(to, role, d.Name, password)
	return &moved, true, err
}

// serverWith is a server that has to be known, with the databases on it.
func (c *change) serverWith(ctx context.Context, name string) (s Server, on []Database, err error) {
	known, err := c.Server(ctx, name)
	if err == nil && known == nil {
		err = fmt.Errorf("server %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return s, nil, err
	}
	all, err := c.Databases(ctx)
	elsewhere := func(d Database) bool { return d.Server != name }
	return *known, slices.DeleteFunc(all, elsewhere), err
}

// redirect gives the tenant of a database another URL, nil for none, if that which it has leads
// there, and puts it to those of which that was so.
func (c *change) redirect(ctx context.Context, d Database, led []TenantID, to func(url secret.Secret) (after *secret.Secret, leads bool, err error)) ([]TenantID, error) {
	before, err := c.placedTenant(ctx, d.Tenant)
	if errors.Is(err, ErrNotFound) || err == nil && before.DatabaseURL == nil {
		return led, nil
	}
	if err != nil {
		return led, err
	}
	url, leads, err := to(*before.DatabaseURL)
	if err != nil || !leads {
		return led, err
	}
	after := before.Tenant
	after.DatabaseURL = url
	return append(led, d.Tenant), c.updateTenant(ctx, before, after)
}

// RemoveServer forgets a server that is no more, with the databases that were on it. The
// tenants whose URLs led there have none any more, and no undo brings those back; it returns
// these tenants.
func (r *Registry) RemoveServer(ctx context.Context, name string) (without []TenantID, err error) {
	err = r.write(ctx, func(c *change) error {
		s, databases, err := c.serverWith(ctx, name)
		if err != nil {
			return err
		}
		for _, d := range databases {
			own, err := pgurl.For(s.Admin, d.Name, d.Name, secret.Secret{})
			if err == nil {
				err = c.q.DeleteDatabase(ctx, string(d.Tenant))
			}
			if err != nil {
				return err
			}
			if without, err = c.redirect(ctx, d, without, func(url secret.Secret) (*secret.Secret, bool, error) {
				was, readable := pgurl.DatabaseOf(url)
				gone, _ := pgurl.DatabaseOf(own)
				if !readable || was != gone {
					return nil, false, nil
				}
				c.record.revoked = []string{"database_url"}
				return nil, true, nil
			}); err != nil {
				return err
			}
		}
		return c.q.DeleteServer(ctx, name)
	})
	return without, err
}

// placeForm is what NewPlace makes: the name of a directory, and of none above another.
var placeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z2-7]{16}(-[a-z0-9]+)*$`) })

// IsPlace tells whether a text can be where the data of a server are.
func IsPlace(text string) bool { return placeForm().MatchString(text) }

// NewPlace returns a place that no other server has, which ends in the name of the project.
func NewPlace(project string, random io.Reader) (string, error) {
	const longest = 40
	number := make([]byte, 10)
	if _, err := io.ReadFull(random, number); err != nil {
		return "", err
	}
	place := strings.ToLower(base32.StdEncoding.EncodeToString(number))
	name := strings.FieldsFunc(strings.ToLower(project), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	for _, word := range name {
		if len(place)+1+len(word) <= 16+longest {
			place += "-" + word
		}
	}
	return place, nil
}

// imageForm is an image by its digest.
var imageForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9./_:-]*@sha256:[0-9a-f]{64}$`) })

// IsImage tells whether a text names an image by its digest.
func IsImage(text string) bool { return imageForm().MatchString(text) }

// ContainerFiles are the SHA-256 of what a container is made from, nil for what is not there.
type ContainerFiles struct{ Compose, Env *string }

// RecordContainer records what may be used of a container's files and, unless one is recorded
// already, the image that it runs; nil is not known.
func (r *Registry) RecordContainer(ctx context.Context, name string, files ContainerFiles, image *string) (Server, error) {
	if image != nil && !IsImage(*image) {
		image = nil
	}
	return r.editServer(ctx, name, func(s *Server) error {
		s.Compose, s.Env = files.Compose, files.Env
		if s.Image == nil {
			s.Image = image
		}
		return nil
	})
}

// PlaceServer records where the data of a local server are, and which directory that is; nil
// is one that is yet to be made.
func (r *Registry) PlaceServer(ctx context.Context, name, place string, identity *string) (Server, error) {
	if !IsPlace(place) {
		return Server{}, fmt.Errorf("place %s of server %s: %w", shown(place), name, ErrInvalid)
	}
	return r.editServer(ctx, name, func(s *Server) error {
		s.Place, s.Identity = &place, identity
		return nil
	})
}

// WithholdServers has no server used until NameServer names it: the registry was trusted, and
// nobody has looked at its servers. Of a copy the databases count as adopted, for they are the
// original's to drop, and the servers that sp runs are foreign.
func (r *Registry) WithholdServers(ctx context.Context, copied bool) error {
	return r.write(ctx, func(c *change) error { return c.withholdServers(ctx, copied) })
}

func (c *change) withholdServers(ctx context.Context, copied bool) error {
	err := c.q.WithholdServers(ctx)
	if copied {
		err = errors.Join(err, c.q.DisownServers(ctx), c.q.DeleteDatabases(ctx))
	}
	return err
}

// ReleaseServers has the foreign servers wait only until NameServer names them, for the directory
// of which this one is a copy is gone: while that is there, it refuses. It tells how many
// there were.
func (r *Registry) ReleaseServers(ctx context.Context) (released int64, err error) {
	err = r.write(ctx, func(c *change) (err error) {
		if released, err = c.q.ReleaseServers(ctx); err != nil {
			return err
		}
		if other := c.write.Original(); other != "" {
			return fmt.Errorf("it is a copy, for %s is still there: %w", other, ErrInUse)
		}
		return nil
	})
	return released, err
}

// NameServer has a server used that is withheld because nobody has named it. One that is not
// known, or used already, stays as it is; one of another directory is refused.
func (r *Registry) NameServer(ctx context.Context, name string) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	known, err := view.Server(ctx, name)
	view.Close()
	if err != nil || known == nil || known.Withheld == "" {
		return err
	}
	_, err = r.editServer(ctx, name, (*Server).release)
	return err
}

// release has a server used that its user has named.
func (s *Server) release() error {
	if s.Withheld == Foreign {
		return fmt.Errorf("server %s: it belongs to the project of which this one is a copy: %w", s.Name, ErrInUse)
	}
	s.Withheld = ""
	return nil
}

// editServer edits a server that is known, and returns what it is then.
func (r *Registry) editServer(ctx context.Context, name string, fn func(*Server) error) (edited Server, err error) {
	err = r.write(ctx, func(c *change) error {
		s, err := c.Server(ctx, name)
		if err == nil && s == nil {
			err = fmt.Errorf("server %s: %w", name, ErrNotFound)
		}
		if err == nil {
			err = fn(s)
		}
		if err != nil {
			return err
		}
		edited = *s
		return c.putServer(ctx, edited)
	})
	return edited, err
}
