package pgurl

import (
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// Likeness says how sure it is that two URLs mean the same thing.
type Likeness int

// How sure it is.
const (
	Different Likeness = iota
	Perhaps
	Same
)

// SameLogin tells whether two URLs log in as the same role on the same server, whatever the database, as far as
// their text shows. They do if they name the same role and have an address in common: each server of a list has
// the same roles. They may if they name the same role and only the server can say whether there is one or two:
// they have the same password, or one has none; or both lead to this machine, by a socket and by its name.
func SameLogin(a, b secret.Secret) Likeness {
	first, err := Parse(a)
	second, unreadable := Parse(b)
	switch {
	case err != nil || unreadable != nil || !sameRole(first, second):
		return Different
	case slices.ContainsFunc(first.places(), func(place string) bool { return slices.Contains(second.places(), place) }):
		return Same
	}
	password, other := first.said["password"], second.said["password"]
	if password == other || password == "" || other == "" || first.isOfThisMachine() && second.isOfThisMachine() {
		return Perhaps
	}
	return Different
}

// SameRole tells whether two URLs log in as a role of the same name, on whatever server. For a name that sp made,
// which no other server has, that is the same role.
func SameRole(a, b secret.Secret) bool {
	first, err := Parse(a)
	second, unreadable := Parse(b)
	return err == nil && unreadable == nil && sameRole(first, second)
}

func sameRole(a, b URL) bool { return a.User() != "" && a.User() == b.User() }

func (u URL) isOfThisMachine() bool { return u.LocalHost() != "" }

// places are the same for two URLs that lead to the same servers, as far as their text shows. They
// are for comparing, not for showing.
func (u URL) places() (places []string) {
	for _, s := range u.servers {
		host := s.Target()
		if s.IsSocket() {
			host = strings.TrimPrefix(path.Clean(host), "/var") // /var/run is /run
		} else {
			host = strings.TrimSuffix(strings.ToLower(host), ".")
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			host = ip.Unmap().String()
		}
		if host == "127.0.0.1" || host == "::1" {
			host = "localhost"
		}
		places = append(places, host+"\x00"+s.PortOr()+"\x00")
	}
	return places
}
