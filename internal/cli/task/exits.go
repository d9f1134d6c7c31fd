package task

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/workspace"
)

// doctorHint is for trouble that seldom comes alone.
const doctorHint = "sp doctor tells all that is wrong, and mends with --fix what is safe to mend"

// trustHint is for a registry that may be somebody else's.
const trustHint = "sp trust shows where its tenants lead, and asks whether it is yours; without a terminal: sp trust --moved -y for your own project, sp trust --copy -y for a copy, or SP_TRUST=DIRECTORY"

// Faults returns the exit code, code word and hint of each kind of error. The first match counts.
func Faults() []cli.Fault {
	fault := func(err error, exit int, code, hint string) cli.Fault {
		return cli.Fault{Err: err, Exit: exit, Code: code, Hint: hint}
	}
	made := fault(registry.ErrIncomplete, 8, "incomplete", "sp status tells how the file stands; sp export writes it")
	made.Made = true
	refused := fault(exporter.ErrRefused, 6, "store", "")
	refused.Bare = true
	return []cli.Fault{
		made,
		fault(provision.ErrUnknown, 8, "incomplete", "look before you do it again: sp status, sp tenant list"),
		fault(registry.ErrUnknown, 8, "incomplete", "look before you do it again: sp status, sp tenant list"),
		fault(db.ErrUnrecorded, 6, "untrusted", "set HOME, or XDG_STATE_HOME to a directory that you can write, for the receipt; without one, SP_TRUST names the project"),
		fault(db.ErrUntrusted, 6, "untrusted", trustHint),
		fault(project.ErrUntrusted, 6, "untrusted", "remove the link, or name the directory to which it leads with --dir"),
		fault(resolver.ErrUsage, 2, "usage", ""),
		refused,
		fault(follow.ErrUnusable, 6, "store", "mend that file, or move it away; what follows the registry is written anew"),
		fault(project.ErrUnusable, 6, "store", "mend that file, or move it away; what follows the registry is written anew"),
		fault(hosting.ErrNoServer, 9, "unavailable", ""),
		{Err: ErrUnreached, Exit: 9, Code: "unavailable", Told: true},
		fault(hosting.ErrWithheld, 9, "denied", ""),
		fault(errNoPlace, 9, "unavailable", "SP_DATA_DIR names a directory for the data of servers"),
		fault(hosting.ErrOtherData, 9, "denied", "sp db up shows it, and asks"),
		fault(hosting.ErrLost, 9, "mismatch", ""),
		fault(provision.ErrUnavailable, 9, "unavailable", "see that the server runs, and that the address is right"),
		fault(provision.ErrDenied, 9, "denied", ""),
		fault(provision.ErrMismatch, 9, "mismatch", ""),
		fault(provision.ErrUnchecked, 9, "unsupported", ""),
		fault(postgres.ErrNone, 9, "unavailable", ""),
		fault(postgres.ErrRoot, 9, "unavailable", ""),
		fault(postgres.ErrTaken, 9, "unavailable", ""),
		fault(postgres.ErrEdited, 9, "denied", "sp db up shows it at a terminal, and asks; or move it away"),
		fault(postgres.ErrVersion, 9, "unavailable", ""),
		fault(postgres.ErrUnusable, 9, "unavailable", ""),
		fault(registry.ErrConflict, 4, "conflict", ""),
		fault(registry.ErrExists, 4, "exists", ""),
		fault(registry.ErrInUse, 4, "in_use", ""),
		fault(registry.ErrNoTenant, 5, "no_tenant", noTenantHint),
		fault(registry.ErrNoProfile, 5, "no_profile", "sp profile list, then sp session switch NAME"),
		fault(registry.ErrNoURL, 5, "no_url", ""),
		fault(registry.ErrAmbiguous, 2, "ambiguous", "sp tenant list has the ids; id:ID means the tenant with that id and nothing else"),
		fault(registry.ErrForgotten, 3, "not_found", "secrets that a change removed are kept for 7 days, unless they were purged; a backup may have them"),
		fault(registry.ErrNotFound, 3, "not_found", ""),
		fault(registry.ErrInvalid, 2, "invalid", ""),
		fault(pgurl.ErrInvalid, 2, "invalid", ""),
		fault(project.ErrNotFound, 3, "not_found", ""),
		fault(project.ErrInvalid, 2, "invalid", ""),
		fault(provision.ErrInvalid, 2, "invalid", ""),
		fault(postgres.ErrInvalid, 2, "invalid", ""),
		fault(db.ErrBusy, 7, "busy", "try again, or raise SP_LOCK_TIMEOUT (10s)"),
		fault(workspace.ErrBusy, 7, "busy", "try again, when the other program is done"),
		fault(project.ErrNoDirectory, 6, "store", "sp init makes a registry here; sp import PATH makes one from a tenants.json, sp restore FILE from a backup"),
		fault(db.ErrMissing, 6, "store", "sp init makes a registry; sp import PATH makes one from a tenants.json, sp restore FILE from a backup"),
		fault(db.ErrNewer, 6, "store", "upgrade sp"),
		fault(db.ErrForeign, 6, "store", "it was left untouched; move it away, then sp restore a backup, sp init or sp import"),
		fault(db.ErrUnsafe, 6, "store", doctorHint),
		fault(db.ErrDamaged, 6, "store", "copy it, together with a -journal beside it, before anything else\n"+doctorHint),
		fault(db.ErrReadOnly, 6, "store", "nothing was changed; make the directory and its files writable for you"),
		fault(db.ErrReplaced, 6, "store", "nothing was changed; look at what is there now, then try again"),
		fault(db.ErrFull, 6, "store", "nothing was changed; free some space"),
		fault(db.ErrDenied, 6, "store", ""),
		fault(db.ErrIO, 6, "store", ""),
		fault(project.ErrOthers, 6, "store", "run as that user; or sp init, in your project, makes a registry of your own, which is found first"),
		fault(project.ErrUnsafe, 6, "store", doctorHint),
		fault(project.ErrExposed, 6, "store", ""),
		fault(project.ErrGit, 6, "store", ""),
		fault(place.ErrForeign, 6, "store", "take it over with chown, or move it away"),
		fault(place.ErrUnsafe, 6, "store", "name a regular file, or move that away"),
		{Err: ErrUnwell, Exit: 6, Code: "store", Told: true},
	}
}

// Errors of which the answer already tells.
var (
	// ErrUnwell is returned if doctor found something wrong.
	ErrUnwell = errors.New("something is wrong")
	// ErrUnreached is returned if a checked database did not answer.
	ErrUnreached = errors.New("not every database answers as it should")
)

// explain puts an error in better words, with what helps.
func (t *Task) explain(err error) error {
	if err == nil {
		return nil
	}
	err = explained(t.registry, t.adviseMain(err))
	var ambiguous *registry.AmbiguousError
	if errors.As(err, &ambiguous) {
		err = cli.WithCandidates(err, ambiguous.Words()...)
	}
	switch hint := serverHint(err); {
	case cli.HasHint(err):
	case errors.Is(err, fs.ErrPermission):
		err = t.advisePermission(err)
	case hint != "":
		err = cli.Hint(err, "%s", hint)
	case errors.As(err, new(*exporter.RepeatedError)):
		err = cli.Hint(err, "%s takes the first of them", cli.To("sp import", "--duplicates", "first"))
	}
	return err
}

// advisePermission adds how a file that the system refuses can be used, if its path is known.
func (t *Task) advisePermission(err error) error {
	var refused *fs.PathError
	if !errors.As(err, &refused) {
		return err
	}
	path := refused.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(t.registry), path)
	}
	if permit := place.Permit(path, cli.Quoted); permit != "" {
		err = cli.Hint(err, "%s", permit)
	}
	return err
}

// FailureOf says how an error would end the run, where it is part of an answer.
func (t *Task) FailureOf(err error) cli.Failure { return t.Failure(t.explain(err)) }

// explained replaces what SQLite said by a plain message, after a look at the registry at path. It
// keeps the hint, and what the error says about the change.
func explained(path string, err error) error {
	plain := db.Diagnose(path, err)
	for _, meaning := range []error{registry.ErrIncomplete, registry.ErrUnknown, provision.ErrUnknown} {
		if errors.Is(err, meaning) && !errors.Is(plain, meaning) {
			plain = fmt.Errorf("%w: %w", meaning, plain)
		}
	}
	return cli.KeepHint(err, plain)
}

// IsIncomplete reports whether a change was made and something after it failed.
func IsIncomplete(err error) bool { return errors.Is(err, registry.ErrIncomplete) }

// IsUnknown reports whether nobody can tell if a change was made.
func IsUnknown(err error) bool {
	return errors.Is(err, registry.ErrUnknown) || errors.Is(err, provision.ErrUnknown)
}

// Made reports whether a change was made, even if something after it failed.
func Made(err error) bool { return err == nil || IsIncomplete(err) }

// Afterwards marks an error as one that happened after a change was made.
func Afterwards(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}
