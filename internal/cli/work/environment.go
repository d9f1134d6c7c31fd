package work

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
)

// environment is what an application needs to know of a tenant, as variables: where its database is, and the
// secrets of a profile.
type environment struct {
	resolver.Connection // its profile is nil where none of the tenant is in effect
	set                 map[string]secret.Secret
	removed             []string // would lead to another database, or another tenant
	left                []leftSecret
}

// The variables that are not libpq's.
const (
	urlVariable     = "DATABASE_URL"
	profileVariable = "SYSTEMPROMPT_PROFILE"
	dirVariable     = "SP_DIR"
)

// only returns the flag --only.
func only() cli.Flag {
	return cli.Strings("only", "KEY", "of the variables that sp adds, only KEY (repeatable)")
}

// checkOnly refuses what is no name before anything is looked at. It may be a secret, and is not repeated.
func checkOnly(t *task.Task) error {
	for _, key := range t.Strings("only") {
		if !isVariable(strings.ToUpper(key)) {
			return cli.Usage("%s: --only takes the name of a variable, such as %s", t.Command, urlVariable)
		}
	}
	return nil
}

// environmentOf returns the environment for the tenant or profile that a word means, or the profile in effect.
func environmentOf(ctx context.Context, t *task.Task, words []string) (e environment, err error) {
	if err := checkOnly(t); err != nil {
		return e, err
	}
	var secrets []registry.ProfileSecret
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		if e.Connection, err = named(ctx, t, dir, view, words); err != nil {
			return err
		}
		if err := e.findProfile(ctx, t, view); err != nil {
			return err
		}
		if e.Profile != nil {
			if secrets, err = view.ProfileSecrets(ctx, e.Profile.Name); err != nil {
				return err
			}
		}
		servers, err := view.Servers(ctx)
		if err != nil {
			return err
		}
		isOwn := slices.ContainsFunc(servers, func(s registry.Server) bool { return s.Serves(e.URL) })
		return e.connect(t, dir, isOwn)
	})
	if err != nil {
		return e, err
	}
	clashes := e.add(secrets)
	if err := e.limit(t, t.Strings("only")); err != nil {
		return e, err
	}
	return e, e.check(clashes)
}

// asSelected is a registry in which another tenant is selected.
type asSelected struct {
	*registry.View
	tenant registry.TenantID
}

// SelectedTenant returns that tenant.
func (v asSelected) SelectedTenant(context.Context) (*registry.TenantID, error) {
	return &v.tenant, nil
}

// ActiveSession returns its session.
func (v asSelected) ActiveSession(ctx context.Context) (*registry.Session, error) {
	return v.Session(ctx, v.tenant)
}

// findProfile takes, for a tenant that was named without one, the profile that would be in effect if that
// tenant were selected.
func (e *environment) findProfile(ctx context.Context, t *task.Task, view *registry.View) error {
	if e.Profile != nil {
		return nil
	}
	f, err := resolver.InEffect(ctx, asSelected{view, e.Tenant.ID}, resolver.Request{})
	var nothing *resolver.NothingError
	if errors.As(err, &nothing) {
		if len(nothing.Candidates) > 0 && !t.IsSet("only") {
			t.NoteLater("none of the profiles of tenant %s is in effect, so it has no secrets: %s", e.Tenant, cli.Some(nothing.Candidates))
		}
		return nil
	}
	e.Profile = f.Profile
	return task.AdviseResolving(err)
}

// connect adds what leads to the database, and sp itself to the same profile.
func (e *environment) connect(t *task.Task, dir project.Dir, isOwn bool) error {
	u, err := pgurl.Usable(e.URL)
	if err != nil {
		return fmt.Errorf("tenant %s: %w", e.Tenant, err)
	}
	e.removed = slices.Concat(task.Directing, []string{urlVariable, profileVariable})
	e.set = u.Variables()
	e.set[urlVariable] = e.URL
	if isOwn {
		e.removed = append(e.removed, task.DemandsSCRAM)
		e.set[task.DemandsSCRAM] = secret.New(task.SCRAM)
	}
	if e.Profile != nil {
		e.set[profileVariable] = secret.New(e.Profile.Name)
	}
	if t.IsSet("dir") || t.Env(dirVariable) != nil {
		e.set[dirVariable] = secret.New(dir.Path())
	}
	return nil
}

// leftSecret is a secret that is given to no program, in JSON.
type leftSecret struct {
	Name    string     `json:"name"`
	Reason  leftReason `json:"reason"`
	Message string     `json:"message"`

	variable string
}

// leftReason is why a secret is left out.
type leftReason string

// The reasons.
const (
	leftName     leftReason = "name"
	leftReserved leftReason = "reserved"
)

// add adds secrets. It returns those variables that two different secrets would be.
func (e *environment) add(secrets []registry.ProfileSecret) (clashes map[string][]string) {
	from := map[string]string{}
	clashes = map[string][]string{}
	for _, s := range secrets {
		name := variableOf(s.Key)
		before, taken := from[name]
		switch {
		case !isVariable(name):
			e.leave(s.Key, name, leftName, "its name can't be that of a variable")
		case isReserved(name):
			e.leave(s.Key, name, leftReserved, "a secret does not set "+name)
		case taken && !e.set[name].Equal(s.Value):
			clashes[name] = []string{before, s.Key}
		default:
			from[name], e.set[name] = s.Key, s.Value
		}
	}
	return clashes
}

func (e *environment) leave(key, variable string, reason leftReason, why string) {
	text := fmt.Sprintf("secret %s of profile %s is left out: %s", cli.Harmless(key), e.Profile.Name, why)
	e.left = append(e.left, leftSecret{Name: key, Reason: reason, Message: text, variable: variable})
}

// limit leaves of what is added only what --only asks for. Without it, what is left out is said.
func (e *environment) limit(t *task.Task, only []string) error {
	if len(only) == 0 {
		for _, s := range e.left {
			t.Note("%s", s.Message)
		}
		return nil
	}
	names := slices.Sorted(maps.Keys(e.set))
	for _, key := range only {
		if !slices.Contains(names, key) {
			return e.unknown(key, names)
		}
	}
	maps.DeleteFunc(e.set, func(name string, _ secret.Secret) bool { return !slices.Contains(only, name) })
	return nil
}

// unknown refuses a key of --only.
func (e *environment) unknown(key string, names []string) error {
	for _, s := range e.left {
		if s.variable == key || s.Name == key {
			return cli.Of(registry.ErrNotFound, "--only %s: %s", cli.Harmless(key), s.Message)
		}
	}
	err := cli.Of(registry.ErrNotFound, "--only %s: sp adds no such variable", cli.Harmless(key))
	if name := variableOf(key); slices.Contains(names, name) {
		return cli.WithCandidates(cli.Hint(err, "did you mean %s?", name), name)
	}
	return cli.DidYouMean(err, key, names, cli.To("sp env"))
}

// check refuses what is not one value, or none that a variable can have.
func (e *environment) check(clashes map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(e.set)) {
		if keys := clashes[name]; keys != nil {
			return cli.Hint(fmt.Errorf("secrets %s and %s of profile %s would both be %s: %w", cli.Harmless(keys[0]), cli.Harmless(keys[1]), e.Profile.Name, name, registry.ErrAmbiguous),
				"%s, or the other", cli.To("sp secrets unset", keys[1], "--profile", e.Profile.Name))
		}
		if e.set[name].Holds("\x00") {
			return fmt.Errorf("%s: it holds a NUL, which no variable can: %w", name, registry.ErrInvalid)
		}
	}
	return nil
}

// variables are the variables to set, in order of their names.
func (e *environment) variables() []variable {
	all := []variable{}
	for _, name := range slices.Sorted(maps.Keys(e.set)) {
		all = append(all, variable{name, e.set[name].Reveal()})
	}
	return all
}

// variable is a variable of an environment, in JSON.
type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// unset are the variables that are removed and not set, in order of their names.
func (e *environment) unset() []string {
	removed := slices.Clone(e.removed)
	slices.Sort(removed)
	return slices.DeleteFunc(removed, func(name string) bool {
		_, set := e.set[name]
		return set
	})
}

// variableOf is the variable for a secret: its name in capitals, with _ for - and a dot. The keys that the
// documents name have those under which programs look for them.
func variableOf(key string) string {
	switch key {
	case "anthropic", "gemini", "openai":
		key += "_api_key"
	case "github":
		key += "_token"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == '-', r == '.':
			return '_'
		}
		return r
	}, key)
}

// isVariable tells whether every shell takes a name for that of a variable.
func isVariable(name string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	return name != "" && strings.Trim(name, letters+"0123456789") == "" && strings.ContainsRune(letters, rune(name[0]))
}
