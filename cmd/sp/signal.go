package main

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/cli"
)

// signalError is why a context ended: this process was told to.
type signalError = cli.SignalError

// told is in a context that ends when this process is told to end.
type told struct{}

// untilTold runs fn, which takes back what it began when its context ends, until this
// process is told to end; then that is why it failed. Within another untilTold that one decides:
// what may not be called off there is not called off here.
func (a *app) untilTold(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Value(told{}) != nil {
		return fn(ctx)
	}
	ctx, stop := a.untilSignal(context.WithValue(ctx, told{}, true))
	defer stop()
	err := fn(ctx)
	var s *signalError
	if err != nil && !a.done.Made && !isUnknown(err) && errors.As(context.Cause(ctx), &s) {
		return s
	}
	return err
}
