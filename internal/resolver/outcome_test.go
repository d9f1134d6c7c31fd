package resolver_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// kinds are the sentinels that decide the exit code, with their code words.
var kinds = []struct {
	word string
	err  error
}{
	{"usage", resolver.ErrUsage},
	{"invalid", registry.ErrInvalid},
	{"not_found", registry.ErrNotFound},
	{"conflict", registry.ErrConflict},
	{"no_profile", registry.ErrNoProfile},
	{"no_tenant", registry.ErrNoTenant},
	{"no_url", registry.ErrNoURL},
}

// kindOf returns the code word of an error, which has to be of one kind only: the
// command line takes the first that fits.
func kindOf(t require.TestingT, err error) string {
	var words []string
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			words = append(words, k.word)
		}
	}
	require.Len(t, words, 1, "%v is of one kind", err)
	return words[0]
}

// outcome writes a result as one line: `flag a1 of tenant-a`, `not_found
// --profile`, or `no_tenant` alone where no source is to blame.
func outcome(t require.TestingT, c resolver.Connection, err error) string {
	requireNoSecret(t, fmt.Sprintf("%v %+v %#v", c, c, c))
	if err == nil {
		name := "-"
		if c.Profile != nil {
			name = c.Profile.Name
			require.Equal(t, c.Tenant.ID, c.Profile.Tenant)
		}
		return fmt.Sprintf("%s %s of %s", c.Source, name, c.Tenant.ID)
	}
	requireNoSecret(t, err.Error())
	require.Zero(t, c.Source)
	require.Nil(t, c.Profile)
	text := kindOf(t, err)
	if nothing, ok := errors.AsType[*resolver.NothingError](err); ok {
		require.LessOrEqual(t, len(nothing.Candidates), 10)
		return text
	}
	for _, place := range []string{"--profile", "SYSTEMPROMPT_PROFILE", "the session", "the default", "--tenant", "--network"} {
		if strings.Contains(err.Error(), place) {
			return text + " " + place
		}
	}
	return text
}

func requireNoSecret(t require.TestingT, text string) {
	require.NotContains(t, text, canary)
	require.NotContains(t, text, "postgres://")
}

// resolve returns the outcome of Resolve, after asserting that Explain agrees.
func resolve(t require.TestingT, r resolver.Reader, req resolver.Request) string {
	c, err := resolver.Resolve(ctx, r, req)
	e, failed := resolver.Explain(ctx, r, req)
	require.NoError(t, failed)
	requireAgreement(t, e, c, err)
	return outcome(t, c, err)
}

// requireAgreement asserts that an explanation explains this very result, and
// that it is whole: every source in order, at most one that decided, none before
// it that names anything.
func requireAgreement(t require.TestingT, e resolver.Explanation, c resolver.Connection, err error) {
	if err == nil {
		require.NoError(t, e.Err)
		require.NotNil(t, e.Connection)
		require.Equal(t, c.Source, e.Connection.Source)
		require.Equal(t, c.Profile, e.Connection.Profile)
		require.True(t, c.Tenant.Equal(e.Connection.Tenant))
		require.True(t, c.URL.Equal(e.Connection.URL))
	} else {
		require.Nil(t, e.Connection)
		require.EqualError(t, e.Err, err.Error())
		require.Equal(t, kindOf(t, err), kindOf(t, e.Err))
	}
	order := []resolver.Source{resolver.FromFlag, resolver.FromEnvironment, resolver.FromSession, resolver.FromDefault}
	if len(e.Sources) == 5 {
		order = slices.Insert(order, 0, resolver.FromTenant)
	}
	require.Len(t, e.Sources, len(order))
	decided := resolver.Source("")
	for i, f := range e.Sources {
		require.Equal(t, order[i], f.Source)
		require.NotEmpty(t, f.Why)
		require.NotEmpty(t, f.Reason)
		names := f.Tenant != nil || f.Err != nil
		require.Equal(t, names && decided == "", f.Decided)
		require.Equal(t, names && !f.Decided, strings.HasPrefix(f.Why, "a stronger source decided; "))
		require.Equal(t, names && !f.Decided, f.Reason == resolver.Outranked)
		if f.Decided {
			decided = f.Source
		}
	}
	if err == nil {
		require.Equal(t, c.Source, decided)
	}
	requireNoSecret(t, fmt.Sprintf("%v %+v %#v %s", e, e, e, e.Selection))
}
