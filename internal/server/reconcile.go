package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// What has to be done with the databases of tenants stands in their rows, and nowhere else: one is
// about to be made or dropped, an old login is due to end, a cancelled tenant has to be read-only.
// One loop looks at the rows, and brings each database to what its row says. Each step can be done
// again, so a process that dies in the middle costs a retry.

// The pace of the loop.
const (
	atOnce     = 4               // databases in work at the same time
	lookEvery  = 5 * time.Second // where nothing wakes it, as for what another process recorded
	stepWithin = 2 * time.Minute // one step
	firstPause = time.Second     // after the first failure; each further one doubles it
	longest    = 5 * time.Minute
	maxTries   = 10
	sweepEvery = time.Hour
	eventLife  = 30 * 24 * time.Hour // how long what happened is told
)

// Run works on the databases until ctx ends, and waits for the steps that are under way.
func (s *Server) Run(ctx context.Context) error {
	s.news.init()
	w := &work{slots: make(chan struct{}, atOnce)}
	defer w.wait.Wait()
	swept := time.Time{}
	for {
		if now := s.Now(); now.Sub(swept) >= sweepEvery {
			if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "what is over was not forgotten", "error", err)
			}
			swept = now
		}
		next, err := s.startDue(ctx, w)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "the loop could not look at what is due", "error", err)
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.news.loop:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// work is what is under way.
type work struct {
	slots chan struct{}
	wait  sync.WaitGroup
	on    held[registry.TenantID]
}

// job is a step that is due for a tenant.
type job struct {
	tenant registry.TenantID
	doing  string // for the event of a failure
	step   func(context.Context) error
}

// making tells whether the job makes a database. What fails with that says nothing of other jobs, nor they of it.
func (j job) making() bool { return j.doing == jobMaking }

// startDue begins what is due, and tells when to look again.
func (s *Server) startDue(ctx context.Context, w *work) (time.Duration, error) {
	jobs, next, err := s.due(ctx)
	for _, j := range jobs {
		if w.on.take(j.tenant) != nil {
			continue
		}
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			w.on.release(j.tenant)
			return next, nil
		}
		w.wait.Go(func() {
			s.try(ctx, j)
			w.on.release(j.tenant)
			<-w.slots
			s.news.wake() // what came for this tenant meanwhile
		})
	}
	return next, err
}

// due lists what has to be done now, and how long until the next that is known.
func (s *Server) due(ctx context.Context) (jobs []job, next time.Duration, err error) {
	now, next := s.Now(), lookEvery
	if err := s.checkRegistry(ctx); err != nil { // what an older one asks for was done, and more
		return nil, next, err
	}
	var databases []registry.Database
	if err := s.read(ctx, func(view *registry.View) (err error) {
		databases, err = view.DueDatabases(ctx, now)
		return err
	}); err != nil {
		return nil, next, err
	}
	var troubles []rows.Trouble
	var cancellations []rows.Cancellation
	if err := s.db.Read(ctx, func(q *rows.Queries) (err error) {
		if troubles, err = q.Troubles(ctx); err == nil {
			cancellations, err = q.Cancellations(ctx)
		}
		return err
	}); err != nil {
		return nil, next, err
	}
	type step struct {
		id     registry.TenantID
		making bool
	}
	later := map[step]*int64{}
	for _, t := range troubles {
		later[step{registry.TenantID(t.TenantID), t.Making}] = t.NextAt
	}
	isDue := func(j job) bool {
		at, troubled := later[step{j.tenant, j.making()}]
		if !troubled {
			return true
		}
		if at == nil { // what failed for good is not made by itself
			return false
		}
		wait := time.UnixMicro(*at).Sub(now)
		if wait > 0 {
			next = min(next, wait)
		}
		return wait <= 0
	}
	states := map[registry.TenantID]registry.DatabaseState{}
	for _, d := range databases {
		states[d.Tenant] = d.State
		if j := s.jobOf(d); isDue(j) {
			jobs = append(jobs, j)
		}
	}
	for _, c := range cancellations {
		if j, ok := s.cancellationJob(c, states[registry.TenantID(c.TenantID)], now); ok && isDue(j) {
			jobs = append(jobs, j)
		}
	}
	return jobs, next, nil
}

// jobOf is what the row of a database asks for.
func (s *Server) jobOf(d registry.Database) job {
	switch d.State {
	case registry.Provisioning:
		return job{d.Tenant, jobMaking, func(ctx context.Context) error { return s.provision(ctx, d.Tenant) }}
	case registry.Dropping:
		return job{d.Tenant, "drop its database", func(ctx context.Context) error { return s.dropNow(ctx, d) }}
	}
	return job{d.Tenant, "end its old login", func(ctx context.Context) error { return s.retire(ctx, d.Tenant) }}
}

// cancellationJob is what a cancellation asks for, if anything. A database that is being dropped needs nothing
// more, and one that is being made, or failed to be, need not be read-only.
func (s *Server) cancellationJob(c rows.Cancellation, state registry.DatabaseState, now time.Time) (job, bool) {
	id := registry.TenantID(c.TenantID)
	switch {
	case state == registry.Dropping:
		return job{}, false
	case c.DeleteAt != nil && *c.DeleteAt <= now.UnixMicro():
		return job{id, "delete it", func(ctx context.Context) error { return s.endRetention(ctx, id) }}, true
	case state == registry.Provisioning && !c.Applied:
		return job{}, false
	case c.DeleteAt != nil && !c.Applied:
		return job{id, "make its database read-only", func(ctx context.Context) error { return s.readOnly(ctx, id, true, c.Applied) }}, true
	case c.DeleteAt == nil:
		return job{id, "let its database be written", func(ctx context.Context) error { return s.readOnly(ctx, id, false, c.Applied) }}, true
	}
	return job{}, false
}

// endRetention begins to delete a tenant whose retention is over, unless that was taken back meanwhile.
func (s *Server) endRetention(ctx context.Context, id registry.TenantID) error {
	over, err := s.isOverNow(ctx, id)
	if err != nil || !over {
		return err
	}
	switch there, err := s.isThere(ctx, id); {
	case err != nil:
		return err
	case !there:
		return s.forget(ctx, id)
	}
	subject, err := s.on(ctx, id)
	if err != nil || subject.Database.State == registry.Dropping {
		return err
	}
	switch live, err := s.machine(func(string) {}).IsLive(ctx, subject); {
	case err != nil:
		return err
	case live && subject.Database.State == registry.Provisioning: // as of an older registry: no other job makes it read-only
		if err := s.renewRetention(ctx, subject); err != nil {
			return err
		}
		return s.readOnly(ctx, id, true, false)
	case live:
		return s.renewRetention(ctx, subject)
	}
	if err := s.change(ctx, func(reg *registry.Registry) (err error) {
		if over, err = s.isOverNow(ctx, id); err != nil || !over { // it was taken back while the server was asked
			return err
		}
		return reg.DropDatabase(ctx, id)
	}); err != nil || !over {
		return err
	}
	return s.endSync(ctx, id)
}

func (s *Server) isOverNow(ctx context.Context, id registry.TenantID) (over bool, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) (err error) {
		over, err = s.isOver(ctx, q, id)
		return err
	})
	return over, err
}

// isOver tells whether a tenant is cancelled and its retention over.
func (s *Server) isOver(ctx context.Context, q *rows.Queries, id registry.TenantID) (bool, error) {
	now, err := q.Cancellation(ctx, string(id))
	if rows.IsMissing(err) {
		return false, nil
	}
	return err == nil && now.DeleteAt != nil && *now.DeleteAt <= s.Now().UnixMicro(), err
}

// renewRetention begins the retention of a tenant anew whose database can be written: nobody was kept from
// that for its time, as when the region did not answer all along, or serve.db is from a backup and the
// cancellation was taken back since. The loop makes it read-only then.
func (s *Server) renewRetention(ctx context.Context, of hosting.Subject) error {
	ctx = context.WithoutCancel(ctx)
	id, status := of.Tenant.ID, ready
	if of.Database.State == registry.Provisioning {
		status = provisioning
	}
	defer s.news.tell(id)
	return s.db.Write(ctx, func(q *rows.Queries) error {
		if over, err := s.isOver(ctx, q, id); err != nil || !over {
			return err
		}
		at := s.Now().Add(retention).UnixMicro()
		return errors.Join(
			q.PutCancellation(ctx, rows.PutCancellationParams{TenantID: string(id), DeleteAt: &at}), q.BumpGrants(ctx),
			q.InsertAudit(ctx, s.entry(ctx, act{action: "tenant.keep", tenant: id})),
			s.tellIn(ctx, q, id, event{
				Type: "retention_renewed", Status: status,
				Message: "its retention ended, and its database was not read-only: it is made read-only now, and kept for 7 more days",
			}),
		)
	})
}

// isThere tells whether the registry has a tenant.
func (s *Server) isThere(ctx context.Context, id registry.TenantID) (there bool, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		gone, err := view.IsGone(ctx, id)
		there = !gone
		return err
	})
	return there, err
}

// forgetGone forgets what serve.db knows of tenants that are no more: a process may have died between
// the two files. What a call that is under way is about to make is not there yet; so that is done before
// anybody asks.
func (s *Server) forgetGone(ctx context.Context) error {
	var known, coming []string
	if err := s.db.Read(ctx, func(q *rows.Queries) (err error) {
		if known, err = q.KnownTenants(ctx); err == nil {
			coming, err = q.OpenCallTenants(ctx)
		}
		return err
	}); err != nil {
		return err
	}
	for _, id := range known {
		if slices.Contains(coming, id) {
			continue
		}
		there, err := s.isThere(ctx, registry.TenantID(id))
		if err == nil && !there {
			err = s.forget(ctx, registry.TenantID(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// try takes a step, and remembers if it failed.
func (s *Server) try(ctx context.Context, j job) {
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	err := j.step(ctx)
	if errors.Is(ctx.Err(), context.Canceled) { // spd is being stopped; the next one goes on
		return
	}
	if there, unread := s.isThere(ctx, j.tenant); unread == nil && !there { // it went meanwhile
		err = nil
	}
	if err == nil {
		err = s.db.Write(ctx, func(q *rows.Queries) error {
			return q.DeleteTrouble(ctx, rows.DeleteTroubleParams{TenantID: string(j.tenant), Making: j.making()})
		})
	} else {
		err = s.troubled(ctx, j, err)
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "the outcome of a step was not recorded", "tenant", j.tenant, "error", err)
	}
}

// troubled records that a step failed, and when it is tried again.
func (s *Server) troubled(ctx context.Context, j job, failure error) error {
	ctx = context.WithoutCancel(ctx)
	reason := reasonOf(failure)
	s.Log.WarnContext(ctx, "a step failed", "tenant", j.tenant, "doing", j.doing, "error", reason)
	tries := int64(0)
	err := s.db.Write(ctx, func(q *rows.Queries) error {
		before, err := q.Trouble(ctx, rows.TroubleParams{TenantID: string(j.tenant), Making: j.making()})
		if err != nil && !rows.IsMissing(err) {
			return err
		}
		tries = before.Failures + 1
		row := rows.PutTroubleParams{TenantID: string(j.tenant), Making: j.making(), Failures: tries, Reason: reason}
		if tries < maxTries || !j.making() {
			at := s.Now().Add(pauseAfter(tries)).UnixMicro()
			row.NextAt = &at
		}
		return q.PutTrouble(ctx, row)
	})
	if err != nil || !j.making() {
		return err
	}
	e := event{Type: "vm_provisioning_progress", Status: provisioning, Message: fmt.Sprintf("try %d: %s", tries, reason)}
	if tries >= maxTries {
		e.Type, e.Status, e.Message = "provisioning_failed", failed, reason
	}
	return s.tell(ctx, j.tenant, e)
}

const jobMaking = "make its database"

// pauseAfter is how long is waited after so many failures.
func pauseAfter(failures int64) time.Duration {
	pause := firstPause
	for range failures - 1 {
		if pause *= 2; pause >= longest {
			return longest
		}
	}
	return pause
}

// reasonOf says why a step failed, without a secret: the errors of the rooms below have none.
func reasonOf(err error) string {
	const most = 300
	text := err.Error()
	if len(text) > most {
		text = text[:most]
	}
	return text
}

// on is a tenant with its database and the server on which that is.
func (s *Server) on(ctx context.Context, id registry.TenantID) (found hosting.Subject, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		t, err := view.Tenant(ctx, id)
		if err == nil {
			found, err = hosting.SubjectOf(ctx, view, t)
		}
		if err == nil && (found.Database == nil || found.Server == nil) {
			err = fmt.Errorf("tenant %s: its database: %w", id, registry.ErrNotFound)
		}
		return err
	})
	return found, err
}

// steps are the events for the steps of making a database, in words for people.
var steps = map[string]event{
	"roles":    {Type: "vm_provisioning_started", Status: provisioning, Message: "making its roles"},
	"database": {Type: "vm_provisioning_progress", Status: provisioning, Message: "making its database"},
	"rights":   {Type: "database_created", Status: provisioning, Message: "closing it to others"},
	"login":    {Type: "secrets_configured", Status: provisioning, Message: "trying its login"},
}

// provision makes a tenant's database, or goes on with it.
func (s *Server) provision(ctx context.Context, id registry.TenantID) error {
	subject, err := s.on(ctx, id)
	if err != nil {
		return err
	}
	if subject.Database.State != registry.Provisioning { // since it was looked at
		return nil
	}
	var unrecorded error
	m := s.machine(func(step string) {
		if e, ok := steps[step]; ok {
			unrecorded = errors.Join(unrecorded, s.tell(ctx, id, e))
		}
	})
	done, err := m.Resume(ctx, subject, *subject.Server, hosting.Extras{})
	if err = errors.Join(past(err), unrecorded); err != nil {
		return err
	}
	if done.Tenant.DatabaseURL == nil {
		return fmt.Errorf("tenant %s: its database: %w", id, provision.ErrMismatch)
	}
	return s.tell(ctx, id, event{Type: "tenant_ready", Status: ready, Message: "ready"})
}

// past leaves out what went wrong behind a change that was made.
func past(err error) error {
	if errors.Is(err, registry.ErrIncomplete) {
		return nil
	}
	return err
}

// retire ends the login that a rotation left.
func (s *Server) retire(ctx context.Context, id registry.TenantID) error {
	subject, err := s.on(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.machine(func(string) {}).Resume(ctx, subject, *subject.Server, hosting.Extras{})
	return past(err)
}

// dropNow drops a database, and forgets its tenant.
func (s *Server) dropNow(ctx context.Context, d registry.Database) error {
	if _, err := s.machine(func(string) {}).Drop(ctx, d, hosting.Wanted{}); err != nil {
		return err
	}
	if err := s.change(ctx, func(reg *registry.Registry) error {
		_, err := reg.DeleteTenant(ctx, registry.Deletion{ID: d.Tenant, Dropped: true})
		if errors.Is(err, registry.ErrNotFound) {
			err = reg.ForgetDatabase(ctx, d.Tenant)
		}
		return err
	}); err != nil {
		return err
	}
	if err := s.forget(ctx, d.Tenant); err != nil {
		return err
	}
	return s.note(ctx, act{action: "tenant.dropped", tenant: d.Tenant}, nil)
}

// forget removes what serve.db knows of a tenant that is no more, but for the audit.
func (s *Server) forget(ctx context.Context, tenant registry.TenantID) error {
	if err := s.checkRegistry(ctx); err != nil {
		return err
	}
	defer s.news.tell(tenant)
	id := string(tenant)
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		return errors.Join(
			q.RevokeTenant(ctx, id), q.DeleteSyncToken(ctx, &id), q.DeleteEvents(ctx, id), q.DeleteTroubles(ctx, id),
			q.DeleteCancellation(ctx, id), q.DeleteFiles(ctx, id), q.BumpGrants(ctx),
		)
	})
}

// readOnly makes the database of a cancelled tenant read-only, or lets it be written again. Applied tells
// whether it was made read-only, as far as is known.
func (s *Server) readOnly(ctx context.Context, id registry.TenantID, on, applied bool) error {
	subject, err := s.on(ctx, id)
	if errors.Is(err, registry.ErrNotFound) { // it is gone
		return s.forget(ctx, id)
	}
	live := false
	if err == nil && !on && !applied { // the sessions of one that was never read-only stay
		live, err = s.machine(func(string) {}).IsLive(ctx, subject)
	}
	if err == nil && !live {
		err = s.machine(func(string) {}).SetReadOnly(ctx, subject, on)
	}
	if err != nil {
		return err
	}
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		now, err := q.Cancellation(ctx, string(id))
		switch {
		case err != nil && !rows.IsMissing(err):
			return err
		case now.DeleteAt == nil && !on:
			return q.DeleteCancellation(ctx, string(id))
		case now.DeleteAt != nil && on:
			return q.PutCancellation(ctx, rows.PutCancellationParams{TenantID: string(id), DeleteAt: now.DeleteAt, Applied: true})
		}
		return nil // taken back or asked for anew meanwhile: the next look does that
	})
}

// sweep forgets what is over: keys, tokens and events of long ago.
func (s *Server) sweep(ctx context.Context) error {
	now := s.Now()
	err := s.db.Write(ctx, func(q *rows.Queries) error {
		return errors.Join(q.DeleteCallsBefore(ctx, now.Add(-callLife).UnixMicro()), q.DeleteEventsBefore(ctx, now.Add(-eventLife).UnixMicro()))
	})
	if s.login != nil {
		err = errors.Join(err, s.login.Sweep(ctx))
	}
	return err
}
