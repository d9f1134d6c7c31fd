package task

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Version is what CHANGELOG.md has at its top.
const Version = "0.1.0"

// Account is the login in effect: that of credentials.json, or the token of SP_TOKEN.
type Account struct {
	Client *cloud.Client
	// Login is nil for SP_TOKEN.
	Login *cloud.Login
	// File is where the login is kept, if it is.
	File cloud.LoginFile
}

// Cloud returns the client of the login in effect, and the URL of its control plane, which names the
// origin of what comes from there. Without a login the error is cloud.ErrNotLoggedIn.
func (t *Task) Cloud(ctx context.Context) (*cloud.Client, string, error) {
	a, err := t.Account(ctx)
	if err != nil {
		return nil, "", err
	}
	return a.Client, a.Client.Base, nil
}

// Account returns the login in effect. SP_TOKEN, with SP_CLOUD_URL, outranks credentials.json.
func (t *Task) Account(ctx context.Context) (Account, error) {
	token, err := t.EnvToken()
	if err != nil {
		return Account{}, err
	}
	var dir project.Dir
	if token == nil { // without a login nothing else has to be right
		if dir, err = t.loginDir(ctx); err == nil && !dir.Has(cloud.LoginName) {
			err = cloud.ErrNotLoggedIn
		}
	}
	if err != nil {
		return Account{}, err
	}
	options, err := t.cloudOptions()
	if err != nil {
		return Account{}, err
	}
	if token != nil {
		options.Base, options.Tokens = t.cloudURL(), cloud.Fixed{Secret: *token}
		client, err := t.newClient(options)
		return Account{Client: client}, err
	}
	file := cloud.LoginFile{Dir: dir.Path()}
	client, login, err := t.openLogin(dir, file, options)
	if err != nil {
		return Account{}, err
	}
	t.plane = client.Base
	return Account{client, &login, file}, t.checkOrigin(client)
}

// openLogin opens a login that is this user's own.
func (t *Task) openLogin(dir project.Dir, file cloud.LoginFile, options cloud.Options) (*cloud.Client, cloud.Login, error) {
	for {
		client, login, err := cloud.Open(file, options)
		if err != nil {
			return nil, login, t.adviseLogin(dir, file, err)
		}
		strange := t.checkOwnLogin(dir, login)
		if strange == nil || !isRenewed(file, login) {
			return client, login, strange
		}
	}
}

// isRenewed tells whether another command has renewed a login meanwhile: its receipt went with it, and the
// login has to be read again.
func isRenewed(file cloud.LoginFile, l cloud.Login) bool {
	now, err := file.Read()
	return err == nil && now != nil && !now.Token.Equal(l.Token)
}

// ErrUnstored is returned where a control plane did what it was asked, and nothing of it could be stored.
var ErrUnstored = errors.New("the control plane has done it, and its answer could not be stored here")

// ErrStrangePlane is returned for a tenant of which nobody knows the control plane, if the one of the
// login has none of that id.
var ErrStrangePlane = fmt.Errorf("and nothing here says where it is from: %w", cloud.ErrNotFound)

// CheckIsThere asks a control plane whether it has a tenant.
func CheckIsThere(ctx context.Context, c *cloud.Client, tenant registry.Tenant) error {
	_, err := c.Tenant(ctx, string(tenant.ID))
	if errors.Is(err, cloud.ErrNotFound) {
		return cli.Hint(fmt.Errorf("tenant %s: %s does not have it, %w", tenant, c.Host(), ErrStrangePlane), "%s at the control plane that has it", cli.To("sp login", "URL"))
	}
	return err
}

// checkOrigin refuses a login at another control plane than SP_CLOUD_URL names.
func (t *Task) checkOrigin(c *cloud.Client) error {
	named := t.cloudURL()
	if named == "" {
		return nil
	}
	base, err := cloud.CheckURL(named)
	if err != nil {
		return fmt.Errorf("SP_CLOUD_URL: %w", err)
	}
	if base != c.Base {
		return cli.Hint(fmt.Errorf("SP_CLOUD_URL names %s, and you are logged in to %s: %w", base, c.Base, cloud.ErrNotLoggedIn),
			"%s logs in to that one; without SP_CLOUD_URL the login counts", cli.To("sp login", base))
	}
	return nil
}

// EnvToken returns the token of SP_TOKEN, nil if there is none. It is good for the control plane of
// SP_CLOUD_URL and for no other.
func (t *Task) EnvToken() (*secret.Secret, error) {
	value := t.Env("SP_TOKEN")
	if value == nil || *value == "" {
		return nil, nil
	}
	if t.cloudURL() == "" {
		return nil, cli.Usage("SP_TOKEN is set, and SP_CLOUD_URL does not say for which control plane")
	}
	return secret.Optional(value), nil
}

func (t *Task) cloudURL() string {
	if value := t.Env("SP_CLOUD_URL"); value != nil {
		return *value
	}
	return ""
}

// CloudAt returns a client of the control plane with a URL, without a login. No URL is that of
// SP_CLOUD_URL, or else that of a login that is there.
func (t *Task) CloudAt(named string, login *cloud.Login) (*cloud.Client, error) {
	options, err := t.cloudOptions()
	if err != nil {
		return nil, err
	}
	what := t.Command
	if named == "" {
		what, named = "SP_CLOUD_URL", t.cloudURL()
	}
	if named == "" && login != nil {
		what, named = cloud.LoginName, login.URL
	}
	if named == "" {
		return nil, cli.Hint(cli.Usage("%s: no URL is given, neither by SP_CLOUD_URL nor by %s", t.Command, cloud.LoginName),
			"%s, or set SP_CLOUD_URL", t.ToLogin())
	}
	options.Base = named
	client, err := t.newClient(options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return client, nil
}

func (t *Task) newClient(options cloud.Options) (*cloud.Client, error) {
	client, err := cloud.New(options)
	if err == nil {
		t.plane = client.Base
	}
	return client, err
}

// ToLogin is the command that logs in where this one needs it: at the control plane that was asked, or
// that SP_CLOUD_URL names. Where neither is known, somebody has to say which.
func (t *Task) ToLogin() cli.Next {
	if t.plane != "" {
		return cli.To("sp login", t.plane)
	}
	if base, err := cloud.CheckURL(t.cloudURL()); err == nil {
		return cli.To("sp login", base)
	}
	return cli.To("sp login", "URL")
}

// adviseAccount says how to log in where that is missing, or was refused.
func (t *Task) adviseAccount(err error) error {
	switch token, _ := t.EnvToken(); {
	case errors.Is(err, cloud.ErrNotLoggedIn):
		return cli.Hint(err, "%s logs in; in CI set SP_TOKEN and SP_CLOUD_URL", t.ToLogin())
	case token != nil:
		return cli.Hint(err, "SP_TOKEN has to be another token; without it, %s logs in", t.ToLogin())
	}
	return cli.Hint(err, "%s logs in again", t.ToLogin())
}

// advisePlane says what helps where the control plane refuses something, or does not answer.
func (t *Task) advisePlane(err error) error {
	var told *cloud.Error
	switch isTold, logsIn := errors.As(err, &told), t.Command == "login"; {
	case t.Offline() != nil:
		return cli.HintAt(err, offlineHint())
	case errors.Is(err, cloud.ErrDenied) && logsIn:
		return cli.Hint(err, "%s begins again", t.ToLogin())
	case isTold && errors.Is(err, cloud.ErrDenied):
		return cli.Hint(err, "your role or your token does not allow it: ask whoever runs the control plane; %s shows your account", cli.To("sp whoami"))
	case isTold && told.Status == http.StatusTooManyRequests:
		return cli.Hint(err, "it takes only so many requests in a while: try again later")
	case isTold:
		return cli.Hint(err, "try again; if it lasts, tell whoever runs the control plane")
	case errors.Is(err, cloud.ErrUnavailable) && logsIn:
		return cli.Hint(err, "see that the control plane runs, and that the URL is right")
	case errors.Is(err, cloud.ErrUnavailable):
		return cli.Hint(err, "see that the control plane runs; if its URL is another one now: %s", cli.To("sp login", "URL"))
	}
	return err
}

// adviseLoggedOut says where to log in, if all tenants here are from one control plane.
func (t *Task) adviseLoggedOut(ctx context.Context, err error) error {
	if errors.Is(err, cloud.ErrNotLoggedIn) && !cli.HasHint(err) {
		t.FindPlane(ctx)
	}
	return err
}

// FindPlane finds the control plane from which all tenants are that are from any, for a hint to log in
// there where nothing else says where.
func (t *Task) FindPlane(ctx context.Context) {
	if t.plane != "" || t.cloudURL() != "" {
		return
	}
	_ = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) { // without it there is less to say
		t.plane, err = onlyOrigin(ctx, view)
		return err
	})
}

// onlyOrigin is the control plane from which all tenants are that are from any; nothing if there are
// several, or none.
func onlyOrigin(ctx context.Context, view *registry.View) (only string, err error) {
	for tenant, err := range view.Tenants(ctx, registry.Page{Limit: mostNames}) {
		if err != nil {
			return "", err
		}
		if !tenant.IsCloud() {
			continue
		}
		from, err := view.CloudOrigin(ctx, tenant.ID)
		switch {
		case err != nil:
			return "", err
		case from != nil && only != "" && *from != only:
			return "", nil
		case from != nil:
			only = *from
		}
	}
	return only, nil
}

// adviseNoRegistry says how a login leads to a registry, where there is a login and no registry yet.
func (t *Task) adviseNoRegistry(err error) error {
	token, _ := t.EnvToken()
	dir, unfound := t.NewProject()
	if token == nil && (unfound != nil || !dir.Has(cloud.LoginName)) {
		return err
	}
	return cli.Hint(err, "you are logged in to a control plane: %s makes a registry of your tenants there; if you have none, %s makes one",
		cli.To("sp tenant list"), cli.To("sp tenant create", "--type", "cloud"))
}

// cloudOptions are those of every client.
func (t *Task) cloudOptions() (cloud.Options, error) {
	proxy, err := t.Proxy()
	host, _ := os.Hostname() // without one the page of a login says less
	o := cloud.Options{
		Proxy: proxy, Now: t.Now, Random: t.Random, Sleep: t.Sleep, Patience: t.Patience, Unbroken: t.UntilTold, Renewing: t.renewReceipt,
		UserAgent: "sp/" + Version, Hostname: host,
	}
	if t.Offline() != nil {
		o.Offline = cli.Of(cloud.ErrUnavailable, "%w", ErrOffline)
	}
	return o, err
}

// loginDir returns the directory in which the login is kept. It is an error if the registry there is not
// trusted, or git tracks the login; without a directory there is no login.
func (t *Task) loginDir(ctx context.Context) (project.Dir, error) {
	dir, err := t.NewProject()
	switch {
	case errors.Is(err, project.ErrNoDirectory):
		return dir, cloud.ErrNotLoggedIn
	case err != nil:
		return dir, err
	case HasRegistry(dir):
		err = t.Read(ctx, func(project.Dir, *registry.View) error { return nil })
	}
	if err == nil && dir.Has(cloud.LoginName) {
		err = t.refuseTrackedLogin(ctx, dir)
	}
	return dir, err
}

// refuseTrackedLogin refuses a login that came with the repository, or that everybody would get.
func (t *Task) refuseTrackedLogin(ctx context.Context, dir project.Dir) error {
	tracked, err := dir.Tracked(ctx, t.Git(), cloud.LoginName)
	if len(tracked) > 0 {
		return cli.Hint(fmt.Errorf("%s: git tracks it: %w", dir.Full(tracked[0]), project.ErrExposed),
			"git -C %s rm --cached -f -- %s untracks it; if it is yours, its token is known to all who have the repository: %s, then %s",
			cli.Quoted(dir.Path()), cli.Quoted(tracked[0]), cli.To("sp logout"), cli.To("sp login", "URL"))
	}
	return t.forgiveGit(err)
}

// ReadLogin returns the login that is kept, nil if there is none, and where it is kept. One that others
// can reach is returned with the error.
func (t *Task) ReadLogin(ctx context.Context) (file cloud.LoginFile, login *cloud.Login, err error) {
	dir, err := t.loginDir(ctx)
	if errors.Is(err, cloud.ErrNotLoggedIn) {
		return file, nil, nil
	}
	if err != nil {
		return file, nil, err
	}
	file = cloud.LoginFile{Dir: dir.Path()}
	for {
		login, err = file.Read()
		if login == nil {
			return file, nil, t.adviseLogin(dir, file, err)
		}
		strange := t.checkOwnLogin(dir, *login)
		if strange == nil {
			return file, login, t.adviseLogin(dir, file, err)
		}
		if !isRenewed(file, *login) {
			return file, nil, strange
		}
	}
}

// adviseLogin adds what helps to the error of a login that can't be used. Where it is this user's own, that
// is known to log in again.
func (t *Task) adviseLogin(dir project.Dir, file cloud.LoginFile, err error) error {
	if err == nil {
		return nil
	}
	path := cli.Quoted(file.Path())
	url := "URL"
	if login, _ := file.Read(); login != nil && t.checkOwnLogin(dir, *login) == nil {
		url = login.URL
	}
	switch {
	case errors.Is(err, cloud.ErrExposed):
		return cli.Hint(err, "chmod 600 %s; its token may be known to others: %s, then %s", path, cli.To("sp logout"), cli.To("sp login", url))
	case errors.Is(err, cloud.ErrUnusable):
		return cli.Hint(err, "%s removes it, %s makes a new one", cli.To("sp logout"), cli.To("sp login", "URL"))
	case errors.Is(err, place.ErrForeign), errors.Is(err, place.ErrUnsafe):
		return cli.Hint(err, "move it away; %s makes a new one", cli.To("sp login", "URL"))
	}
	return err
}

// StoreLogin keeps a login, and makes the directory first if there is none. What else is there stays. It
// makes no registry, but where this user can have no receipts.
func (t *Task) StoreLogin(ctx context.Context, login cloud.Login) (file cloud.LoginFile, err error) {
	_, err = t.InMade(func() (project.Dir, error) { return t.MakeProject(Imported) }, func(dir project.Dir) error {
		err := t.HideSecrets(ctx, dir)
		if err == nil {
			err = t.makeVouching(ctx, dir)
		}
		if err != nil {
			return err
		}
		file = cloud.LoginFile{Dir: dir.Path()}
		return file.Locked(ctx, func() error { return errors.Join(t.giveLoginReceipt(login), file.Replace(login)) })
	})
	return file, err
}

// CredentialsPath is where a login is, as answers show it.
func (a Account) CredentialsPath() *string {
	if a.Login == nil {
		return nil
	}
	return new(a.File.Path())
}
