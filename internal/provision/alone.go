package provision

import (
	"os/user"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
)

// settingsOf writes what a URL says in libpq's keywords, for the library, and all that the
// library would else look for in the environment and the home directory. So the URL is read
// once, by pgurl: what sp shows of it is what it connects to.
func settingsOf(u pgurl.URL) string {
	said := map[string]string{}
	for _, setting := range unsaid {
		said[setting[0]] = setting[1]
	}
	for name, value := range u.Said() {
		isLocales := name == "client_encoding" && value == "auto" // which libpq makes of it, and no server knows
		if value != "" && !isLocales && !u.IsForDriver(name) {
			said[name] = value
		}
	}
	if me, err := user.Current(); said["user"] == "" && err == nil { // PGUSER would be taken before that
		said["user"] = me.Username
	}
	var hosts, ports []string
	for _, s := range u.Servers() {
		host := s.Host
		if s.Addr != "" && (host == "" || pgurl.Server{Host: host}.IsSocket()) {
			host = s.Addr
		}
		hosts, ports = append(hosts, host), append(ports, s.PortOr())
	}
	said["host"], said["port"] = strings.Join(hosts, ","), strings.Join(ports, ",")
	for _, name := range ofClients {
		delete(said, name)
	}
	said["passfile"] = "" // usePassfile reads it
	var b strings.Builder
	for name, value := range said {
		b.WriteString(name + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "' ")
	}
	return b.String()
}
