package provision

import (
	"context"
	"strconv"
	"time"
)

// Usage is what a server tells of a database, and of who uses it. What the administrator may not see is nil.
type Usage struct {
	There bool
	Whole bool // it has its three roles, and no DROP of it was cut off
	// Size is in bytes. Written is the time of its newest file: a change reaches it with the next
	// checkpoint, and the server's own upkeep writes, too.
	Size    *int64
	Written *time.Time
	// Oldest is when its oldest transaction began, a prepared one included.
	Oldest   *time.Time
	Sessions []Session
}

// Session is a client's connection to a database.
type Session struct {
	Database    string
	Role        string
	Application string // as the client calls itself, which may be anything
	Client      string // its address; "" for a socket, or if the administrator may not see it
	State       string // as in pg_stat_activity: active, idle, idle in transaction, …
	Began       *time.Time
	Transaction *time.Time // when that began; nil if none is open
	// Changed is when its state did so last: when a statement began or ended.
	Changed *time.Time
}

// Active returns the newest moment at which one of the open sessions began, or began or ended a statement.
func (u Usage) Active() (newest *time.Time) {
	for _, s := range u.Sessions {
		for _, at := range []*time.Time{s.Began, s.Changed} {
			if at != nil && (newest == nil || at.After(*newest)) {
				newest = at
			}
		}
	}
	return newest
}

// isClient tells in SQL of a row of pg_stat_activity whether it is a client's session, and not this one. The type is
// NULL where the administrator may see of a session only that it is there.
const isClient = `coalesce(a.backend_type, 'client backend') = 'client backend' AND a.usename IS NOT NULL AND a.pid <> pg_backend_pid()`

// isSomebodys tells of one also that it is none of sp's, as the server's administrator or to see whether a login works:
// that of a command before may take a moment to end.
const isSomebodys = isClient + ` AND NOT (coalesce(application_name, '') = 'sp' AND (usename = session_user OR coalesce(backend_start > clock_timestamp() - interval '10 seconds', false)))`

// epoch is a time in SQL as text that Go reads.
func epoch(time string) string { return "(extract(epoch FROM " + time + ") * 1000000)::bigint" }

// Usages returns what the server tells of databases, by their names, those that are not there included. If
// only their files can't be measured, it returns the rest together with the error.
func (s *Server) Usages(ctx context.Context, names ...string) (map[string]Usage, error) {
	found := map[string]Usage{}
	if len(names) == 0 {
		return found, nil
	}
	rows, err := s.query(ctx, "use of the databases", `SELECT wanted, d.oid IS NOT NULL,
		coalesce(datconnlimit <> -2, false) AND 3 = (SELECT count(*) FROM pg_roles WHERE rolname IN (wanted || '_owner', wanted || '_a', wanted || '_b')),
		`+epoch(`least((SELECT min(xact_start) FROM pg_stat_activity a WHERE datid = d.oid AND `+isClient+`), (SELECT min(prepared) FROM pg_prepared_xacts WHERE database = d.datname))`)+`,
		has_function_privilege('pg_stat_file(text, boolean)', 'EXECUTE') AND has_function_privilege('pg_ls_dir(text, boolean, boolean)', 'EXECUTE'),
		`+ofSession()+`
		FROM unnest(ARRAY[`+listed(names, literal)+`]) wanted LEFT JOIN pg_database d ON d.datname = wanted
		LEFT JOIN pg_stat_activity a ON datid = d.oid AND `+isClient+` ORDER BY backend_start, a.pid`)
	if err != nil {
		return nil, err
	}
	seesFiles := false
	for _, row := range rows {
		u := found[row[0]]
		u.There, u.Whole, u.Oldest, seesFiles = row[1] == "t", row[2] == "t", instant(row[3]), row[4] == "t"
		if row[5] != "" {
			u.Sessions = append(u.Sessions, sessionOf(row[5:]))
		}
		found[row[0]] = u
	}
	return found, s.measure(ctx, found, names, seesFiles)
}

// Sessions returns the sessions of clients in all databases of the server, without those of sp as its administrator.
func (s *Server) Sessions(ctx context.Context) (sessions []Session, err error) {
	rows, err := s.query(ctx, "sessions", "SELECT "+ofSession()+" FROM pg_stat_activity a WHERE "+isSomebodys+" ORDER BY a.datname, backend_start, pid")
	for _, row := range rows {
		sessions = append(sessions, sessionOf(row))
	}
	return sessions, err
}

// ofSession are the columns of a row of pg_stat_activity that sessionOf reads.
func ofSession() string {
	return "a.datname, usename, application_name, host(client_addr), state, " + epoch("backend_start") + ", " + epoch("xact_start") + ", " + epoch("state_change")
}

func sessionOf(row []string) Session {
	return Session{
		Database: row[0], Role: row[1], Application: row[2], Client: row[3], State: row[4],
		Began: instant(row[5]), Transaction: instant(row[6]), Changed: instant(row[7]),
	}
}

// measure finds out how large databases are, which takes as long as there are many files.
func (s *Server) measure(ctx context.Context, found map[string]Usage, names []string, seesFiles bool) error {
	written := "NULL"
	if seesFiles {
		written = epoch(`(SELECT max((pg_stat_file('base/' || d.oid || '/' || file, true)).modification) FROM pg_ls_dir('base/' || d.oid, true, false) file)`)
	}
	rows, err := s.query(ctx, "size of the databases", `SELECT datname,
		CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(d.oid) END, `+written+`
		FROM pg_database d WHERE datname IN (`+listed(names, literal)+`)`)
	for _, row := range rows {
		u := found[row[0]]
		if size, err := strconv.ParseInt(row[1], 10, 64); err == nil {
			u.Size = &size
		}
		u.Written = instant(row[2])
		found[row[0]] = u
	}
	return err
}

// instant is a time as epoch writes it, nil where it is NULL.
func instant(text string) *time.Time {
	micro, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	return new(time.UnixMicro(micro).UTC())
}
