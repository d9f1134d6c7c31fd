package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Drop takes a database and its roles away, with the sessions that use them. What is gone
// already is not missed; a database of that name that is not the tenant's stays, with all roles.
func (s *Server) Drop(ctx context.Context, d Database) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := s.refuseOthers(ctx, d); err != nil {
		return err
	}
	found, err := s.findDatabase(ctx, d)
	if err != nil {
		return err
	}
	there, err := s.findRoles(ctx, d)
	if err != nil {
		return err
	}
	for _, l := range []Login{LoginA, LoginB} {
		if _, ok := there[d.Role(l)]; !ok {
			continue
		}
		if _, err := s.Retire(ctx, d, l); err != nil {
			return err
		}
	}
	roles := slices.Sorted(maps.Keys(there))
	if err := s.joinAll(ctx, roles); err != nil {
		return err
	}
	if err := s.mustClear(ctx, d, roles); err != nil { // before anything is lost
		return err
	}
	if found.there {
		if err := s.dropDatabase(ctx, d, found); err != nil {
			if why := s.mayGo(ctx, d); errors.Is(why, ErrDenied) { // it says more than the server does
				err = why
			}
			return err
		}
	}
	if err := s.dropExtras(ctx, d); err != nil {
		return err
	}
	return s.dropRoles(ctx, d, roles)
}

// joinAll makes the administrator a member of roles, which he may not be if he did not make them.
func (s *Server) joinAll(ctx context.Context, roles []string) error {
	var statements []string
	for _, role := range roles {
		statements = append(statements, s.join(role))
	}
	if len(statements) == 0 {
		return nil
	}
	return s.change(ctx, "drop the roles", statements...)
}

// dropDatabase drops the database that was found.
func (s *Server) dropDatabase(ctx context.Context, d Database, f foundDatabase) error {
	const doing = "drop the database"
	if f.template && !f.broken { // a template can't be dropped, and a broken one not be altered
		if err := s.change(ctx, doing, "ALTER DATABASE "+identifier(d.Name)+" IS_TEMPLATE false"); err != nil {
			return err
		}
	}
	if !f.broken {
		if err := s.endPrepared(ctx, "database = "+literal(d.Name)); err != nil {
			return err
		}
		if err := s.checkHeard(ctx); err != nil {
			return err
		}
	}
	return s.changeAlone(ctx, doing, "DROP DATABASE IF EXISTS "+identifier(d.Name)+" WITH (FORCE)")
}

// MayDrop refuses what a Drop could not do: nothing is lost by then.
func (s *Server) MayDrop(ctx context.Context, d Database) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := s.mayGo(ctx, d); err != nil {
		return err
	}
	if err := s.checkHeard(ctx); err != nil {
		return err
	}
	there, err := s.findRoles(ctx, d)
	if err != nil {
		return err
	}
	return s.mayClear(ctx, d, slices.Sorted(maps.Keys(there)))
}

// mayGo refuses a database that is in use by whom this administrator can't end, and says how that is done.
func (s *Server) mayGo(ctx context.Context, d Database) error {
	const doing = "look at who uses the database"
	its := d.owned()
	rows, err := s.query(ctx, doing, `SELECT 'a session of role ' || usename || ' is in it, which this administrator may not end: SELECT pg_terminate_backend(' || pid || ')'
			FROM pg_stat_activity a JOIN pg_roles r ON r.oid = usesysid, pg_roles me
			WHERE me.rolname = current_user AND NOT me.rolsuper AND datid IN `+its+` AND NOT `+fmt.Sprintf(ofTenant, "usename")+`
			AND (r.rolsuper OR NOT pg_has_role(r.oid, 'USAGE') AND NOT pg_has_role('pg_signal_backend', 'USAGE'))
		UNION ALL SELECT 'its replication slot ' || slot_name || ' is in use: SELECT pg_terminate_backend(' || active_pid || ')'
			FROM pg_replication_slots WHERE datoid IN `+its+` AND active
		UNION ALL SELECT 'it has a subscription: in it, DROP SUBSCRIPTION ' || quote_ident(subname)
			FROM pg_subscription WHERE subdbid IN `+its+`
		UNION ALL SELECT 'role ' || owner || ' has prepared a transaction in it: in it, ROLLBACK PREPARED ' || quote_literal(gid)
			FROM pg_prepared_xacts x JOIN pg_database b ON b.datname = x.database JOIN pg_roles r ON r.rolname = owner, pg_roles me
			WHERE me.rolname = current_user AND NOT me.rolsuper AND b.oid IN `+its+` AND NOT `+fmt.Sprintf(ofTenant, "owner")+` AND NOT pg_has_role(r.oid, 'MEMBER')`)
	if err != nil || len(rows) == 0 {
		return err
	}
	return &trouble{doing: doing, why: shown(rows[0][0], ""), kind: ErrDenied}
}

// A tenant's roles may own something in another database, such as a large object in one that lets everybody
// in; or be given a right there by whoever has the say there. Before that is gone they can't be dropped.

// place is a database where something belongs to roles or is allowed to them, and how much. An empty name is for
// what belongs to no database.
type place struct {
	database string
	things   int
}

// elsewhere returns these places. The roles' own databases are none of them.
func (s *Server) elsewhere(ctx context.Context, d Database, roles []string) (found []place, err error) {
	if len(roles) == 0 {
		return nil, nil
	}
	rows, err := s.query(ctx, "what the roles have elsewhere", whatElsewhere(d, roles))
	for _, row := range rows {
		things, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, err
		}
		found = append(found, place{row[0], things})
	}
	return found, err
}

func firsts(rows [][]string) (firsts []string) {
	for _, row := range rows {
		firsts = append(firsts, row[0])
	}
	return firsts
}

func whatElsewhere(d Database, roles []string) string {
	return `SELECT coalesce(b.datname, ''), count(*) FROM pg_shdepend p
		JOIN pg_roles r ON r.oid = refobjid AND refclassid = 'pg_authid'::regclass LEFT JOIN pg_database b ON b.oid = dbid
		WHERE rolname IN (` + listed(roles, literal) + `) AND p.dbid NOT IN ` + d.owned() + `
		AND classid <> 'pg_auth_members'::regclass AND NOT (classid = 'pg_database'::regclass AND objid IN ` + d.owned() + `) GROUP BY 1`
}

// ending is in SQL what takes away all that roles have and may in a database. DROP OWNED takes what an object's owner
// allowed them. What somebody else allowed them, whom the owner had let pass it on, he takes back himself first: what he
// allowed others stays. Where this administrator may not act as him, he loses the option, with all that he gave by it; but
// only if he is a tenant, which could keep another one from being dropped.
func ending(roles []string) []string {
	its := listed(roles, identifier)
	return []string{
		forGiven(roles, "true", `SET LOCAL ROLE %5$I; REVOKE %1$s%2$s ON %3$s %4$s FROM `+its+` CASCADE`),
		"DROP OWNED BY " + its + " CASCADE",
		forGiven(roles, fmt.Sprintf(ofTenant, "g.rolname"), `REVOKE GRANT OPTION FOR %1$s ON %3$s %4$s FROM %5$I CASCADE`),
	}
}

// forGiven is in SQL a statement for each right on something in a database that roles have from whoever is neither its
// owner nor one of them. The statement gets the right, the column if it is on one, the kind and name of the object, and
// who gave it.
func forGiven(roles []string, which, statement string) string {
	its := "(" + listed(roles, literal) + ")"
	return `DO $do$ DECLARE one text; BEGIN
		FOR one IN SELECT DISTINCT format(` + literal(statement) + `, privilege_type, ' (' || quote_ident(attname) || ')',
				CASE type WHEN 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER' WHEN 'server' THEN 'FOREIGN SERVER' WHEN 'aggregate' THEN 'FUNCTION'
				ELSE regexp_replace(upper(type), '^(FOREIGN TABLE|.*VIEW)$', 'TABLE') END, identity, g.rolname)
			FROM pg_shdepend p JOIN pg_roles r ON r.oid = p.refobjid AND p.refclassid = 'pg_authid'::regclass
			LEFT JOIN pg_attribute c ON p.classid = 'pg_class'::regclass AND c.attrelid = p.objid AND c.attnum = p.objsubid AND p.objsubid > 0,
			pg_identify_object(p.classid, p.objid, 0), aclexplode(CASE p.classid
				WHEN 'pg_class'::regclass THEN CASE p.objsubid WHEN 0 THEN (SELECT relacl FROM pg_class WHERE oid = p.objid) ELSE c.attacl END
				WHEN 'pg_database'::regclass THEN (SELECT datacl FROM pg_database WHERE oid = p.objid)
				WHEN 'pg_foreign_data_wrapper'::regclass THEN (SELECT fdwacl FROM pg_foreign_data_wrapper WHERE oid = p.objid)
				WHEN 'pg_foreign_server'::regclass THEN (SELECT srvacl FROM pg_foreign_server WHERE oid = p.objid)
				WHEN 'pg_language'::regclass THEN (SELECT lanacl FROM pg_language WHERE oid = p.objid)
				WHEN 'pg_largeobject'::regclass THEN (SELECT lomacl FROM pg_largeobject_metadata WHERE oid = p.objid)
				WHEN 'pg_namespace'::regclass THEN (SELECT nspacl FROM pg_namespace WHERE oid = p.objid)
				WHEN 'pg_proc'::regclass THEN (SELECT proacl FROM pg_proc WHERE oid = p.objid)
				WHEN 'pg_tablespace'::regclass THEN (SELECT spcacl FROM pg_tablespace WHERE oid = p.objid)
				WHEN 'pg_type'::regclass THEN (SELECT typacl FROM pg_type WHERE oid = p.objid) END) a JOIN pg_roles g ON g.oid = a.grantor
			WHERE p.deptype = 'a' AND p.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
			AND a.grantee = r.oid AND r.rolname IN ` + its + ` AND g.rolname NOT IN ` + its + ` AND ` + which + `
			AND NOT EXISTS (SELECT FROM pg_shdepend o WHERE (o.dbid, o.classid, o.objid, o.refclassid, o.refobjid, o.deptype) = (p.dbid, p.classid, p.objid, p.refclassid, g.oid, 'o'))
		LOOP
			BEGIN EXECUTE one; EXCEPTION WHEN insufficient_privilege THEN NULL; END;
			SET LOCAL ROLE NONE;
		END LOOP; END $do$`
}

// mustClear takes away what roles have and may in other databases, and refuses to go on where something of
// that is not this administrator's to take.
func (s *Server) mustClear(ctx context.Context, d Database, roles []string) error {
	if _, err := s.clearElsewhere(ctx, d, roles); err != nil {
		return err
	}
	return s.mayClear(ctx, d, roles) // somebody may have given them something since
}

func mayNotClear(database string, roles []string) error {
	where := "database " + database
	if database == "" {
		where = "a database of others"
	}
	return &trouble{
		doing: "take away what its roles may", kind: ErrDenied,
		why: "they have a right in " + where + " that this administrator may not take away (REVOKE ALL ... FROM " + strings.Join(roles, ", ") + ")",
	}
}

// mostTried bounds what is taken away twice, once to try it. Who gave somebody more than that did so to keep sp
// busy; what of it may not be taken away is then found when it is.
const mostTried = 10_000

// mayClear refuses what mustClear would refuse, and takes nothing away: it rolls back what it tries.
func (s *Server) mayClear(ctx context.Context, d Database, roles []string) error {
	found, err := s.elsewhere(ctx, d, roles)
	for _, at := range found {
		if at.things > mostTried {
			continue
		}
		left, err := s.tryClear(ctx, d, roles, at.database)
		if err != nil {
			return err
		}
		if slices.Contains(left, at.database) {
			return mayNotClear(at.database, roles)
		}
	}
	return err
}

// tryClear returns where roles would still have something if all was taken away that they have in a database.
func (s *Server) tryClear(ctx context.Context, d Database, roles []string, database string) (left []string, err error) {
	const doing = "look at what its roles have elsewhere"
	in := s.session
	if database != "" {
		if in, err = s.enter(ctx, doing, database); err != nil {
			return nil, err
		}
		defer in.close()
	}
	// What is given to the roles between two of these statements can be taken away, too: the last one must not see it.
	statements := []string{"START TRANSACTION ISOLATION LEVEL REPEATABLE READ"}
	for _, role := range roles {
		statements = append(statements, s.join(role))
	}
	statements = append(append(statements, ending(roles)...), whatElsewhere(d, roles))
	err = s.again(ctx, doing, func() error {
		return s.unblocked(ctx, in, doing, func() error {
			rows, err := in.query(ctx, doing, statements...)
			left = firsts(rows)
			_, undone := in.run(ctx, doing, "ROLLBACK")
			return cmp.Or(err, undone)
		})
	})
	return left, err
}

// clearElsewhere takes away what roles have and may in other databases, with last in the last one.
func (s *Server) clearElsewhere(ctx context.Context, d Database, roles []string, last ...string) (done bool, err error) {
	found, err := s.elsewhere(ctx, d, roles)
	for i, at := range found {
		statements := ending(roles)
		if i == len(found)-1 {
			statements = append(statements, last...)
			done = true
		}
		if err := s.clearIn(ctx, at, statements); err != nil {
			return done, err
		}
	}
	return done, err
}

func (s *Server) clearIn(ctx context.Context, at place, statements []string) error {
	if at.database == "" {
		return s.change(ctx, "take away what its roles may", statements...)
	}
	doing := fmt.Sprintf("take away what its roles have in database %s (rights and objects: %d)", at.database, at.things)
	there, err := s.enter(ctx, doing, at.database)
	if err != nil {
		return err
	}
	defer there.close()
	return s.changeIn(ctx, there, doing, statements...)
}

// dropRoles drops roles. Somebody may allow them something again at any time, up to the moment when they
// are dropped in the same transaction.
func (s *Server) dropRoles(ctx context.Context, d Database, roles []string) error {
	if len(roles) == 0 {
		return nil
	}
	drop := "DROP ROLE IF EXISTS " + listed(roles, identifier)
	const tries = 20
	for try := 1; ; try++ {
		done, err := s.clearElsewhere(ctx, d, roles, drop)
		if err == nil && !done {
			err = s.change(ctx, "drop the roles", drop)
		}
		if stateOf(err) != "2BP01" || try == tries {
			return err
		}
	}
}

// listed quotes names for SQL, with commas between.
func listed(names []string, quote func(string) string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}
