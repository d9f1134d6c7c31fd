package cloud

import (
	"context"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

// Whoami is `sp whoami`.
func Whoami() *cli.Command {
	return &cli.Command{
		Name:  "whoami",
		Usage: "show who is logged in, where, and for how long",
		Description: "It reads credentials.json, and asks the control plane only about SP_TOKEN. To\n" +
			"check that the login still works, use sp cloud status.",
		Run: task.Run(whoami),
	}
}

// account is the login in effect, in JSON.
type account struct {
	Email string      `json:"user_email"`
	URL   string      `json:"api_url"`
	Token tokenStatus `json:"token_status"`
	// Renews tells that sp gets a new token when this one expires.
	Renews          bool       `json:"renews"`
	ExpiresAt       *task.Time `json:"expires_at"`
	AuthenticatedAt *task.Time `json:"authenticated_at"`
	Path            *string    `json:"credentials_path"`
}

// tokenStatus says how long the token is good, as far as it says so itself.
type tokenStatus string

// What it can be.
const (
	valid       tokenStatus = "valid"
	expiresSoon tokenStatus = "expires_soon" // within an hour
	expired     tokenStatus = "expired"
	refused     tokenStatus = "refused" // by the control plane
)

func whoami(ctx context.Context, t *task.Task) (cli.Answer, error) {
	a, err := t.Account(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	if a.Login != nil {
		return accountOf(t, a, a.Login.Email).answer(), nil
	}
	me, _, err := a.Client.Me(ctx, "")
	return accountOf(t, a, me.User.Email).answer(), err
}

// accountOf describes a login. That of SP_TOKEN says nothing of itself.
func accountOf(t *task.Task, a task.Account, email string) account {
	shown := account{Email: email, URL: a.Client.Base, Token: valid, Path: a.CredentialsPath()}
	l := a.Login
	if l == nil {
		return shown
	}
	shown.AuthenticatedAt, shown.Renews = new(task.Time(l.AuthenticatedAt)), l.Refresh != nil
	if at := l.ExpiresAt(); at != nil {
		shown.ExpiresAt = new(task.Time(*at))
		switch {
		case shown.Renews:
		case l.IsExpired(t.Now()):
			shown.Token = expired
		case at.Sub(t.Now()) < time.Hour:
			shown.Token = expiresSoon
		}
	}
	return shown
}

func (a account) answer() cli.Answer {
	return cli.Answer{Value: a, Title: "Account", Rows: cli.Rows(a.rows()...), Wrap: true}
}

func (a account) rows() [][]string {
	token := "valid"
	switch {
	case a.Token == refused:
		token = "refused"
	case a.Path == nil:
		token = "that of SP_TOKEN"
	case a.Renews:
		token = "renewed as needed"
	case a.Token == expired:
		token = "expired at " + task.Clock(time.Time(*a.ExpiresAt))
	case a.ExpiresAt != nil:
		token = "valid until " + task.Clock(time.Time(*a.ExpiresAt))
	}
	rows := [][]string{{"account", a.Email}, {"url", a.URL}, {"token", token}}
	if a.Path != nil {
		rows = append(rows, []string{"file", *a.Path})
	}
	return rows
}
