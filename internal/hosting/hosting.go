// Package hosting manages the life of a tenant's database (create, resume, check, rotate, retire,
// drop) and of the servers on which databases are. It never asks or prints. It returns what it did
// and what to warn about, even together with an error.
//
// A server can't be part of a transaction, so every operation is a series of steps that can be
// repeated. What is about to be made is recorded before it is made. The registry is changed by
// short calls of Change. Everything slow happens between these calls, and then looks again at what
// may have changed meanwhile. Whoever resumes after a crash looks at what is there.
package hosting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// Errors that a caller can act on. They are wrapped with the name of the tenant or server.
var (
	// ErrNoServer is returned if there is no server on which to make a database.
	ErrNoServer = errors.New("no PostgreSQL server to make a database on")
	// ErrWithheld is returned for a server that sp knows and does not use until the user names it.
	ErrWithheld = errors.New("not used")
	// ErrOtherData is returned for data that do not seem to be those that sp made.
	ErrOtherData = errors.New("not started")
	// ErrLost is returned if data with recorded databases are gone.
	ErrLost = errors.New("its data are gone")
	// ErrNoRoom is returned for a server whose disk is full.
	ErrNoRoom = errors.New("too little for PostgreSQL, which ends on a full disk and does not start again")
	// ErrNotOwn is returned for what sp does only with a server that it runs itself.
	ErrNotOwn = errors.New("somebody else runs it")
	// ErrStopped is returned for a login to a server of sp's that is not running.
	ErrStopped = errors.New("does not run")
	// ErrStarting is returned for a server of sp's that takes nobody yet.
	ErrStarting = errors.New("it still starts, or recovers what a crash left")
	// ErrDrifted is returned if a tenant's URL does not lead to the database that was made for it.
	ErrDrifted = errors.New("its URL does not lead to its database")
	// ErrSharedAdmin is returned for a rotation of the role with which sp itself makes databases.
	// The registry's password for the server would no longer be right.
	ErrSharedAdmin = errors.New("its role is an administrator's")
	// ErrBothRefused is returned if neither the recorded password nor that of a stopped rotation
	// opens a database. Both stay recorded.
	ErrBothRefused = errors.New("both passwords are refused")
	// ErrUnsettled is returned by a rotation that leaves two passwords recorded. The next rotation
	// finds out which one is right.
	ErrUnsettled = errors.New("two passwords are recorded")
	// ErrNextHolds is returned if a database opens to the password of a stopped rotation.
	ErrNextHolds = errors.New("its server takes the password of a rotation that was stopped")
	// ErrUnended is returned if the old login of a database could not be ended. It stays due.
	ErrUnended = errors.New("its old login is not ended")
	// ErrPartlyGone is returned by Keep if not all of a database is there any more.
	ErrPartlyGone = errors.New("its database is being dropped, and not all of it is there any more")
	// ErrSetBack is returned by a rotation that gave the role its old password back.
	ErrSetBack = errors.New("the new password does not open the database, and the old one is set back")
)

// Machine is what hosting may use of the outside world: the registry of one project, and the
// machine on which its servers run.
type Machine struct {
	// Read runs fn on one instant of the registry, and Change runs it in one change. The change was
	// made if Change returns nil or registry.ErrIncomplete. With registry.ErrUnknown it may have
	// been made. With any other error it was not.
	Read   func(context.Context, func(*registry.View) error) error
	Change func(context.Context, func(*registry.Registry) error) error

	Now    func() time.Time
	Random io.Reader
	// Progress is called with what is being done.
	Progress func(step string)
	// Say is called with what a step waits for, or is about to do, that the user has to know of; nil says nothing.
	Say func(what string)
	// Offline is the error if connections are not allowed; nil if they are.
	Offline error

	// Listen is the directory in which the server that is started has a socket from now on, "" for none; nil
	// leaves that as it is.
	Listen *string

	Directory string   // the .systemprompt directory, by which its servers are known again
	Env       []string // of the programs that are started
	Docker    string   // the path of docker, "" where there is none
	// Programs returns PostgreSQL's programs for the cluster in a directory, or for a new one if
	// that is "".
	Programs func(cluster string) (postgres.Programs, error)
	// Data returns the directory for the data of all servers of this user. MakeData makes it.
	Data, MakeData func() (string, error)
}

// How long is waited for a server: to answer, to do what it is asked, to drop a database, to start, and to
// come as an image first. Another tenant may have granted the one that goes as many rights as fit on the disk.
const (
	answerWithin = 5 * time.Second
	workWithin   = time.Minute
	dropWithin   = 10 * time.Minute
	startWithin  = time.Minute
	// How long a free connection is waited for.
	crowdedWithin = 10 * time.Second
	fetchWithin   = 10 * time.Minute
)

// ServerError is an error of a server. The hint depends on which server it is.
type ServerError struct {
	Server registry.Server
	Err    error
}

// Error returns the error without the server's name, which the caller may add.
func (e *ServerError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *ServerError) Unwrap() error { return e.Err }

// marked is an error that is one of the sentinels too, without its words.
type marked struct {
	error
	as error
}

func (e marked) Unwrap() []error { return []error{e.error, e.as} }

// Warnings are problems that were found and did not stop the operation.
type Warnings struct {
	// Pooled names a server behind a connection pooler, which must look up new logins at the
	// server.
	Pooled string
	// Unended are databases whose old login is due to end and could not be ended. It stays due.
	Unended []Unended
	// Ended are databases of which a login ended that had sessions.
	Ended []Ended
	// Sharers are other tenants whose URL uses the login that was ended, or may use it.
	Sharers []registry.Tenant
}

// Unended is a database whose old login could not be ended.
type Unended struct {
	Database registry.Database
	Err      error
}

// Ended is a database of which a login ended, and whose sessions ended with it.
type Ended struct {
	Database registry.Database
	Uses     provision.Uses
}

// made tells whether a change was made, even if not all that follows it was done: the next
// step makes up for that.
func made(err error) bool { return err == nil || errors.Is(err, registry.ErrIncomplete) }

// afterwards is what it means that something failed behind a change.
func afterwards(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}

// publish has the files that follow the registry written, to which a killed command had not come.
func (m *Machine) publish(ctx context.Context) error {
	return m.Change(ctx, func(*registry.Registry) error { return nil })
}

func (m *Machine) say(what string) {
	if m.Say != nil {
		m.Say(what)
	}
}
