// Package hosting is the life of a tenant's database: create, resume, check, rotate, retire,
// drop; and of the servers on which these are. It takes inputs that are decided, asks nobody and
// prints nothing: it returns what it did and what to warn of, also beside an error.
//
// A server can't be part of a transaction, so each deed is a row of steps, and each step can be
// repeated. What is about to be made is recorded before it is made. The registry is changed by
// calls of Change, which are short; everything slow is between them, and looks again at what
// may have changed meanwhile. Whoever goes on after a crash finds out by looking.
package hosting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
)

// What a caller can do something about; wrapped with whom it concerns.
var (
	// ErrNoServer is returned where there is nowhere to make a database.
	ErrNoServer = errors.New("no PostgreSQL server to make a database on")
	// ErrWithheld is returned for a server that sp knows and does not use.
	ErrWithheld = errors.New("not used")
	// ErrOtherData is returned for data that are not those that sp made, for all it can tell.
	ErrOtherData = errors.New("not started")
	// ErrLost is returned where data are gone in which databases are recorded.
	ErrLost = errors.New("its data are gone")
	// ErrStopped is returned for a server of sp's that a login needs and that does not run.
	ErrStopped = errors.New("does not run")
	// ErrDrifted is returned where a tenant's URL leads elsewhere than to the database that was made
	// for it.
	ErrDrifted = errors.New("its URL does not lead to its database")
	// ErrSharedAdmin is returned for a role as which sp itself makes databases: the server's
	// password would be another one then than the registry's.
	ErrSharedAdmin = errors.New("its role is an administrator's")
	// ErrBothRefused is returned where neither the recorded password opens a database nor that of a
	// rotation that was stopped. Both stay recorded.
	ErrBothRefused = errors.New("both passwords are refused")
	// ErrUnsettled is returned by a rotation behind which two passwords are recorded. The next one
	// goes on with it, and finds out which one holds.
	ErrUnsettled = errors.New("two passwords are recorded")
	// ErrNextHolds is returned where a database opens to the password that was to become its
	// tenant's.
	ErrNextHolds = errors.New("its server takes the password of a rotation that was stopped")
	// ErrSetBack is returned by a rotation behind which the role has its old password again.
	ErrSetBack = errors.New("the new password does not open the database, and the old one is set back")
)

// Machine is what hosting may know of the outside: the registry of one project, and the machine
// on which its servers run.
type Machine struct {
	// Read runs fn on one instant of the registry, and Change in one change of it. It was made if
	// Change returns nil or ErrIncomplete of the registry, perhaps if that is ErrUnknown, and else
	// not.
	Read   func(context.Context, func(*registry.View) error) error
	Change func(context.Context, func(*registry.Registry) error) error

	Now    func() time.Time
	Random io.Reader
	// Progress is told what is being done.
	Progress func(step string)
	// Offline says why nothing may be connected to; nil where it may.
	Offline error

	Directory string   // the .systemprompt directory, by which its servers are known again
	Env       []string // of the programs that are started
	Docker    string   // the path of docker, "" where there is none
	// Programs returns PostgreSQL's programs for the cluster in a directory; "" is a new one.
	Programs func(cluster string) (postgres.Programs, error)
	// Data returns the directory with the data of all servers of this user, and MakeData makes it.
	Data, MakeData func() (string, error)
}

// How long is waited for a server: to answer, to do what it is asked, to start, and to
// come as an image first.
const (
	answerWithin = 5 * time.Second
	workWithin   = time.Minute
	startWithin  = time.Minute
	fetchWithin  = 10 * time.Minute
)

// ServerError is trouble with a server, on which it depends what helps.
type ServerError struct {
	Server registry.Server
	Err    error
}

// Error returns the trouble as it is: whether the server is named depends on who tells it.
func (e *ServerError) Error() string { return e.Err.Error() }

// Unwrap returns the trouble.
func (e *ServerError) Unwrap() error { return e.Err }

// marked is an error that is one of the sentinels too, without its words.
type marked struct {
	error
	as error
}

func (e marked) Unwrap() []error { return []error{e.error, e.as} }

// Warnings are what was met beside what was asked for, and stopped nothing.
type Warnings struct {
	// Pooled is the name of a server behind a connection pooler, which has to look up new
	// logins at the server.
	Pooled string
	// Unended are databases whose other login is over and could not be ended. It stays due.
	Unended []Unended
	// Sharers are other tenants whose URL shares what was ended.
	Sharers []registry.Tenant
}

// Unended is a database whose other login could not be ended.
type Unended struct {
	Database registry.Database
	Err      error
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
