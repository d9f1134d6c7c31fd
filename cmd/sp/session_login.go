package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// How long a session lasts, unless the token or --duration-hours says; and the most.
const (
	sessionLasts = 24 * time.Hour
	maxDuration  = 8760
)

func (a *app) sessionLoginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "authenticate a profile's session with a token, and make it active",
		Description: "The token comes from stdin, --token-file or, at a terminal, is asked for and not shown.\n" +
			"With none, a session that is valid still is left as it is, and told of. What a JWT says\n" +
			"of itself (exp, iss, email, sub, sid, user_type) holds where no flag does; its signature\n" +
			"is not checked.\n\n" +
			"  sp session login --profile production --token-file token.txt --email me@example.com",
		Flags: []cli.Flag{
			inProfileFlag(),
			stringFlag("email", "of the user (SYSTEMPROMPT_ADMIN_EMAIL)"),
			&cli.IntFlag{Name: "duration-hours", Usage: "how long it lasts: `N` hours, 1 to 8760 (else as the token says, or 24)", HideDefault: true, OnlyOnce: true},
			stringFlag("issuer", "who made the token, a `URL`"),
			stringFlag("token-file", "read the token from `FILE`, - is stdin"),
			boolFlag("force-new", "though there is a valid session"),
			boolFlag("token-only", "print the token, and nothing else"),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			hours := cmd.Int("duration-hours")
			switch {
			case cmd.Bool("token-only") && a.json:
				return usage("session login: --token-only and --json")
			case cmd.IsSet("duration-hours") && (hours < 1 || hours > maxDuration):
				return usage("--duration-hours: 1 to %d", maxDuration)
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.logIn(ctx, cmd) })
		},
	}
}

func (a *app) logIn(ctx context.Context, cmd *cli.Command) error {
	var p registry.Profile
	var known *registry.Session
	err := a.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		if p, err = a.profileInEffect(ctx, cmd, dir, view); err == nil {
			known, err = view.Session(ctx, p.Tenant)
		}
		return err
	}) // nothing is held while somebody types
	if err != nil {
		return err
	}
	valid := known != nil && known.Authentication != nil && known.Authentication.IsValid(a.now())
	token, err := a.sessionToken(ctx, cmd, p, valid && !cmd.Bool("force-new"))
	if err != nil {
		return err
	}
	if token == nil {
		a.note("tenant %s has a valid session already, of profile %s; --force-new takes another token", p.Tenant, known.Profile)
		return a.tellSession(cmd, "existing", *known)
	}
	login := registry.Login{Profile: p.Name}
	if login.Authentication, err = a.authentication(cmd, *token, known); err != nil {
		return err
	}
	var session registry.Session
	err = a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
		session, err = reg.Authenticate(ctx, login)
		return err
	}))
	if !made(err) {
		return err
	}
	a.note("profile %s of tenant %s is authenticated and active; its tenant is selected", p.Name, p.Tenant)
	return cmp.Or(err, a.tellSession(cmd, "created", session))
}

// sessionToken reads the token; nil where there is none and none is needed. A terminal
// is asked only where one is.
func (a *app) sessionToken(ctx context.Context, cmd *cli.Command, p registry.Profile, optional bool) (token *secret.Secret, err error) {
	file := cmd.String("token-file")
	switch {
	case file != "" && file != "-":
		path, err := a.absolute(file)
		if err != nil {
			return nil, err
		}
		return readSecretFile(path, "--token-file")
	case optional && file == "" && a.terminal(int(a.stdin.Fd())):
		return nil, nil
	}
	token, err = a.readStdin(ctx, "token for profile "+p.Name, "token")
	switch {
	case errors.Is(err, errNothingCame) && optional:
		return nil, nil
	case errors.Is(err, errNothingCame):
		return nil, withHint(usage("session login: a token is needed, and nothing came"), "sp session login --token-file FILE, or pipe it in")
	}
	return token, err
}

// authentication is made of the flags and of what the token says.
func (a *app) authentication(cmd *cli.Command, token secret.Secret, known *registry.Session) (registry.Authentication, error) {
	says, isJWT := claimsOf(token)
	now := a.now()
	n := registry.Authentication{
		Token: token, UserID: says.user, UserType: userTypeOf(says.userType), SessionID: says.session,
		CreatedAt: now, ExpiresAt: now.Add(sessionLasts), LastUsed: now,
		UserEmail: cmp.Or(cmd.String("email"), says.email, a.adminEmail()),
	}
	if issuer := cmp.Or(cmd.String("issuer"), says.issuer); issuer != "" {
		n.Issuer = &issuer
	}
	if n.UserEmail == "" {
		return n, withHint(usage("session login: whose token it is, is not known"), "--email ADDRESS, or SYSTEMPROMPT_ADMIN_EMAIL")
	}
	if says.expires != nil && !says.expires.After(now) {
		return n, withHint(fmt.Errorf("token: it expired at %s: %w", registry.FormatTime(*says.expires), registry.ErrInvalid), "get a new one from the application's server")
	}
	if says.expires != nil {
		n.ExpiresAt = *says.expires
	}
	if hours := cmd.Int("duration-hours"); hours != 0 {
		n.ExpiresAt = now.Add(time.Duration(hours) * time.Hour)
		if says.expires != nil && says.expires.Before(n.ExpiresAt) {
			n.ExpiresAt = *says.expires // no session outlives its token
			a.note("the token itself expires at %s, before --duration-hours", registry.FormatTime(n.ExpiresAt))
		}
	}
	if isJWT {
		a.note("the token's own words were read; its signature was not checked")
	}
	err := a.completeIDs(&n, known)
	return n, err
}

func (a *app) adminEmail() string {
	if email := a.env("SYSTEMPROMPT_ADMIN_EMAIL"); email != nil {
		return *email
	}
	return ""
}

// tellSession answers what came of a login.
func (a *app) tellSession(cmd *cli.Command, status string, s registry.Session) error {
	n := s.Authentication
	if cmd.Bool("token-only") {
		_, err := io.WriteString(&a.out, *revealed.token(&n.Token)+"\n")
		return err
	}
	since := n.CreatedAt
	if status == "existing" {
		since = a.now()
	}
	hours := int(n.ExpiresAt.Sub(since) / time.Hour)
	if a.json {
		return a.document(map[string]any{
			"status": status, "tenant_id": s.Tenant, "profile": s.Profile, "user_id": n.UserID, "email": n.UserEmail,
			"session_id": n.SessionID, "context_id": n.ContextID, "expires_at": registry.FormatTime(n.ExpiresAt), "expires_in_hours": hours,
		})
	}
	return a.table("Session", rowsOf([]string{"status", status}, []string{"email", n.UserEmail}, []string{"session", n.SessionID},
		[]string{"expires", registry.FormatTime(n.ExpiresAt)}))
}
