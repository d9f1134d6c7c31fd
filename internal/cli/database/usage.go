package database

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// usage is how a database is used, in JSON. What its server does not tell is null.
type usage struct {
	Size     *int64     `json:"size_bytes"`
	Sessions []session  `json:"open_sessions"`
	Oldest   *task.Time `json:"oldest_transaction_at"`
	// Active is when one of its open sessions did something last, Written the time of its newest file.
	Active  *task.Time `json:"last_active_at"`
	Written *task.Time `json:"last_written_at"`
}

// session is who uses a database, in JSON.
type session struct {
	Role        string                  `json:"role"`
	Login       *registry.DatabaseLogin `json:"login"`
	Old         bool                    `json:"is_old_login"`
	Application string                  `json:"application_name"`
	Client      *string                 `json:"client_address"`
	State       *string                 `json:"state"`
	Began       *task.Time              `json:"began_at"`
	Transaction *task.Time              `json:"transaction_began_at"`
}

// extrasOf are the databases for tests that are beside a database.
func extrasOf(d registry.Database, all map[string]provision.Usage) []extra {
	found := []extra{}
	for _, x := range (provision.Database{Name: d.Name}).Extras() {
		if all[x.Name].There {
			found = append(found, extra{x.Name, usageOf(d, x.Name, all)})
		}
	}
	return found
}

// usageOf is how a database is used, or one for tests beside it, by what its server says.
func usageOf(d registry.Database, name string, all map[string]provision.Usage) (u usage) {
	is, known := all[name]
	if !known || !is.There {
		return u
	}
	u.Size, u.Oldest, u.Active, u.Written = is.Size, timeOf(is.Oldest), timeOf(is.Active()), timeOf(is.Written)
	u.Sessions = []session{}
	for _, s := range is.Sessions {
		u.Sessions = append(u.Sessions, sessionOf(d, s))
	}
	return u
}

func sessionOf(d registry.Database, is provision.Session) session {
	s := session{Role: is.Role, Application: is.Application, Began: timeOf(is.Began), Transaction: timeOf(is.Transaction)}
	if is.Client != "" {
		s.Client = &is.Client
	}
	if is.State != "" {
		s.State = &is.State
	}
	names := provision.Database{Name: d.Name}
	for _, login := range []registry.DatabaseLogin{registry.LoginA, registry.LoginB} {
		if is.Role == names.Role(provision.Login(login)) {
			s.Login, s.Old = &login, login != d.Login
		}
	}
	return s
}

func timeOf(at *time.Time) *task.Time {
	if at == nil {
		return nil
	}
	return new(task.Time(*at))
}

// onOldLogin are the sessions that go on with the login that a rotation ended.
func (u usage) onOldLogin() (old []session) {
	for _, s := range u.Sessions {
		if s.Old {
			old = append(old, s)
		}
	}
	return old
}

// callers say who sessions are, each once.
func callers(sessions []session) (who []string) {
	for _, s := range sessions {
		caller := cmp.Or(s.Application, "a client without a name")
		if s.Client != nil {
			caller += " at " + *s.Client
		}
		if !slices.Contains(who, caller) {
			who = append(who, caller)
		}
	}
	return who
}

// cells are the columns of a pipe: bytes, sessions, those on the old login, and three times.
func (u usage) cells() []string {
	cells := make([]string, 6)
	if u.Size != nil {
		cells[0] = strconv.FormatInt(*u.Size, 10)
	}
	if u.Sessions != nil {
		cells[1], cells[2] = strconv.Itoa(len(u.Sessions)), strconv.Itoa(len(u.onOldLogin()))
	}
	for i, at := range []*task.Time{u.Oldest, u.Active, u.Written} {
		if at != nil {
			cells[3+i] = at.String()
		}
	}
	return cells
}

// forTests is the state of an extra database.
const forTests = "for tests"

// forPeople are the rows of the table for a database and those beside it, with the name of the server where there
// are several. What is recorded as ready is as ready as its server.
func (d databaseState) forPeople(now time.Time, server string, of hosting.ServerState) [][]string {
	state := string(d.State)
	switch {
	case d.Missing:
		state = "missing"
	case d.State == registry.Ready && of != "":
		state = string(of)
	}
	tenant := cmp.Or(d.Tenant.Called(), string(d.Tenant.ID))
	row := func(name string, u usage, state string) []string {
		return append(append([]string{name, tenant, server}, u.forPeople(now)...), state)
	}
	rows := [][]string{row(d.Name, d.usage, state)}
	for _, x := range d.Extras {
		rows = append(rows, row(x.Name, x.usage, forTests))
	}
	return rows
}

// forPeople are the cells of the table about use.
func (u usage) forPeople(now time.Time) []string {
	size, sessions := "", ""
	if u.Size != nil {
		size = sizeOf(*u.Size)
	}
	if u.Sessions != nil {
		sessions = strconv.Itoa(len(u.Sessions))
	}
	if old := len(u.onOldLogin()); old > 0 {
		sessions += fmt.Sprintf(" (%d old)", old)
	}
	return []string{size, sessions, age(now, u.Oldest), u.lastUse(now)}
}

// lastUse says how long ago an open session did something or, if none is open, when the newest file was written.
// Who only reads leaves no trace of it when the session ends.
func (u usage) lastUse(now time.Time) string {
	switch {
	case u.Active != nil:
		return age(now, u.Active)
	case u.Written != nil:
		return "written " + age(now, u.Written)
	}
	return ""
}

// age is how long something has lasted, or is past, in one unit.
func age(now time.Time, at *task.Time) string {
	if at == nil {
		return ""
	}
	since := now.Sub(time.Time(*at))
	if since < time.Minute {
		return fmt.Sprintf("%ds", max(0, since/time.Second))
	}
	return strings.TrimSuffix(cli.Ago(since), " ago")
}

// sizeOf writes a number of bytes for people.
func sizeOf(bytes int64) string {
	size, units := float64(bytes), []string{"kB", "MB", "GB", "TB"}
	unit := "B"
	for size >= 1000 && len(units) > 0 {
		size, unit, units = size/1000, units[0], units[1:]
	}
	if size < 10 && unit != "B" {
		return fmt.Sprintf("%.1f %s", size, unit)
	}
	return fmt.Sprintf("%.0f %s", size, unit)
}
