package tenant

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// flagOf is the flag of a member of the record.
func flagOf(m *registry.Member) string { return strings.ReplaceAll(m.Name, "_", "-") }

// clearable are the flags of the members that an edit can take away.
func clearable() (flags []string) {
	for _, m := range registry.Members {
		if m.Optional && !m.Fixed {
			flags = append(flags, flagOf(m))
		}
	}
	return flags
}

// memberFlags are those of the members that an edit can set: the secrets apart.
func memberFlags() (plain, secrets []cli.Flag) {
	var truths []cli.Flag
	for _, m := range registry.Members {
		value, about := aboutOf(m)
		switch {
		case m.Fixed:
		case m.Truth:
			truths = append(truths, cli.Bool(flagOf(m), about))
		case m.Secret:
			secrets = append(secrets, cli.SecretFlags(flagOf(m), value, about)...)
		default:
			flag := cli.String(flagOf(m), value, about)
			flag.Empty = m.Optional // absent and empty differ
			plain = append(plain, flag)
		}
	}
	return append(plain, truths...), secrets
}

// aboutOf is how help names the value of a member, and what it says of it.
func aboutOf(m *registry.Member) (value, about string) {
	before, rest, ok := strings.Cut(m.About, "`")
	if !ok {
		return "VALUE", m.About
	}
	value, after, _ := strings.Cut(rest, "`")
	return value, before + value + after
}

// memberGiven is what the flags of a member say, nil for nothing.
func memberGiven(ctx context.Context, t *task.Task, m *registry.Member) (*secret.Secret, error) {
	name := flagOf(m)
	if m.Fixed {
		return nil, nil
	}
	if m.Secret {
		value, err := t.Secret(ctx, name)
		if value != nil {
			t.WarnOfArgument(name, *value)
			err = cmp.Or(err, checkSyncToken(m, *value))
		}
		return value, err
	}
	if !t.IsSet(name) {
		return nil, nil
	}
	value := secret.New(t.String(name))
	if m.Truth {
		value = secret.New(strconv.FormatBool(t.Bool(name)))
	}
	return &value, nil
}

// checkSyncToken refuses a personal token, which opens more than one tenant, and what can't be a token.
func checkSyncToken(m *registry.Member, value secret.Secret) error {
	if m.Name == "sync_token" && (value.Holds(secret.PersonalToken) || value.Holds(" ")) {
		return cli.Usage("--%s: a sync token has no spaces and is no personal token: sp_sync_…", flagOf(m))
	}
	return nil
}

// checkCleared refuses what can't be taken away, or is set as well.
func checkCleared(t *task.Task, cleared []string) error {
	can := clearable()
	for _, name := range cleared {
		if !slices.Contains(can, name) {
			return cli.Usage("--clear: one of %s", strings.Join(can, ", "))
		}
		for _, way := range []string{name, name + "-stdin", name + "-file"} {
			if t.Has(way) && t.IsSet(way) {
				return cli.Usage("%s: --%s and --clear %s: give one of them", t.Command, name, name)
			}
		}
	}
	if stdins(t) > 1 {
		return cli.Usage("only one value can be read from stdin")
	}
	return nil
}

func stdins(t *task.Task) int {
	n := 0
	for _, m := range registry.Members {
		if m.Secret && t.Bool(flagOf(m)+"-stdin") {
			n++
		}
	}
	return n
}
