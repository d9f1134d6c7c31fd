package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/db"
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
	"github.com/urfave/cli/v3"
	"golang.org/x/sys/unix"
)

// What only the command line can be told.
var (
	errUsage       = errors.New("wrong usage")
	errConfirm     = errors.New("not confirmed")
	errUnsupported = errors.New("not offered yet")
	errFile        = errors.New("file refused")
	errUnprinted   = errors.New("the answer could not be written")
)

// doctorHint is for trouble that seldom comes alone.
const doctorHint = "sp doctor tells all that is wrong, and mends with --fix what is safe to mend"

// trustHint is for a registry that may be somebody else's.
const trustHint = "sp trust shows where its tenants lead, and asks whether it is yours; without a terminal: sp trust --moved -y for your own project, sp trust --copy -y for a copy, or SP_TRUST=DIRECTORY"

// noTenantHint is for where no tenant is selected, and perhaps none is there.
const noTenantHint = "sp tenant list, then sp tenant select ID\nif that lists none: sp tenant create --name NAME, or sp import PATH of a tenants.json"

// exits says with which code and word each kind of error ends a run, and what
// helps. The first that matches holds.
var exits = []struct {
	err  error
	exit int
	code string
	hint string
}{
	{registry.ErrIncomplete, 8, "incomplete", "sp status tells how the file stands; sp export writes it"},
	{provision.ErrUnknown, 8, "incomplete", "look before you do it again: sp status, sp tenant list"},
	{registry.ErrUnknown, 8, "incomplete", "look before you do it again: sp status, sp tenant list"},
	{db.ErrUnrecorded, 6, "untrusted", "set HOME, or XDG_STATE_HOME to a directory that you can write, for the receipt; without one, SP_TRUST names the project"},
	{db.ErrUntrusted, 6, "untrusted", trustHint},
	{project.ErrUntrusted, 6, "untrusted", "remove the link, or name the directory to which it leads with --dir"},
	{errUsage, 2, "usage", ""},
	{resolver.ErrUsage, 2, "usage", ""},
	{errConfirm, 2, "confirmation_required", "-y answers yes"},
	{errFile, 6, "store", ""},
	{exporter.ErrRefused, 6, "store", ""},
	{follow.ErrUnusable, 6, "store", "mend that file, or move it away; what follows the registry is written anew"},
	{project.ErrUnusable, 6, "store", "mend that file, or move it away; what follows the registry is written anew"},
	{errUnsupported, 9, "unsupported", ""},
	{hosting.ErrNoServer, 9, "unavailable", ""},
	{errUnreached, 9, "unavailable", ""},
	{hosting.ErrWithheld, 9, "denied", ""},
	{errNoPlace, 9, "unavailable", "SP_DATA_DIR names a directory for the data of servers"},
	{hosting.ErrOtherData, 9, "denied", "sp db up shows it, and asks"},
	{hosting.ErrLost, 9, "mismatch", ""},
	{provision.ErrUnavailable, 9, "unavailable", "see that the server runs, and that the address is right"},
	{provision.ErrDenied, 9, "denied", ""},
	{provision.ErrMismatch, 9, "mismatch", ""},
	{provision.ErrUnchecked, 9, "unsupported", ""},
	{postgres.ErrNone, 9, "unavailable", ""},
	{postgres.ErrRoot, 9, "unavailable", ""},
	{postgres.ErrTaken, 9, "unavailable", ""},
	{postgres.ErrEdited, 9, "denied", "sp db up shows it at a terminal, and asks; or move it away"},
	{postgres.ErrVersion, 9, "unavailable", ""},
	{postgres.ErrUnusable, 9, "unavailable", ""},
	{registry.ErrConflict, 4, "conflict", ""},
	{registry.ErrExists, 4, "exists", ""},
	{registry.ErrInUse, 4, "in_use", ""},
	{registry.ErrNoTenant, 5, "no_tenant", noTenantHint},
	{registry.ErrNoProfile, 5, "no_profile", "sp profile list, then sp session switch NAME"},
	{registry.ErrNoURL, 5, "no_url", ""},
	{registry.ErrAmbiguous, 2, "ambiguous", "sp tenant list has the ids; id:ID means the tenant with that id and nothing else"},
	{registry.ErrForgotten, 3, "not_found", "secrets that a change removed are kept for 7 days, unless they were purged; a backup may have them"},
	{registry.ErrNotFound, 3, "not_found", ""},
	{registry.ErrInvalid, 2, "invalid", ""},
	{pgurl.ErrInvalid, 2, "invalid", ""},
	{project.ErrNotFound, 3, "not_found", ""},
	{project.ErrInvalid, 2, "invalid", ""},
	{provision.ErrInvalid, 2, "invalid", ""},
	{postgres.ErrInvalid, 2, "invalid", ""},
	{db.ErrBusy, 7, "busy", "try again, or raise SP_LOCK_TIMEOUT (10s)"},
	{workspace.ErrBusy, 7, "busy", "try again, when the other program is done"},
	{project.ErrNoDirectory, 6, "store", "sp init makes a registry here; sp import PATH makes one from a tenants.json, sp restore FILE from a backup"},
	{db.ErrMissing, 6, "store", "sp init makes a registry; sp import PATH makes one from a tenants.json, sp restore FILE from a backup"},
	{db.ErrNewer, 6, "store", "upgrade sp"},
	{db.ErrForeign, 6, "store", "it was left untouched; move it away, then sp restore a backup, sp init or sp import"},
	{db.ErrUnsafe, 6, "store", doctorHint},
	{db.ErrDamaged, 6, "store", "copy it, together with a -journal beside it, before anything else\n" + doctorHint},
	{db.ErrReadOnly, 6, "store", "nothing was changed; make the directory and its files writable for you"},
	{db.ErrReplaced, 6, "store", "nothing was changed; look at what is there now, then try again"},
	{db.ErrFull, 6, "store", "nothing was changed; free some space"},
	{db.ErrDenied, 6, "store", ""},
	{db.ErrIO, 6, "store", ""},
	{project.ErrOthers, 6, "store", "run as that user; or sp init, in your project, makes a registry of your own, which is found first"},
	{project.ErrUnsafe, 6, "store", doctorHint},
	{project.ErrExposed, 6, "store", ""},
	{project.ErrGit, 6, "store", ""},
	{place.ErrForeign, 6, "store", "take it over with chown, or move it away"},
	{place.ErrUnsafe, 6, "store", "name a regular file, or move that away"},
	{errUnprinted, 6, "store", ""},
	{errUnwell, 6, "store", ""},
	{unix.ENOSPC, 6, "store", "free some space"},
	{unix.EDQUOT, 6, "store", "free some space"},
	{unix.EFBIG, 6, "store", "raise the limit of file sizes (ulimit -f)"},
}

// hinted is an error with advice that its kind alone could not give.
type hinted struct {
	error
	hint string
}

// Unwrap returns the error itself.
func (h *hinted) Unwrap() error { return h.error }

func withHint(err error, format string, args ...any) error {
	return &hinted{error: err, hint: fmt.Sprintf(format, args...)}
}

func usage(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, errUsage)...)
}

// failure is an error as it is reported, with --json as one document.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	exit    int
}

func failureOf(err error) failure {
	err = explained("", err)
	if _, ok := err.(cli.ExitCoder); ok { // the library's way of saying that there is no such command
		err = withHint(usage("no help for that"), "sp --help lists the commands")
	}
	f := failure{Code: "internal", exit: 1, Message: err.Error()}
	var s *signalError
	if errors.As(err, &s) {
		f.Code, f.exit = "interrupted", 128+int(s.Signal)
	}
	for _, row := range exits {
		if f.exit == 1 && errors.Is(err, row.err) {
			f.Code, f.exit, f.Hint = row.code, row.exit, row.hint
			if row.code == "usage" || row.err == errFile || row.err == exporter.ErrRefused { // the word is for programs; people see it
				f.Message = strings.TrimSuffix(f.Message, ": "+row.err.Error())
			}
		}
	}
	var errno unix.Errno
	if f.exit == 1 && errors.As(err, &errno) { // the system says no: trouble with a file, not a bug
		f.Code, f.exit = "store", 6
	}
	if errors.As(err, new(*exporter.RepeatedError)) {
		f.Hint = "sp import --duplicates first takes the first of them"
	}
	if hint := serverHint(err); hint != "" {
		f.Hint = hint
	}
	var h *hinted
	if errors.As(err, &h) {
		f.Hint = h.hint
	}
	return f
}

// explained puts what SQLite said in words of ours, after a look at the registry at path. What
// that means for the change stays, and so does advice.
func explained(path string, err error) error {
	plain := db.Diagnose(path, err)
	for _, meaning := range []error{registry.ErrIncomplete, registry.ErrUnknown, provision.ErrUnknown} {
		if errors.Is(err, meaning) && !errors.Is(plain, meaning) {
			plain = fmt.Errorf("%w: %w", meaning, plain)
		}
	}
	if told, kept := (*hinted)(nil), (*hinted)(nil); errors.As(err, &told) && !errors.As(plain, &kept) {
		plain = &hinted{error: plain, hint: told.hint}
	}
	return plain
}

// fail reports an error and returns the exit code.
func (a *app) fail(err error) int {
	if a.json && isAnswered(err) {
		return failureOf(err).exit
	}
	f := failureOf(explained(a.registry, a.adviseMain(err)))
	if a.json {
		text, _ := marshal(map[string]failure{"error": f}, "") // strings always marshal
		_, _ = fmt.Fprintln(a.stdout, text)                    // nothing is left to report to
		return f.exit
	}
	a.note("%s", f.Message)
	for _, line := range strings.Split(f.Hint, "\n") {
		if line != "" {
			a.note("hint: %s", line)
		}
	}
	return f.exit
}

// isAnswered tells of an error that stands in the answer.
func isAnswered(err error) bool { return errors.Is(err, errUnwell) || errors.Is(err, errUnreached) }

func isIncomplete(err error) bool { return errors.Is(err, registry.ErrIncomplete) }

// isUnknown tells whether nobody knows what became of a change.
func isUnknown(err error) bool {
	return errors.Is(err, registry.ErrUnknown) || errors.Is(err, provision.ErrUnknown)
}

// made tells whether a change was made, even if not all that follows it was done.
func made(err error) bool { return err == nil || isIncomplete(err) }

// unprinted is what it means that the answer can't be written: after a change, the
// change must be reported all the same.
func (a *app) unprinted(err error) error {
	if a.done.Made {
		return withHint(fmt.Errorf("%w: the answer could not be written: %w", registry.ErrIncomplete, err), "do not repeat the command; look first")
	}
	return fmt.Errorf("%w: %w", errUnprinted, err)
}
