// Package postgres runs the PostgreSQL server of a project, of the machine's own
// programs or in Docker, on a port of 127.0.0.1 and nowhere else.
package postgres

import (
	"errors"
	"fmt"
)

// What a caller can do something about; wrapped with what it concerns.
var (
	// ErrNone is returned where a machine has no programs, or no engine answers.
	ErrNone = errors.New("not there")
	// ErrNoEngine is ErrNone where docker is there, and its engine does not answer.
	ErrNoEngine = fmt.Errorf("%w", ErrNone)
	// ErrRoot is returned where the programs would run as root, which they refuse, and there is nobody
	// else as whom they could.
	ErrRoot = errors.New("PostgreSQL does not run as root")
	// ErrTaken is returned for a port or a container that belongs to somebody else.
	ErrTaken = errors.New("taken")
	// ErrVersion is returned for data that programs of another major version made.
	ErrVersion = errors.New("of another version")
	// ErrEdited is returned for files of a container that are neither as sp writes them nor
	// those that somebody has looked at.
	ErrEdited = errors.New("not used until you have looked at it")
	// ErrInvalid is returned for a path or a port that is not allowed.
	ErrInvalid = errors.New("not allowed")
	// ErrUnended is returned where processes of a server, which was told to stop or was killed, do not end.
	ErrUnended = errors.New("it does not end, and until then no server takes connections there")
	// ErrFrozen is returned for a server of which the process was stopped by a signal.
	ErrFrozen = errors.New("it was stopped by a signal (SIGSTOP), and answers nobody until it is told to go on")
	// ErrBusy is returned where another command of sp starts the server, or ends it, for too long.
	ErrBusy = errors.New("another command of sp is at it")
	// ErrUnusable is returned for a server that can't be made or does not start.
	ErrUnusable = errors.New("the server can't be run")
)
