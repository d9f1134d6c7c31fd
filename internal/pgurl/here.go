package pgurl

import (
	"net/netip"
	"slices"
	"strings"
)

// localNames are what the usual /etc/hosts call this machine.
var localNames = []string{"localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}

// IsThisMachine tells of a host whether it is the machine of whoever connects, as far as the text shows: by
// name, as a loopback address, as the address that is none, or by an old way to write those.
func IsThisMachine(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	first, _, _ := strings.Cut(name, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "localhost" || slices.Contains(localNames, first) {
		return true
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		ip = ip.Unmap()
		return ip.IsLoopback() || ip.IsUnspecified()
	}
	return last == "" || last[0] >= '0' && last[0] <= '9' // 127.1, 0x7f.1, 2130706433
}

// LocalHost returns the first host of a URL that is the machine of whoever connects, or a socket there; empty
// if there is none.
func (u URL) LocalHost() string {
	for _, s := range u.servers {
		for _, host := range []string{s.Host, s.Addr} {
			if host != "" && ((Server{Host: host}).IsSocket() || IsThisMachine(host)) {
				return host
			}
		}
	}
	return ""
}
