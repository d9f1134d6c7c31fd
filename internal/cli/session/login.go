package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// How long a session lasts, unless the token or --duration-hours says; and the most.
const (
	sessionLasts = 24 * time.Hour
	maxDuration  = 8760
)

func loginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "authenticate a profile's session with a token, and make it active",
		Description: "The token comes from stdin or --token-file; at a terminal, sp asks for it and\n" +
			"does not show what you type. If you give no token and the session is still\n" +
			"valid, sp leaves it and says so. If the token is a JWT, sp takes exp, iss,\n" +
			"email, sub, sid and user_type from it, unless a flag says otherwise. It does not\n" +
			"check the signature.\n\n" +
			"  sp session login --profile production --token-file token.txt",
		Flags: []cli.Flag{
			cli.String("email", "ADDRESS", "the user's address (SYSTEMPROMPT_ADMIN_EMAIL)"),
			cli.Int("duration-hours", "N", "how long it lasts, 1 to 8760 hours (default: as the token says, or 24)"),
			cli.String("issuer", "URL", "who issued the token"),
			cli.String("token-file", "FILE", "read the token from FILE (- for stdin)"),
			cli.Bool("force-new", "take a new token even if the session is still valid"),
			cli.Bool("token-only", "print the token, and nothing else"),
		},
		Run: task.Run(login),
	}
}

func login(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	hours := t.Int("duration-hours")
	switch {
	case t.Bool("token-only") && t.JSON:
		return a, cli.Usage("session login: --token-only and --json")
	case t.IsSet("duration-hours") && (hours < 1 || hours > maxDuration):
		return a, cli.Usage("--duration-hours: 1 to %d", maxDuration)
	}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		a, err = logIn(ctx, t)
		return err
	})
	return a, err
}

// entry is the session that a login came to, in JSON: the session, and whether it is a new one.
type entry struct {
	Status entryStatus `json:"status"`
	record
	Hours   int `json:"expires_in_hours"`
	session registry.Session
}

// entryStatus says what a login did.
type entryStatus string

// What it can do.
const (
	created  entryStatus = "created"
	existing entryStatus = "existing"
)

func logIn(ctx context.Context, t *task.Task) (cli.Answer, error) {
	var p registry.Profile
	var known *registry.Session
	e := entry{Status: existing}
	err := t.Read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		if p, err = t.ProfileInEffect(ctx, dir, view, nil); err == nil {
			known, err = view.Session(ctx, p.Tenant)
		}
		if err == nil && known != nil {
			e.session = *known
			e.record, err = recordIn(ctx, t, view, *known)
		}
		return err
	}) // nothing is held while somebody types
	if err != nil {
		return cli.Answer{}, err
	}
	token, err := tokenFor(ctx, t, p, e.State == valid && !t.Bool("force-new"))
	if err != nil {
		return cli.Answer{}, err
	}
	if token == nil {
		t.Note("tenant %s has a valid session already, of profile %s; --force-new takes another token", p.Tenant, known.Profile)
		return e.answer(t), nil
	}
	n, err := newAuthentication(t, *token, known)
	if err != nil {
		return cli.Answer{}, err
	}
	return authenticate(ctx, t, registry.Login{Profile: p.Name, Authentication: n})
}

func authenticate(ctx context.Context, t *task.Task, l registry.Login) (cli.Answer, error) {
	e := entry{Status: created}
	err := t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) (err error) {
		if e.session, err = reg.Authenticate(ctx, l); err != nil {
			return err
		}
		return task.InView(ctx, reg, func(view *registry.View) (err error) {
			e.record, err = recordIn(ctx, t, view, e.session)
			return err
		})
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("profile %s of tenant %s is authenticated and active; its tenant is selected", e.Profile.Name, e.Tenant.ID)
	return e.answer(t), err
}

// tokenFor reads the token; nil where there is none and none is needed. A terminal is asked only where
// one is.
func tokenFor(ctx context.Context, t *task.Task, p registry.Profile, optional bool) (*secret.Secret, error) {
	file := t.String("token-file")
	switch {
	case file != "" && file != "-":
		return t.SecretFromFile("token-file")
	case optional && file == "" && t.IsAttended():
		return nil, nil
	}
	token, err := t.SecretFromStdin(ctx, "Token for profile "+p.Name, "token")
	switch {
	case errors.Is(err, cli.ErrNothingCame) && optional:
		return nil, nil
	case errors.Is(err, cli.ErrNothingCame):
		return nil, cli.Hint(cli.Usage("session login: a token is needed, and stdin is empty"), "%s, or pipe it in", cli.To("sp session login", "--token-file", "FILE"))
	}
	return token, err
}

// newAuthentication is made of the flags and of what the token says.
func newAuthentication(t *task.Task, token secret.Secret, known *registry.Session) (registry.Authentication, error) {
	says, isJWT := claimsOf(token)
	now := t.Now()
	n := registry.Authentication{
		Token: token, UserID: says.user, UserType: userTypeOf(says.userType), SessionID: says.session,
		CreatedAt: now, ExpiresAt: now.Add(sessionLasts), LastUsed: now,
		UserEmail: cmp.Or(t.String("email"), says.email, adminEmail(t)),
	}
	if issuer := cmp.Or(t.String("issuer"), says.issuer); issuer != "" {
		n.Issuer = &issuer
	}
	if n.UserEmail == "" {
		return n, cli.Hint(cli.Usage("session login: whose token it is, is not known"), "--email ADDRESS, or SYSTEMPROMPT_ADMIN_EMAIL")
	}
	if says.expires != nil && !says.expires.After(now) {
		return n, cli.Hint(fmt.Errorf("token: it expired at %s: %w", task.Clock(*says.expires), registry.ErrInvalid), "get a new one from the application's server")
	}
	if says.expires != nil {
		n.ExpiresAt = *says.expires
	}
	if hours := t.Int("duration-hours"); hours != 0 {
		n.ExpiresAt = now.Add(time.Duration(hours) * time.Hour)
		if says.expires != nil && says.expires.Before(n.ExpiresAt) {
			n.ExpiresAt = *says.expires // no session outlives its token
			t.Note("the token itself expires at %s, before --duration-hours", task.Clock(n.ExpiresAt))
		}
	}
	if isJWT {
		t.Note("the token's own words were read; its signature was not checked")
	}
	err := completeIDs(t.Random, &n, known)
	return n, err
}

func adminEmail(t *task.Task) string {
	if email := t.Env("SYSTEMPROMPT_ADMIN_EMAIL"); email != nil {
		return *email
	}
	return ""
}

// answer is what came of a login: the session, or its token alone.
func (e entry) answer(t *task.Task) cli.Answer {
	n := e.session.Authentication
	if t.Bool("token-only") {
		return cli.Answer{Text: *task.Revealed.Token(&n.Token) + "\n"}
	}
	since := n.CreatedAt
	if e.Status == existing {
		since = t.Now()
	}
	e.Hours = int(n.ExpiresAt.Sub(since) / time.Hour)
	return cli.Answer{Value: e, Title: "Session", Rows: cli.Rows(
		[]string{"status", string(e.Status)},
		[]string{"email", n.UserEmail},
		[]string{"session", n.SessionID},
		[]string{"expires", e.ExpiresAt.String()},
	)}
}
