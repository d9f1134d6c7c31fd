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

// survey is what one pass over all tenants finds, and a second look at those that share
// a name or a database. It keeps eight bytes of each, and bounded findings.
type survey struct {
	tenants                  int      // that were looked at
	ends                     []string // the last id of each full share of them
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
		shares := append(s.likenesses.settle(), s.databases.settle()...)
		slices.Sort(shares)
		for _, share := range slices.Compact(shares) {
			page := registry.Page{Limit: shareOf}
			if share > 0 {
				page.After = s.ends[share-1]
			}
			for t, err := range view.Tenants(ctx, page) {
				if err != nil {
					return err
				}
				s.compare(t)
			}
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
		url, err := pgurl.Usable(*u.url)
		if err != nil && !pgurl.IsMasked(*u.url) {
			why := strings.TrimSuffix(strings.TrimPrefix(err.Error(), "database URL: "), ": "+pgurl.ErrInvalid.Error())
			s.urls.add(warn("tenant %s: %s %s", t.ID, u.member, why).remedy("%s", to("sp tenant edit", string(t.ID), u.flag)))
		}
		if place := url.Leads(); place != "" {
			s.databases.note(place, s.tenants)
		}
	}
	rename := func() next { return to("sp tenant edit", string(t.ID), "--name", "NAME") }
	if printable(t.Name) != t.Name {
		s.names.add(warn("tenant %s: its name holds what can't be seen: %s", t.ID, plain(t.Name)).remedy("%s", rename()))
	}
	if registry.MixesAlphabets(t.Name) {
		s.names.add(warn("tenant %s: its name mixes Latin letters with others that look like them: %s", t.ID, plain(t.Name)).remedy("%s", rename()))
	}
	s.likenesses.note(registry.LikenessOf(t.Name), s.tenants)
	if s.tenants++; s.tenants%shareOf == 0 {
		s.ends = append(s.ends, string(t.ID))
	}
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

// shareOf is how many tenants in a row are looked at again if one of them has to be.
const shareOf = 256

// shared finds texts that more than one tenant has, without keeping the texts: in the upper bits
// of a number the hash of one, and in the lower (enough for 4 thousand million tenants) the share
// of the tenant that has it. Where hashes collide, more is looked at, and found to differ.
type shared struct {
	seed   maphash.Seed
	hashes []uint64
	first  map[string]registry.Tenant
}

const shareBits = 1<<24 - 1

func newShared() shared {
	return shared{seed: maphash.MakeSeed(), first: map[string]registry.Tenant{}}
}

func (s *shared) hash(text string) uint64 { return maphash.String(s.seed, text) &^ shareBits }

func (s *shared) note(text string, tenant int) {
	s.hashes = append(s.hashes, s.hash(text)|uint64(tenant/shareOf)&shareBits)
}

// settle keeps only the hashes that were noted more than once, and returns the shares of their tenants.
func (s *shared) settle() (shares []uint64) {
	slices.Sort(s.hashes)
	var twice []uint64
	for begin, end := 0, 0; begin < len(s.hashes); begin = end {
		hash := s.hashes[begin] &^ shareBits
		for end = begin; end < len(s.hashes) && s.hashes[end]&^shareBits == hash; end++ {
		}
		if end-begin == 1 {
			continue
		}
		twice = append(twice, hash)
		for _, noted := range s.hashes[begin:end] {
			shares = append(shares, noted&shareBits)
		}
	}
	s.hashes = twice
	return shares
}

// before returns the first tenant that was asked of with that text, if there is one
// before t. Of too many different texts the last are not told of.
func (s *shared) before(text string, t registry.Tenant) (registry.Tenant, bool) {
	if _, many := slices.BinarySearch(s.hashes, s.hash(text)); !many {
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
