package provision

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A tenant can hold what sp waits for, as long as it likes: a role to which it is granting something, the
// row of its own login, a lock that anybody can take. So it could keep another tenant from being dropped, or
// a password from being changed. Its session is ended, or its prepared transaction rolled back. What others
// do goes on: sp waits for that, and says for whom it waited in vain.

// blockedFor is how long tenants may keep sp waiting.
const blockedFor = time.Second

// toldAfter is when somebody who waits is told for what.
const toldAfter = 5 * time.Second

// ofTenant tells in SQL whether the role %s is a tenant's.
const ofTenant = `(%[1]s ~ '_(a|b|owner)$' AND EXISTS (SELECT FROM pg_roles o WHERE o.rolname = regexp_replace(%[1]s, '_(a|b|owner)$', '_owner')
	AND shobj_description(o.oid, 'pg_authid') LIKE '` + mark + `%%'))`

// unblocked runs fn, which waits in a session, and ends what of tenants' it waits for. It gives up where a session
// does not react. What takes long is told.
func (s *Server) unblocked(ctx context.Context, in session, doing string, fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	waits, unheard, silent := time.Duration(0), time.Duration(0), silent{}
	for others := ""; ; {
		select {
		case err := <-done:
			if err != nil && ctx.Err() != nil && others != "" {
				err = fmt.Errorf("%w (%s)", err, others)
			}
			return err
		case <-time.After(blockedFor):
		}
		waited, isUnheard := s.endBlockers(ctx, in, silent)
		if others = ""; len(waited) > 0 {
			others = "it waited for " + strings.Join(waited, ", ")
		}
		if unheard += blockedFor; !isUnheard {
			unheard = 0
		}
		if unheard >= hearsWithin+looks*blockedFor && s.cancel(ctx, in) {
			if err := <-done; stateOf(err) != "57014" {
				return err
			}
			return deaf(doing, waited)
		}
		if waits += blockedFor; waits == toldAfter && s.Waits != nil {
			s.Waits(strings.Join(append([]string{"this takes a while: " + doing}, waited...), "; it waits for "))
		}
	}
}

// cancel has the server give up what a session does.
func (s *Server) cancel(ctx context.Context, in session) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*blockedFor)
	defer cancel()
	second, err := dial(ctx, "end of a statement", s.admin, s.startNeutral)
	if err != nil {
		return false
	}
	defer second.close()
	_, err = second.query(ctx, "end of a statement", "SELECT pg_cancel_backend("+in.pid()+")")
	return err == nil
}

// endBlockers ends what of tenants' a session waits for, and says what else it waits for, and whether for all
// processes of the server. Where that can't be found out, the session just waits on.
func (s *Server) endBlockers(ctx context.Context, in session, silent silent) (waited []string, forAll bool) {
	if s.Pooled { // the number of the session is not the server's
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, 10*blockedFor) // it may wait for somebody in turn
	defer cancel()
	second := *s // the session of s may be the one that waits
	var err error
	if second.session, err = dial(ctx, "who is waited for", s.admin, s.startNeutral); err != nil {
		return nil, false
	}
	defer second.close()
	forAll, waited, ended := second.endUnhearing(ctx, in.pid(), silent)
	for _, who := range ended {
		if s.Waits != nil {
			s.Waits("ended " + who + ", which waited for its client")
		}
	}
	if forAll {
		return waited, true
	}
	waited = second.endTenants(ctx, "pid = ANY (pg_blocking_pids("+in.pid()+"))")
	if err := second.endPrepared(ctx, fmt.Sprintf(ofTenant, "owner")+` AND EXISTS (SELECT FROM pg_locks its, pg_locks held, pg_locks wanted
		WHERE its.transactionid = transaction AND its.pid IS NULL AND held.pid IS NULL AND held.virtualtransaction = its.virtualtransaction
		AND held.granted AND NOT wanted.granted AND wanted.pid = `+in.pid()+` AND `+sameLock+`)`); err != nil {
		waited = append(waited, err.Error())
	}
	return waited, false
}

// endTenants ends the sessions of tenants among some, and returns the others.
func (s session) endTenants(ctx context.Context, which string) (others []string) {
	const doing = "end of a session"
	rows, err := s.query(ctx, doing, `SELECT pid, usename, datname, `+fmt.Sprintf(ofTenant, "usename")+` FROM pg_stat_activity WHERE `+which)
	if err != nil {
		return nil
	}
	for _, row := range rows {
		if row[3] == "t" {
			if _, err = s.query(ctx, doing, "SELECT pg_terminate_backend("+row[0]+")"); err == nil {
				continue
			}
		}
		others = append(others, fmt.Sprintf("a session of role %s in database %s, pid %s", row[1], row[2], row[0]))
	}
	return others
}

// sameLock tells whether two rows of pg_locks are about the same.
const sameLock = `(held.locktype, held.database, held.relation, held.transactionid, held.classid, held.objid, held.objsubid)
	IS NOT DISTINCT FROM (wanted.locktype, wanted.database, wanted.relation, wanted.transactionid, wanted.classid, wanted.objid, wanted.objsubid)`

// endPrepared rolls prepared transactions back. That can only be done where they were made, by their owner.
func (s *Server) endPrepared(ctx context.Context, which string) error {
	const doing = "prepared transaction"
	rows, err := s.query(ctx, doing, "SELECT gid, database, owner FROM pg_prepared_xacts WHERE "+which)
	for _, row := range rows {
		if err := s.rollBackPrepared(ctx, doing, row[0], row[1], row[2]); err != nil && stateOf(err) != "42704" { // somebody else has ended it
			return err
		}
	}
	return err
}

func (s *Server) rollBackPrepared(ctx context.Context, doing, gid, database, owner string) error {
	there, err := s.enter(ctx, doing, database)
	if err != nil {
		return err
	}
	defer there.close()
	if _, err := there.run(ctx, doing, "SET ROLE "+identifier(owner)); err != nil {
		return err
	}
	_, err = there.run(ctx, doing, "ROLLBACK PREPARED "+literal(gid))
	return err
}

// pid is the number of the session's process at the server.
func (s session) pid() string { return strconv.FormatUint(uint64(s.conn.PID()), 10) }
