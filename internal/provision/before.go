package provision

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sp-registry/sp/internal/secret"
)

// beforeLogin looks at a URL before anything is sent to whoever listens there, and may refuse.
// It tells whether only SCRAM will do, by which nobody learns a password, and by which the
// server proves that it knows the password too.
type beforeLogin func(ctx context.Context, url secret.Secret) (scram bool, err error)

type beforeLoginKey struct{}

// WithBeforeLogin has each login that is made with the context looked at first. It is in the
// context so that no call can forget it.
func WithBeforeLogin(ctx context.Context, look beforeLogin) context.Context {
	return context.WithValue(ctx, beforeLoginKey{}, look)
}

// scramOnly demands SCRAM of a server that is to be met only so.
func scramOnly(ctx context.Context, doing string, url secret.Secret, config *pgconn.Config) error {
	look, ok := ctx.Value(beforeLoginKey{}).(beforeLogin)
	if !ok {
		return nil
	}
	scram, err := look(ctx, url)
	if err != nil && ctx.Err() != nil { // what was asked before took all the time
		return connectTrouble(ctx, doing, config, err)
	}
	if err != nil {
		return fmt.Errorf("%s%w", at(doing), err)
	}
	if scram {
		config.RequireAuth = "scram-sha-256"
	}
	return nil
}
