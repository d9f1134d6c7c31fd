package task

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
)

// saidBySQLite is an error of SQLite: a lock that the system refuses.
type saidBySQLite struct{}

func (saidBySQLite) Error() string { return "disk I/O error" }
func (saidBySQLite) Code() int     { return 3850 }

func TestErrorsOfSQLiteHideNeitherTheOutcomeNorTheHint(t *testing.T) {
	t.Parallel()
	program := &cli.Program{Faults: Faults}
	failureOf := func(err error) cli.Failure { return program.FailureOf(explained("", err)) }
	require.Equal(t, 6, failureOf(saidBySQLite{}).Exit)
	for _, meaning := range []error{registry.ErrIncomplete, registry.ErrUnknown} {
		f := failureOf(errors.Join(fmt.Errorf("%w: %w", meaning, saidBySQLite{}), nil))
		require.Equal(t, 8, f.Exit)
		require.Contains(t, f.Message, meaning.Error())
		require.Contains(t, f.Message, "SQLite 3850")
	}
	f := failureOf(cli.Hint(fmt.Errorf("database d: %w", saidBySQLite{}), "say it again"))
	require.Equal(t, 6, f.Exit)
	require.Equal(t, "say it again", *f.Hint)
	require.Equal(t, "look first", *failureOf(cli.Hint(Afterwards(saidBySQLite{}), "look first")).Hint)
}
