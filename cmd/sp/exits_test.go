package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// saidBySQLite is an error of SQLite: a lock that the system refuses.
type saidBySQLite struct{}

func (saidBySQLite) Error() string { return "disk I/O error" }
func (saidBySQLite) Code() int     { return 3850 }

func TestWhatSQLiteSaysHidesNeitherWhatBecameOfTheChangeNorAdvice(t *testing.T) {
	t.Parallel()
	require.Equal(t, 6, failureOf(saidBySQLite{}).exit)
	for _, meaning := range []error{registry.ErrIncomplete, registry.ErrUnknown} {
		f := failureOf(errors.Join(fmt.Errorf("%w: %w", meaning, saidBySQLite{}), nil))
		require.Equal(t, 8, f.exit)
		require.Contains(t, f.Message, meaning.Error())
		require.Contains(t, f.Message, "SQLite 3850")
	}
	f := failureOf(withHint(fmt.Errorf("database d: %w", saidBySQLite{}), "say it again"))
	require.Equal(t, 6, f.exit)
	require.Equal(t, "say it again", f.Hint)
	require.Equal(t, "look first", failureOf(withHint(afterwards(saidBySQLite{}), "look first")).Hint)
}
