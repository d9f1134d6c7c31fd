package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal unix.Signal }

func (e *SignalError) Error() string { return "ended by " + unix.SignalName(e.Signal) }

// told is in a context that ends when this process is told to end.
type told struct{}

// UntilTold runs fn with a context that ends when a signal asks this process to stop. fn then takes
// back what it began, and UntilTold returns a SignalError. Inside another UntilTold, the outer one
// decides.
func (c *Context) UntilTold(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Value(told{}) != nil {
		return fn(ctx)
	}
	ctx, stop := c.UntilSignal(context.WithValue(ctx, told{}, true))
	defer stop()
	err := fn(ctx)
	var s *SignalError
	if err != nil && !c.Made && c.program.FailureOf(err).Code != "incomplete" && errors.As(context.Cause(ctx), &s) {
		return s
	}
	return err
}

// UntilSignal returns a context that ends when a signal asks this process to stop. Only commands
// that change something use it. The others may die at any time, and waiting for signals would cost
// a third of an empty program's start.
func UntilSignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP} {
		if !signal.Ignored(s) { // as nohup and a shell's & have it
			signal.Notify(signals, s)
		}
	}
	// A change that was made must be reported even if nobody reads it any more.
	signal.Ignore(unix.SIGPIPE)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals) // a second one ends the process at once
			cancel(&SignalError{Signal: s.(unix.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
