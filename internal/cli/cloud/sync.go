package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/configuration"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Sync is `sp sync`.
func Sync() *cli.Command {
	return &cli.Command{Name: "sync", Usage: "send the configuration of a cloud tenant, or fetch it", Commands: []*cli.Command{
		push.command("push", "send what was changed here to the control plane"),
		pull.command("pull", "fetch what was changed at the control plane"),
	}}
}

// direction is one of the two ways.
type direction struct {
	bring func(*configuration.Sync, context.Context) (configuration.Result, error)
	// would, did and nothing say what becomes of files, removes from where they are removed, and at where
	// that is.
	would, did, nothing, removes, at string
	// overruled says whose state replaces whose change of a file, and removed that it removes the file.
	overruled, removed string
	// ours and theirs say what the flags do.
	ours, theirs string
	// waiting says how many only the other side changed, and that back is the way for those.
	waiting string
	back    cli.Next
}

var (
	push = direction{
		bring: (*configuration.Sync).Push, would: "would send", did: "sent", nothing: "nothing to send", removes: "from the control plane", at: "at the control plane",
		overruled: "%s: what is here replaces the change at the control plane",
		removed:   "%s is removed at the control plane: it is not here",
		ours:      "send every file that differs, and remove there what is not here",
		theirs:    "if both changed a file, leave the control plane's as it is",
		waiting:   "%s changed only at the control plane; to fetch: %s", back: cli.To("sp sync pull"),
	}
	pull = direction{
		bring: (*configuration.Sync).Pull, would: "would fetch", did: "fetched", nothing: "nothing to fetch", removes: "here", at: "here",
		overruled: "%s: what is at the control plane replaces the change here",
		removed:   "%s is removed here: the control plane does not have it",
		ours:      "if both changed a file, leave the one here as it is",
		theirs:    "fetch every file that differs, and remove here what the control plane does not have",
		waiting:   "%s changed only here; to send: %s", back: cli.To("sp sync push"),
	}
)

const syncDescription = "The configuration of a cloud tenant is what lies under services/, beside\n" +
	".systemprompt, and the profile.yaml of its profiles. Without ID, it is that of\n" +
	"the tenant in effect. Secrets never travel, nor do links, hidden files and\n" +
	"node_modules, nor modes and times of files.\n\n" +
	"Each file is compared with what both sides had after the last push or pull. If\n" +
	"both changed one, nothing is done until --ours or --theirs decides."

func (d direction) command(name, usage string) *cli.Command {
	return &cli.Command{
		Name:        name,
		Usage:       usage,
		Args:        []cli.Arg{{Name: "ID", Kind: task.TenantWord, Optional: true}},
		Description: syncDescription,
		Flags: []cli.Flag{
			cli.Bool("dry-run", "show what would be done"),
			cli.Bool("ours", d.ours),
			cli.Bool("theirs", d.theirs),
			cli.Yes(),
		},
		Run: task.Run(d.run),
	}
}

func (d direction) run(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	settle, err := settledBy(t)
	if err != nil {
		return a, err
	}
	s, err := findSubject(ctx, t)
	if err != nil {
		return a, err
	}
	remote, err := s.remote(ctx, t)
	if err != nil {
		return a, err
	}
	sync := &configuration.Sync{
		Tree: s.tree, Remote: remote, Origin: s.origin, Secrets: s.secrets, DryRun: t.Bool("dry-run"), Settle: settle,
		Confirm: func(paths []string) error { return d.confirm(ctx, t, paths) },
	}
	var result configuration.Result
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		result, err = d.bring(sync, ctx)
		t.Made = result.Made
		return err
	})
	noteLeft(t, result.Left)
	if !task.Made(err) {
		return a, adviseConflict(t, err)
	}
	d.tell(t, s, result)
	return answerOf(s.tenant, sync.DryRun, result), err
}

// settledBy is whose change counts where both sides changed a file.
func settledBy(t *task.Task) (configuration.Side, error) {
	switch ours, theirs := t.Bool("ours"), t.Bool("theirs"); {
	case ours && theirs:
		return 0, cli.Usage("%s: --ours and --theirs: give one of them", t.Command)
	case ours:
		return configuration.Ours, nil
	case theirs:
		return configuration.Theirs, nil
	}
	return configuration.Neither, nil
}

// subject is the tenant whose configuration is brought somewhere.
type subject struct {
	tenant registry.Tenant
	tree   configuration.Tree
	// secrets are those of the tenant and its profiles.
	secrets []configuration.Secret
	origin  string // the URL of its control plane, empty where no sync has told
}

func findSubject(ctx context.Context, t *task.Task) (s subject, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		if s.tenant, err = t.Tenant(ctx, dir, view, t.Arg(0)); err != nil {
			return err
		}
		if err := check(t, s.tenant); err != nil {
			return err
		}
		origin, err := view.CloudOrigin(ctx, s.tenant.ID)
		if err != nil {
			return err
		}
		if origin != nil {
			s.origin = *origin
		}
		s.tree = configuration.Tree{Dir: dir, Tenant: s.tenant.ID, Profiles: map[string]registry.TenantID{}}
		for p, err := range view.Profiles(ctx, nil, registry.Page{}) {
			if err != nil {
				return err
			}
			s.tree.Profiles[p.Name] = p.Tenant
		}
		s.secrets, err = secretsOf(ctx, view, s.tenant)
		return err
	})
	if err == nil {
		err = s.addLogin(ctx, t)
	}
	return s, err
}

// addLogin adds what the login is, which lies beside the project's files.
func (s *subject) addLogin(ctx context.Context, t *task.Task) error {
	token, err := t.EnvToken()
	if token != nil {
		s.secrets = append(s.secrets, configuration.Secret{Name: "SP_TOKEN", Value: *token})
	}
	_, l, unread := t.ReadLogin(ctx)
	if unread != nil || l == nil { // who can't log in may push all the same
		return err
	}
	for _, one := range []*secret.Secret{&l.Token, l.Refresh} {
		if one != nil {
			s.secrets = append(s.secrets, configuration.Secret{Name: "a token of your login", Value: *one})
		}
	}
	return err
}

// secretsOf are the secrets of a tenant and its profiles.
func secretsOf(ctx context.Context, view *registry.View, tenant registry.Tenant) ([]configuration.Secret, error) {
	found := []configuration.Secret{{Name: "the sync token of the tenant", Value: *tenant.SyncToken}}
	for _, url := range []*secret.Secret{tenant.InternalDatabaseURL, tenant.DatabaseURL} {
		if url == nil || pgurl.IsMasked(*url) {
			continue
		}
		if password, err := pgurl.PasswordOf(*url); err == nil { // else it leads nowhere
			found = append(found, configuration.Secret{Name: "the password of the tenant's database", Value: password})
		}
	}
	for p, err := range view.Profiles(ctx, &tenant.ID, registry.Page{}) {
		if err != nil {
			return nil, err
		}
		all, err := view.ProfileSecrets(ctx, p.Name)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			found = append(found, configuration.Secret{Name: "the secret " + one.Key + " of profile " + p.Name, Value: one.Value})
		}
	}
	return found, nil
}

// check refuses a tenant whose files nobody keeps, and one whose sync token is missing.
func check(t *task.Task, tenant registry.Tenant) error {
	if !tenant.IsCloud() {
		return cli.Hint(fmt.Errorf("%s: tenant %s is local: %w", t.Command, tenant, task.ErrNotCloud), "%s lists the cloud tenants", cli.To("sp tenant list"))
	}
	if tenant.SyncToken == nil || tenant.SyncToken.Empty() {
		return cli.HintAt(fmt.Errorf("%s: %w for cloud tenant %s", t.Command, task.ErrNoSyncToken, tenant.ID), task.TokenHint(tenant.ID))
	}
	return nil
}

// confirm asks before files are removed.
func (d direction) confirm(ctx context.Context, t *task.Task, paths []string) error {
	if !t.Bool("yes") {
		lines := make([]string, len(paths))
		for i, path := range paths {
			lines[i] = "remove " + path
		}
		t.NoteLines(lines)
	}
	return t.Confirm(ctx, fmt.Sprintf("%s: remove %s %s?", t.Command, counted(len(paths)), d.removes))
}

func counted(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

func noteLeft(t *task.Task, left []configuration.Left) {
	lines := make([]string, len(left))
	for i, l := range left {
		lines[i] = fmt.Sprintf("%s stays as it is on both sides: %s", l.Path, l.Why)
	}
	t.NoteLines(lines)
}

// adviseConflict says how a conflict is settled.
func adviseConflict(t *task.Task, err error) error {
	args := []string{}
	if word := t.Arg(0); word != nil {
		args = append(args, *word)
	}
	var conflict *configuration.ConflictError
	if errors.As(err, &conflict) {
		return cli.Hint(err, "%s makes the files at the control plane as they are here, %s makes those here as they are there; both also remove files; --dry-run shows which",
			cli.To("sp sync push", append(args, "--ours")...), cli.To("sp sync pull", append(args, "--theirs")...))
	}
	return err
}

// tell says what was done, and what comes next.
func (d direction) tell(t *task.Task, s subject, r configuration.Result) {
	t.Note("tenant %s: %s", s.tenant, d.summary(r.Changes, t.Bool("dry-run")))
	lines := make([]string, len(r.Overruled))
	for i, path := range r.Overruled {
		lines[i] = fmt.Sprintf(d.overruled, path)
		if slices.Contains(r.Changes, configuration.Change{Path: path, Action: configuration.Remove}) {
			lines[i] = fmt.Sprintf(d.removed, path)
		}
	}
	t.NoteLines(lines)
	if n := len(r.Waiting); n > 0 {
		t.Note(d.waiting, counted(n), d.back)
	}
	for _, c := range r.Changes {
		name, profile := archive.ProfileOf(c.Path)
		if _, known := s.tree.Profiles[name]; profile && !known && c.Action == configuration.Add && r.Made {
			t.Note("profile %s is not in the registry yet; %s takes it over", name, cli.To("sp profile create", name, "--tenant", string(s.tenant.ID)))
		}
	}
}

// summary counts what was or would be done.
func (d direction) summary(all []configuration.Change, dry bool) string {
	removed := 0
	for _, c := range all {
		if c.Action == configuration.Remove {
			removed++
		}
	}
	did, remove, would := d.did, "removed", ""
	if dry {
		did, remove, would = d.would, "remove", "would "
	}
	switch moved := len(all) - removed; {
	case len(all) == 0:
		return d.nothing
	case removed == 0:
		return did + " " + counted(moved)
	case moved == 0:
		return would + remove + " " + counted(removed) + " " + d.at
	default:
		return fmt.Sprintf("%s %s, %s %d", did, counted(moved), remove, removed)
	}
}

// outcome is what was done, in JSON.
type outcome struct {
	Tenant  task.TenantRef `json:"tenant"`
	DryRun  bool           `json:"dry_run"`
	Changes []change       `json:"changes"`
	// Overruled are the paths where that replaces a change of the other side's.
	Overruled []string `json:"overruled"`
	Waiting   []change `json:"waiting"`
	Left      []left   `json:"left"`
}

// change is what becomes of a file, in JSON.
type change struct {
	Action configuration.Action `json:"action"`
	Path   string               `json:"path"`
}

// left is a file that stays as it is on both sides, in JSON.
type left struct {
	Path string `json:"path"`
	Why  string `json:"message"`
}

func answerOf(tenant registry.Tenant, dry bool, r configuration.Result) cli.Answer {
	o := outcome{Tenant: task.RefOf(tenant), DryRun: dry, Changes: changesOf(r.Changes), Overruled: append([]string{}, r.Overruled...), Waiting: changesOf(r.Waiting), Left: []left{}}
	rows := [][]string{}
	for _, c := range o.Changes {
		rows = append(rows, []string{string(c.Action), c.Path})
	}
	for _, l := range r.Left {
		o.Left = append(o.Left, left(l))
	}
	return cli.Answer{Value: o, Heads: []string{"ACTION", "PATH"}, Rows: cli.Rows(rows...)}
}

func changesOf(all []configuration.Change) []change {
	found := []change{}
	for _, c := range all {
		found = append(found, change{c.Action, c.Path})
	}
	return found
}
