package task

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestNobodyIsToldToRotateAPasswordThatAURLLacks: rotate-credentials would refuse.
func TestNobodyIsToldToRotateAPasswordThatAURLLacks(t *testing.T) {
	t.Parallel()
	program := &cli.Program{Faults: Faults}
	hint := func(tenant registry.Tenant) string {
		err := AdviseLogin(&hosting.LoginError{Subject: hosting.Subject{Tenant: tenant}, Err: provision.ErrDenied})
		return *program.FailureOf(err).Hint
	}
	local := func(url string) registry.Tenant {
		u := secret.New(url)
		return registry.Tenant{ID: "t1", Name: "shop", Kind: registry.Local, DatabaseURL: &u}
	}
	require.Contains(t, hint(local("postgres://u:p@h/d")), "sp tenant rotate-credentials t1")
	require.NotContains(t, hint(local("postgres://u@h/d")), "rotate")
	require.Contains(t, hint(local("postgres://u@h/d")), "sp tenant edit t1 --database-url-stdin takes a URL with the password")
	cloud := registry.Tenant{ID: "t1", Name: "shop", Kind: registry.Cloud, InternalDatabaseURL: local("postgres://u@h/d").DatabaseURL}
	require.Contains(t, hint(cloud), "sp tenant edit t1 --internal-database-url-stdin")
	require.NotContains(t, hint(cloud), "rotate")
}

// TestTheKindOfAnErrorIsNotSaidBehindItsReason: the code word tells it to programs.
func TestTheKindOfAnErrorIsNotSaidBehindItsReason(t *testing.T) {
	t.Parallel()
	program := &cli.Program{Faults: Faults}
	for _, kind := range []error{registry.ErrInvalid, registry.ErrConflict, pgurl.ErrInvalid, provision.ErrInvalid, provision.ErrUnavailable} {
		require.Equal(t, "it has a reason", program.FailureOf(fmt.Errorf("it has a reason: %w", kind)).Message)
	}
	f := program.FailureOf(cli.Of(cli.ErrConfirm, "in its own words"))
	require.Equal(t, "in its own words", f.Message)
	require.Equal(t, 2, f.Exit)
	require.Equal(t, "-y answers yes", *f.Hint)
	require.Equal(t, "profile p: not found", program.FailureOf(fmt.Errorf("profile p: %w", registry.ErrNotFound)).Message)
}

// TestWhileOfflineNoServerIsToBeStarted: it may run.
func TestWhileOfflineNoServerIsToBeStarted(t *testing.T) {
	t.Parallel()
	own := registry.Server{Name: "local", Provider: registry.LocalPrograms}
	err := AdviseLogin(&hosting.LoginError{Subject: hosting.Subject{Tenant: registry.Tenant{ID: "t1", Name: "shop", Kind: registry.Local}, Server: &own}, Err: ErrOffline})
	require.True(t, errors.Is(err, provision.ErrUnavailable))
	require.Equal(t, "unset SP_OFFLINE lets sp connect", *(&cli.Program{Faults: Faults}).FailureOf(err).Hint)
}
