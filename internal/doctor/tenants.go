package doctor

import (
	"context"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// survey is what one pass over all tenants finds, and a second one where some share
// a name or a database. It keeps eight bytes of each, and bounded findings.
type survey struct {
	credentials, urls, names bounded
	cloud                    bool // there is a cloud tenant
	likenesses, databases    shared
}

// surveyed returns the survey, made when it is first asked for.
func (c *Checkup) surveyed(ctx context.Context) (*survey, error) {
	if c.survey != nil {
		return c.survey, nil
	}
	s := &survey{likenesses: newShared(), databases: newShared()}
	err := c.read(ctx, func(view *registry.View) error {
		for t, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			s.look(t, c.Printable)
		}
		names, databases := s.likenesses.settle(), s.databases.settle()
		if !names && !databases {
			return nil
		}
		for t, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			s.compare(t)
		}
		return nil
	})
	if err == nil {
		c.survey = s
	}
	return s, err
}

// look judges a tenant by itself.
func (s *survey) look(t registry.Tenant, printable func(string) string) {
	s.cloud = s.cloud || t.IsCloud()
	s.lookAtCredentials(t)
	for _, u := range urlsOf(t) {
		if err := pgurl.Check(*u.url); err != nil && !pgurl.IsMasked(*u.url) {
			why := strings.TrimSuffix(strings.TrimPrefix(err.Error(), "database URL: "), ": "+pgurl.ErrInvalid.Error())
			s.urls.add(warn("tenant %s: %s %s", t.ID, u.member, why).remedy("%s", to("sp tenant edit", string(t.ID), u.flag)))
		}
		if place, ok := pgurl.DatabaseOf(*u.url); ok {
			s.databases.note(place)
		}
	}
	rename := to("sp tenant edit", string(t.ID), "--name", "NAME")
	if printable(t.Name) != t.Name {
		s.names.add(warn("tenant %s: its name holds what can't be seen: %s", t.ID, plain(t.Name)).remedy("%s", rename))
	}
	if registry.MixesAlphabets(t.Name) {
		s.names.add(warn("tenant %s: its name mixes Latin letters with others that look like them: %s", t.ID, plain(t.Name)).remedy("%s", rename))
	}
	s.likenesses.note(registry.LikenessOf(t.Name))
}

// plain writes a name so that every letter that is not of the usual ones shows.
func plain(name string) string { return strconv.QuoteToASCII(name) }

// fetches says what helps where a cloud tenant has no usable URL.
const fetches = "%s fetches it from the control plane; %s takes it from you"

func (s *survey) lookAtCredentials(t registry.Tenant) {
	id := string(t.ID)
	flag, member := "--database-url-stdin", "database_url"
	if t.IsCloud() {
		flag, member = "--internal-database-url-stdin", "internal_database_url"
	}
	switch {
	case !t.HasDatabaseURL() && t.IsLocal():
		s.credentials.add(warn("tenant %s: %s is missing", t.ID, member).
			remedy("%s makes a database; %s takes the URL of one", to("sp tenant provision", id), to("sp tenant edit", id, flag)))
	case !t.HasDatabaseURL():
		s.credentials.add(warn("tenant %s: %s is missing", t.ID, member).remedy(fetches, to("sp tenant provision", id), to("sp tenant edit", id, flag)))
	case t.IsDatabaseURLMasked() && t.IsCloud():
		s.credentials.add(warn("tenant %s: %s has stars in place of its password", t.ID, member).remedy(fetches, to("sp tenant provision", id), to("sp tenant edit", id, flag)))
	case t.IsDatabaseURLMasked():
		s.credentials.add(warn("tenant %s: %s has stars in place of its password", t.ID, member).remedy("%s", to("sp tenant edit", id, flag)))
	}
	if t.IsSyncTokenMissing() {
		s.credentials.add(warn("tenant %s: sync_token is missing", t.ID).remedy("%s", to("sp tenant edit", id, "--sync-token-stdin")))
	}
}

// compare finds who shares a name or a database with a tenant before it.
func (s *survey) compare(t registry.Tenant) {
	if before, ok := s.likenesses.before(registry.LikenessOf(t.Name), t); ok {
		s.names.add(warn("tenants %s and %s: their names look alike: %s, %s", before.ID, t.ID, plain(before.Name), plain(t.Name)).
			remedy("%s", to("sp tenant edit", string(t.ID), "--name", "NAME")))
	}
	for _, u := range urlsOf(t) {
		place, ok := pgurl.DatabaseOf(*u.url)
		if !ok {
			continue
		}
		if before, ok := s.databases.before(place, t); ok && before.ID != t.ID {
			s.urls.add(warn("tenants %s and %s have the same database: %s", before.ID, t.ID, pgurl.Describe(*u.url)).
				remedy("%s, if one was copied", to("sp tenant edit", string(t.ID), u.flag)))
		}
	}
}

// memberURL is one URL of a tenant.
type memberURL struct {
	member, flag string
	url          *secret.Secret
}

// urlsOf returns the URLs that a tenant has.
func urlsOf(t registry.Tenant) (urls []memberURL) {
	for _, m := range registry.Members {
		if url := m.SecretOf(&t); m.URL && url != nil && !url.Empty() {
			urls = append(urls, memberURL{m.Name, "--" + strings.ReplaceAll(m.Name, "_", "-") + "-stdin", url})
		}
	}
	return urls
}

// shared finds texts that more than one tenant has, without keeping the texts.
type shared struct {
	seed   maphash.Seed
	hashes []uint64
	first  map[string]registry.Tenant
}

func newShared() shared {
	return shared{seed: maphash.MakeSeed(), first: map[string]registry.Tenant{}}
}

func (s *shared) note(text string) { s.hashes = append(s.hashes, maphash.String(s.seed, text)) }

// settle keeps only what was noted more than once, and tells whether there is any.
func (s *shared) settle() bool {
	slices.Sort(s.hashes)
	var twice []uint64
	for i := 1; i < len(s.hashes); i++ {
		if s.hashes[i] == s.hashes[i-1] && (len(twice) == 0 || twice[len(twice)-1] != s.hashes[i]) {
			twice = append(twice, s.hashes[i])
		}
	}
	s.hashes = twice
	return len(twice) > 0
}

// before returns the first tenant that was asked of with that text, if there is one
// before t. Of too many different texts the last are not told of.
func (s *shared) before(text string, t registry.Tenant) (registry.Tenant, bool) {
	if _, many := slices.BinarySearch(s.hashes, maphash.String(s.seed, text)); !many {
		return registry.Tenant{}, false
	}
	first, ok := s.first[text]
	if !ok && len(s.first) < 50*maxFindings {
		s.first[text] = registry.Tenant{ID: t.ID, Name: t.Name}
	}
	return first, ok
}

func (c *Checkup) checkCredentials(ctx context.Context) []Diagnosis {
	s, err := c.surveyed(ctx)
	return c.troubled(orFine(s.credentials.all(), "every tenant has its own"), err)
}

func (c *Checkup) checkURLs(ctx context.Context) []Diagnosis {
	s, err := c.surveyed(ctx)
	return c.troubled(orFine(s.urls.all(), "each leads to a database of its own"), err)
}

func (c *Checkup) checkNames(ctx context.Context) []Diagnosis {
	s, err := c.surveyed(ctx)
	findings := s.names.all()
	if err == nil {
		err = c.read(ctx, func(view *registry.View) error {
			ids, err := view.AmbiguousIDs(ctx)
			for _, id := range ids {
				_, meant := view.ExactTenant(ctx, string(id))
				findings = append(findings, warn("%s", meant).remedy("id:%s means the one with that id; %s gives the other another name", project.Quoted(string(id)), to("sp tenant edit", "ID", "--name", "NAME")))
			}
			return err
		})
	}
	return c.troubled(orFine(findings, "no two look alike"), err)
}
