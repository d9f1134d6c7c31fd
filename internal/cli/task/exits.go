package task

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/configuration"
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
func doctorHint() cli.Advice {
	return cli.Advise("%s lists all problems; with --fix it repairs what is safe to repair", cli.To("sp doctor"))
}

// trustHint is for a registry that may be somebody else's.
func trustHint() cli.Advice {
	return cli.Advise("%s shows where its tenants lead, and asks whether it is yours; "+
		"without a terminal: %s for your own project, %s for a copy, or SP_TRUST=DIRECTORY",
		cli.To("sp trust"), cli.To("sp trust", "--moved", "-y"), cli.To("sp trust", "--copy", "-y"))
}

// crowdedHint is for a server that has no connection left.
func crowdedHint() cli.Advice {
	return cli.Advise("close sessions, or try again; %s names who has them on a server that still takes sp; %s ends them all on one that sp runs",
		cli.To("sp db status"), cli.To("sp db restart"))
}

// makeHint is for where there is no registry.
func makeHint() cli.Advice {
	return cli.Advise("%s makes a registry here, with a tenant and its database; %s makes an empty one, %s one from a tenants.json, %s one from a backup; %s, if your tenants are in a cloud",
		cli.To("sp tenant create", "--name", "NAME"), cli.To("sp init"), cli.To("sp import", "PATH"), cli.To("sp restore", "FILE"), cli.To("sp login", "URL"))
}

// offlineHint is for what SP_OFFLINE keeps from being done.
func offlineHint() cli.Advice { return cli.Advise("unset SP_OFFLINE lets sp connect") }

// Faults returns the exit code, code word and hint of each kind of error. The first match counts.
func Faults() []cli.Fault {
	none, say := cli.Advice{}, cli.Advise
	fault := func(err error, exit int, code string, hint cli.Advice) cli.Fault {
		return cli.Fault{Err: err, Exit: exit, Code: code, Hint: hint}
	}
	made := fault(registry.ErrIncomplete, 8, "incomplete", say("%s tells how the file stands; %s writes it", cli.To("sp status"), cli.To("sp export")))
	made.Made = true
	told := func(err error, exit int, code string, hint cli.Advice) cli.Fault { // by who wrote the message
		f := fault(err, exit, code, hint)
		f.Bare = true
		return f
	}
	return []cli.Fault{
		made,
		fault(ErrUnstored, 8, "incomplete", say("mend that, then run the same command again: it goes on with what was begun; what is here may not work until then")),
		fault(provision.ErrUnknown, 8, "incomplete", say("look before you do it again: %s, %s", cli.To("sp status"), cli.To("sp tenant list"))),
		fault(registry.ErrUnknown, 8, "incomplete", say("look before you do it again: %s, %s", cli.To("sp status"), cli.To("sp tenant list"))),
		fault(db.ErrUnrecorded, 6, "untrusted", say("set HOME, or XDG_STATE_HOME to a directory that you can write, for the receipt; without one, SP_TRUST names the project")),
		fault(db.ErrUntrusted, 6, "untrusted", trustHint()),
		fault(project.ErrUntrusted, 6, "untrusted", say("remove the link, or name the directory to which it leads with --dir")),
		fault(resolver.ErrUsage, 2, "usage", none),
		told(exporter.ErrRefused, 6, "store", none),
		fault(follow.ErrUnusable, 6, "store", say("mend that file, or move it away; what follows the registry is written anew")),
		fault(project.ErrUnusable, 6, "store", say("mend that file, or move it away; what follows the registry is written anew")),
		told(ErrNoProgram, 9, "unavailable", none),
		fault(ErrNotRun, 126, "unavailable", none),
		fault(ErrNoCommand, 127, "not_found", none),
		fault(hosting.ErrNoServer, 9, "unavailable", none),
		{Err: ErrUnreached, Exit: 9, Code: "unavailable", Told: true},
		{Err: ErrNoStatus, Exit: 9, Code: "unavailable", Told: true, Bare: true},
		fault(hosting.ErrWithheld, 9, "denied", none),
		fault(errNoPlace, 9, "unavailable", say("SP_DATA_DIR names a directory for the data of servers")),
		fault(hosting.ErrOtherData, 9, "denied", say("%s shows it, and asks", cli.To("sp db up"))),
		fault(hosting.ErrNotOwn, 9, "unsupported", none),
		fault(hosting.ErrLost, 9, "mismatch", none),
		fault(hosting.ErrNoRoom, 6, "store", say("free some space")),
		fault(hosting.ErrStarting, 9, "unavailable", say("%s waits until it has", cli.To("sp db up"))),
		fault(postgres.ErrUnended, 9, "unavailable", say("%s ends its processes and starts it again; nothing that was committed is lost", cli.To("sp db restart"))),
		fault(postgres.ErrFrozen, 9, "unavailable", say("kill -CONT PID has it go on; %s ends it and starts it again", cli.To("sp db restart"))),
		fault(postgres.ErrBusy, 7, "busy", say("try again, when that one is done")),
		fault(provision.ErrFull, 9, "unavailable", say("a session has taken all that the server has; %s ends them all, or ask whoever runs it", cli.To("sp db restart"))),
		fault(provision.ErrDeaf, 9, "unavailable", none),
		fault(provision.ErrCrowded, 9, "unavailable", crowdedHint()),
		fault(provision.ErrNoDisk, 9, "unavailable", say("free some space on the disk of the server's data")),
		fault(ErrOffline, 9, "unavailable", offlineHint()),
		told(provision.ErrUnavailable, 9, "unavailable", say("see that the server runs, and that the address is right")),
		fault(provision.ErrDenied, 9, "denied", none),
		fault(provision.ErrNotMade, 9, "denied", none),
		fault(provision.ErrNoSchema, 9, "denied", none),
		fault(provision.ErrNoExtension, 3, "not_found", none),
		fault(provision.ErrMismatch, 9, "mismatch", none),
		fault(provision.ErrUnchecked, 9, "unsupported", none),
		fault(postgres.ErrNoEngine, 9, "unavailable", say("start Docker")),
		fault(postgres.ErrNone, 9, "unavailable", none),
		fault(postgres.ErrRoot, 9, "unavailable", say("make the user as whom root's sp runs it: useradd --system postgres; or use a server that is there: --server-stdin")),
		fault(postgres.ErrTaken, 9, "unavailable", none),
		fault(postgres.ErrEdited, 9, "denied", say("%s shows it at a terminal, and asks; or move it away", cli.To("sp db up"))),
		fault(postgres.ErrVersion, 9, "unavailable", none),
		fault(postgres.ErrUnusable, 9, "unavailable", none),
		told(cloud.ErrNotLoggedIn, 9, "denied", say("%s logs in; in CI set SP_TOKEN and SP_CLOUD_URL", cli.To("sp login", "URL"))),
		told(cloud.ErrUnauthenticated, 9, "denied", say("%s logs in again; a token in SP_TOKEN has to be a new one", cli.To("sp login", "URL"))),
		told(cloud.ErrDenied, 9, "denied", none),
		told(cloud.ErrUnavailable, 9, "unavailable", none),
		fault(cloud.ErrAnswer, 9, "mismatch", say("see that the URL is right: %s; a proxy or a sign-in page of the network may be in between", cli.To("sp whoami"))),
		fault(cloud.ErrDatabase, 9, "mismatch", say("tell whoever runs the control plane: the server of a region needs an address that other machines reach")),
		told(cloud.ErrConflict, 4, "conflict", none),
		told(cloud.ErrNotFound, 3, "not_found", none),
		told(cloud.ErrInvalid, 2, "invalid", none),
		fault(cloud.ErrBusy, 7, "busy", say("try again")),
		fault(cloud.ErrExposed, 6, "store", none),
		fault(cloud.ErrUnusable, 6, "store", none),
		told(registry.ErrConflict, 4, "conflict", none),
		fault(registry.ErrExists, 4, "exists", none),
		fault(registry.ErrInUse, 4, "in_use", none),
		fault(registry.ErrNoTenant, 5, "no_tenant", noTenantHint()),
		fault(registry.ErrNoProfile, 5, "no_profile", say("%s, then %s", cli.To("sp profile list"), cli.To("sp session switch", "NAME"))),
		fault(registry.ErrNoURL, 5, "no_url", none),
		fault(registry.ErrAmbiguous, 2, "ambiguous", say("%s has the ids; id:ID means the tenant with that id and nothing else", cli.To("sp tenant list"))),
		fault(registry.ErrForgotten, 3, "not_found", say("secrets that a change removed are kept for 7 days, unless they were purged; a backup may have them")),
		fault(registry.ErrNotFound, 3, "not_found", none),
		told(registry.ErrInvalid, 2, "invalid", none),
		told(pgurl.ErrInvalid, 2, "invalid", none),
		fault(project.ErrNotFound, 3, "not_found", none),
		told(project.ErrInvalid, 2, "invalid", none),
		told(provision.ErrInvalid, 2, "invalid", none),
		told(postgres.ErrInvalid, 2, "invalid", none),
		fault(db.ErrBusy, 7, "busy", say("try again, or raise SP_LOCK_TIMEOUT (10s)")),
		fault(configuration.ErrBusy, 7, "busy", say("try again, when it is done")),
		fault(configuration.ErrUnfit, 9, "mismatch", none),
		fault(configuration.ErrStale, 4, "conflict", say("try again")),
		fault(archive.ErrRefused, 2, "invalid", none),
		fault(archive.ErrTooLarge, 2, "invalid", none),
		fault(ErrNotCloud, 9, "unsupported", none),
		fault(ErrNoSyncToken, 9, "denied", none),
		fault(workspace.ErrBusy, 7, "busy", say("try again, when the other program is done")),
		fault(project.ErrNoDirectory, 6, "store", makeHint()),
		fault(db.ErrMissing, 6, "store", makeHint()),
		fault(db.ErrNewer, 6, "store", say("upgrade sp")),
		fault(db.ErrForeign, 6, "store", say("it was left untouched; move it away, then %s, %s or %s", cli.To("sp restore", "FILE"), cli.To("sp init"), cli.To("sp import", "PATH"))),
		fault(db.ErrUnsafe, 6, "store", doctorHint()),
		fault(db.ErrDamaged, 6, "store", say("copy it, together with a -journal beside it, before anything else").And(doctorHint())),
		fault(db.ErrReadOnly, 6, "store", say("nothing was changed; make the directory and its files writable for you")),
		fault(db.ErrReplaced, 6, "store", say("nothing was changed; look at what is there now, then try again")),
		fault(db.ErrFull, 6, "store", say("nothing was changed; free some space")),
		fault(db.ErrDenied, 6, "store", none),
		fault(db.ErrIO, 6, "store", none),
		fault(project.ErrOthers, 6, "store", say("run as that user; or %s, in your project, makes a registry of your own, which is found first", cli.To("sp init"))),
		fault(project.ErrUnsafe, 6, "store", doctorHint()),
		fault(project.ErrExposed, 6, "store", none),
		fault(project.ErrGit, 6, "store", none),
		fault(place.ErrForeign, 6, "store", say("take it over with chown, or move it away")),
		fault(place.ErrUnsafe, 6, "store", say("name a regular file, or move that away")),
		{Err: ErrUnwell, Exit: 6, Code: "store", Told: true},
	}
}

// ErrNoProgram is returned where another program is needed and not there.
var ErrNoProgram = errors.New("program not found")

// Errors of a command that sp exec is to become. Their exit codes are a shell's.
var (
	// ErrNotRun is returned if it can't be run.
	ErrNotRun = errors.New("can't be run")
	// ErrNoCommand is returned if there is none of that name.
	ErrNoCommand = errors.New("command not found")
)

// Errors of which the answer already tells.
var (
	// ErrUnwell is returned if doctor found something wrong.
	ErrUnwell = errors.New("something is wrong")
	// ErrUnreached is returned if a checked database did not answer.
	ErrUnreached = errors.New("not every database answers as it should")
	// ErrNoStatus is returned if the control plane did not say how things are there.
	ErrNoStatus = errors.New("the control plane does not answer as it should")
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
	case errors.Is(err, cloud.ErrNotLoggedIn), errors.Is(err, cloud.ErrUnauthenticated):
		err = t.adviseAccount(err)
	case errors.Is(err, cloud.ErrUnavailable), errors.Is(err, cloud.ErrDenied):
		err = t.advisePlane(err)
	case errors.Is(err, project.ErrNoDirectory), errors.Is(err, db.ErrMissing):
		err = t.adviseNoRegistry(err)
	case errors.Is(err, fs.ErrPermission):
		err = t.advisePermission(err)
	case !hint.Empty():
		err = cli.HintAt(err, hint)
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
	for _, meaning := range []error{ErrUnstored, registry.ErrIncomplete, registry.ErrUnknown, provision.ErrUnknown} {
		if errors.Is(err, meaning) && !errors.Is(plain, meaning) {
			plain = fmt.Errorf("%w: %w", meaning, plain)
		}
	}
	return cli.KeepHint(err, plain)
}

// IsIncomplete reports whether a change was made and something after it failed.
func IsIncomplete(err error) bool { return errors.Is(err, registry.ErrIncomplete) }

// Made reports whether a change was made, even if something after it failed.
func Made(err error) bool { return err == nil || IsIncomplete(err) }

// Afterwards marks an error as one that happened after a change was made.
func Afterwards(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}
