package provision

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"
)

// A server asks a process to end, to give up its statement or, before it drops a database (from PostgreSQL 15 on), to
// let go of its files. The process does so where it looks for that. Some functions do not look for hours, such as an
// XPath over a large document; nor does a session that waits for its client in the middle of a statement, such as a
// COPY, look for the last of these. So one tenant could keep all others from being dropped, and a DROP that is given
// up has lost the data already. What waits for its client can be ended, and is, if it is a tenant's. The other kind
// ends with the server: it is looked for before anything is lost, and named.

// ErrDeaf is ErrUnavailable for a server on which a session does not react.
var ErrDeaf = fmt.Errorf("%w", ErrUnavailable)

const (
	hearsFrom = 15 // the first version that waits for all processes before it drops a database
	// How long sessions may take to react.
	hearsWithin = 5 * time.Second
)

// unhearing tells in SQL of a row of pg_stat_activity whether its process has been at one statement for a while, and
// waits for nothing meanwhile, or for what does not have it look up. It may look up all the same.
const unhearing = `a.pid <> pg_backend_pid() AND state NOT LIKE 'idle%' AND clock_timestamp() - state_change > interval '1 second'
	AND coalesce(wait_event_type, '') NOT IN ('Lock', 'Timeout', 'Activity', 'IPC')`

// unseen tells in SQL of a row of pg_stat_activity whether it is a session of which this administrator may see nothing, so
// it may not react either.
const unseen = `datid IS NOT NULL AND a.query = '<insufficient privilege>'`

// checkHeard refuses to go on if a session does not react. It finds out with a database that it makes and drops, where
// some session may be such a one.
func (s *Server) checkHeard(ctx context.Context) error {
	const doing = "look whether all sessions react"
	if s.major < hearsFrom || s.Pooled {
		return nil
	}
	row, err := s.row(ctx, doing, 3, `SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE `+unhearing+` OR `+unseen+`),
		EXISTS (SELECT FROM pg_database d WHERE datname = 'sp_probe_' || r.oid AND datdba = r.oid), 'sp_probe_' || r.oid FROM pg_roles r WHERE rolname = current_user`)
	if err != nil {
		return err
	}
	suspect, left, probe := row[0] == "t", row[1] == "t", row[2] // what was left was given up
	if !suspect && !left {
		return nil
	}
	if !left {
		err = s.changeAlone(ctx, doing, "CREATE DATABASE "+identifier(probe)+" TEMPLATE template0 ALLOW_CONNECTIONS false")
	}
	if err == nil || madeMeanwhile(err) {
		err = s.changeAlone(ctx, doing, "DROP DATABASE IF EXISTS "+identifier(probe))
	}
	return err
}

// looks is how often in a row a session has to be seen waiting for its client before it is ended: who moves on has looked
// up, and keeps nobody waiting. A look comes each second.
const looks = 3

// silent counts in how many looks in a row a session waited for its client, and did not move on meanwhile.
type silent map[string]int

// endUnhearing ends what of tenants' keeps a session waiting that drops a database: sessions that wait for their
// clients. It tells whether that session waits so, who may be whom it waits for then, and whom it ended.
func (s session) endUnhearing(ctx context.Context, pid string, before silent) (waits bool, others, ended []string) {
	rows, err := s.query(ctx, "who is waited for", "SELECT FROM pg_stat_activity WHERE wait_event = 'ProcSignalBarrier' AND pid = "+pid)
	if err != nil || len(rows) == 0 {
		return false, nil, nil
	}
	// The rows that a COPY has done tell that it moves; of a query whose result is read slowly, nothing does.
	rows, err = s.query(ctx, "who is waited for", `SELECT a.pid, concat_ws(' ', a.pid, state_change, tuples_processed + tuples_excluded)
		FROM pg_stat_activity a LEFT JOIN pg_stat_progress_copy c ON c.pid = a.pid WHERE wait_event_type = 'Client' AND `+unhearing)
	if err != nil {
		return true, nil, nil
	}
	now := silent{}
	for _, row := range rows {
		if now[row[1]] = before[row[1]] + 1; now[row[1]] < looks {
			continue
		}
		who := s.describe(ctx, "a.pid = "+row[0])
		if len(s.endTenants(ctx, "pid = "+row[0])) == 0 {
			ended = append(ended, who...)
		}
	}
	clear(before)
	maps.Copy(before, now)
	return true, s.describe(ctx, unhearing), ended
}

// describe says of some sessions whose they are, the oldest first.
func (s session) describe(ctx context.Context, which string) (described []string) {
	rows, err := s.query(ctx, "whose sessions they are", `SELECT coalesce(usename, backend_type), coalesce(substr(shobj_description(o.oid, 'pg_authid'), `+fmt.Sprint(len(mark)+1)+`), ''),
		coalesce(datname, ''), pid, coalesce(extract(epoch FROM clock_timestamp() - state_change)::int::text, '')
		FROM pg_stat_activity a LEFT JOIN pg_roles o ON o.rolname = regexp_replace(usename, '_(a|b|owner)$', '_owner') AND `+fmt.Sprintf(ofTenant, "usename")+`
		WHERE `+which+` ORDER BY state_change LIMIT 5`)
	if err != nil {
		return nil
	}
	for _, row := range rows {
		text := "session " + row[3] + " of role " + row[0]
		if row[1] != "" {
			text += " (tenant " + shown(row[1], "") + ")"
		}
		text += " in database " + shown(row[2], "")
		if row[4] != "" {
			text += ", at one statement for " + row[4] + " s"
		}
		described = append(described, text)
	}
	return described
}

// deaf is ErrDeaf with whom it may be about.
func deaf(doing string, who []string) error {
	why := "a session does not react, and can't be ended: "
	switch len(who) {
	case 0:
		why += "which one, this administrator can't see"
	case 1:
		why += who[0]
	default:
		why = "a session does not react, and can't be ended. It is one of these: " + strings.Join(who, "; ")
	}
	return &trouble{doing: doing, why: why, kind: ErrDeaf}
}
