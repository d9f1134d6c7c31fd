package cloud

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/secret"
)

// Login is `sp login`.
func Login() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "log in to a control plane",
		Description: "URL is the control plane. Without it, sp takes SP_CLOUD_URL, or else the URL of\n" +
			"the login that is there, which ends. sp opens a browser. If it can't, or with\n" +
			"--device, it prints a URL and a code that you enter on any device. sp keeps the\n" +
			"login in credentials.json, for you alone, and renews it as needed. In CI, set\n" +
			"SP_TOKEN to a personal token and SP_CLOUD_URL to the control plane: no login is\n" +
			"needed.\n\n" +
			"  sp login https://cloud.example",
		Args: []cli.Arg{{Name: "URL", Kind: task.Plane, Optional: true}},
		Flags: []cli.Flag{
			cli.Bool("device", "log in with a code, on any device"),
			cli.Bool("token-stdin", "read a personal token from stdin"),
		},
		Run: task.Run(login),
	}
}

// a way gets a login at a control plane.
type way func(context.Context, *task.Task, *cloud.Client) (cloud.Login, cloud.Me, error)

func login(ctx context.Context, t *task.Task) (cli.Answer, error) {
	by, kept, err := wayOf(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	_, there, err := t.ReadLogin(ctx)
	if err != nil && !isReplaceable(err) {
		return cli.Answer{}, err
	}
	if there == nil && wordOf(t) == "" {
		t.FindPlane(ctx)
	}
	client, err := t.CloudAt(wordOf(t), there)
	if err != nil {
		return cli.Answer{}, err
	}
	a := task.Account{Client: client}
	var me cloud.Me
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		l, found, err := by(ctx, t, client)
		me = found
		if err != nil || !kept {
			return err
		}
		a.Login = &l
		a.File, err = t.StoreLogin(ctx, l)
		return err
	})
	if err != nil {
		return cli.Answer{}, adviseURL(err)
	}
	tellLogin(t, client, me, kept)
	if kept && there != nil && !there.IsPersonal() { // nothing here has its tokens any more
		revoke(ctx, t, *there, "the login of "+there.Email+" that was there before")
	}
	return accountOf(t, a, me.User.Email).answer(), nil
}

// adviseURL says what helps where a login fails because of its URL.
func adviseURL(err error) error {
	if other, ok := errors.AsType[*cloud.OtherNameError](err); ok {
		return cli.Hint(err, "if it is the one that you mean, log in by the URL that it calls itself: %s", cli.To("sp login", other.URL))
	}
	if errors.Is(err, cloud.ErrNotFound) {
		return cli.Hint(err, "see that the URL is right, with or without a path")
	}
	return err
}

// wordOf returns the argument, or nothing.
func wordOf(t *task.Task) string {
	if word := t.Arg(0); word != nil {
		return *word
	}
	return ""
}

// isReplaceable tells of a login that can't be used whether a new one may take its place.
func isReplaceable(err error) bool {
	return errors.Is(err, cloud.ErrUnusable) || errors.Is(err, cloud.ErrExposed) || errors.Is(err, task.ErrStrangeLogin)
}

// tellLogin says who one is, and what comes next.
func tellLogin(t *task.Task, c *cloud.Client, me cloud.Me, kept bool) {
	t.Note("logged in at %s as %s", c.Host(), me.User.Email)
	switch token, _ := t.EnvToken(); {
	case !kept:
		t.Note("SP_TOKEN is the login; nothing was stored")
	case token != nil:
		t.Note("SP_TOKEN is set, and counts instead of this login")
	}
	if n := len(me.Tenants); n > 0 {
		t.Note("%s: %s", cli.Counted(n, "tenant"), cli.To("sp tenant list"))
	} else {
		t.Note("no tenants yet: %s", cli.To("sp tenant create", "--type", "cloud"))
	}
}

// wayOf returns how to log in, and whether the login is kept. It refuses what would need a terminal
// where there is none.
func wayOf(ctx context.Context, t *task.Task) (by way, kept bool, err error) {
	token, err := t.EnvToken()
	if err != nil {
		return nil, false, err
	}
	switch {
	case t.Bool("device") && t.Bool("token-stdin"):
		return nil, false, cli.Usage("login: only one of --device, --token-stdin")
	case t.Bool("token-stdin"):
		return byStdin, true, nil
	case t.Bool("device"):
		return byDevice, true, nil
	case token != nil:
		return byToken(*token), false, nil
	case !t.IsAttended():
		return nil, false, cli.Hint(cli.Usage("login: there is no terminal to log in at"),
			"%s prints a code for another device; %s takes a personal token; in CI set SP_TOKEN and SP_CLOUD_URL",
			again(ctx, t, "--device"), again(ctx, t, "--token-stdin"))
	}
	return byBrowser, true, nil
}

// again is the same login with a flag. If nothing says where, somebody has to.
func again(ctx context.Context, t *task.Task, flag string) cli.Next {
	url := wordOf(t)
	if _, err := cloud.CheckURL(url); url != "" && err != nil {
		url = "URL" // it may be a secret in the wrong place
	}
	if named := t.Env("SP_CLOUD_URL"); url == "" && (named == nil || *named == "") {
		if _, there, err := t.ReadLogin(ctx); err != nil || there == nil {
			url = "URL"
		}
	}
	if url == "" {
		return cli.To("sp login", flag)
	}
	return cli.To("sp login", url, flag)
}

func byToken(token secret.Secret) way {
	return func(ctx context.Context, _ *task.Task, c *cloud.Client) (cloud.Login, cloud.Me, error) {
		return c.LogInByToken(ctx, token)
	}
}

func byStdin(ctx context.Context, t *task.Task, c *cloud.Client) (cloud.Login, cloud.Me, error) {
	token, err := t.SecretFromStdin(ctx, "Personal token for "+c.Host(), "token")
	if err != nil {
		return cloud.Login{}, cloud.Me{}, err
	}
	return c.LogInByToken(ctx, *token)
}

func byDevice(ctx context.Context, t *task.Task, c *cloud.Client) (cloud.Login, cloud.Me, error) {
	return c.LogInByDevice(ctx, func(d cloud.Device) {
		t.Note("open %s and enter the code %s", d.URL, d.Code)
		if d.Whole != "" {
			t.Note("or open %s", d.Whole)
		}
		t.Step("waiting until the login is allowed")
	})
}

// byBrowser goes on with a code where no browser can be opened.
func byBrowser(ctx context.Context, t *task.Task, c *cloud.Client) (cloud.Login, cloud.Me, error) {
	open := browserOf(t)
	if open == nil {
		return byDevice(ctx, t, c)
	}
	l, me, err := c.LogInByBrowser(ctx, func(ctx context.Context, url string) error {
		t.Note("log in with the browser; if none opens, stop with Ctrl-C and use %s", again(ctx, t, "--device"))
		t.Step("waiting for the browser")
		return open(ctx, url)
	})
	if errors.Is(err, cloud.ErrNoBrowser) {
		t.Note("%v", err)
		return byDevice(ctx, t, c)
	}
	return l, me, err
}
