package cloud

import (
	"context"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
)

// Logout is `sp logout`.
func Logout() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "end the login, here and at the control plane",
		Description: "The tenants stay. A personal token is forgotten here, and works until it is\n" +
			"deleted at the control plane.",
		Run: task.Run(logout),
	}
}

// ended is what a logout did, in JSON.
type ended struct {
	LoggedOut bool    `json:"logged_out"`
	Revoked   bool    `json:"revoked"` // at the control plane
	Email     *string `json:"user_email"`
	URL       *string `json:"api_url"`
	Path      *string `json:"credentials_path"`
}

func logout(ctx context.Context, t *task.Task) (cli.Answer, error) {
	file, l, err := t.ReadLogin(ctx)
	if err != nil && !isReplaceable(err) {
		return cli.Answer{}, err
	}
	if token := t.Env("SP_TOKEN"); token != nil && *token != "" {
		t.Note("SP_TOKEN is set, and goes on being the login")
	}
	if l == nil && err == nil {
		t.Note("you are not logged in")
		return cli.Answer{Value: ended{}}, nil
	}
	done := ended{LoggedOut: true, Path: new(file.Path())}
	return cli.Answer{Value: &done}, t.UntilTold(ctx, func(ctx context.Context) error {
		if l != nil {
			done.Email, done.URL = &l.Email, &l.URL
			done.Revoked = revoke(ctx, t, *l, "the login")
		} else {
			t.Note("warning: %v; nothing was revoked at the control plane", err)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := file.Remove(ctx); err != nil {
			return err
		}
		t.Made = true
		t.Note("logged out; the tenants stay")
		return nil
	})
}

// revokePatience is how long a logout waits for the control plane.
const revokePatience = 10 * time.Second

// revoke ends a login, which is called what, at its control plane, and says where it could not.
func revoke(ctx context.Context, t *task.Task, l cloud.Login, what string) bool {
	ctx, cancel := context.WithTimeout(ctx, revokePatience)
	defer cancel()
	client, err := t.CloudAt(l.URL, nil)
	if err == nil {
		err = client.Revoke(ctx, l)
	}
	switch {
	case err != nil:
		t.Note("warning: the control plane did not end %s, which expires by itself: %s", what, t.FailureOf(err).Message)
	case l.IsPersonal():
		t.Note("the personal token works until it is deleted at %s", client.Host())
	}
	return err == nil && !l.IsPersonal()
}
