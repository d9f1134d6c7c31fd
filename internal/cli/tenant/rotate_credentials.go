package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// defaultGrace is how long the old credentials work beside the new ones.
const defaultGrace = 10 * time.Minute

func rotateCredentialsCommand() *cli.Command {
	return &cli.Command{
		Name:  "rotate-credentials",
		Usage: "change the login of a tenant's database",
		Args:  []cli.Arg{optionalWord()},
		Description: "Without ID, it takes the tenant in effect. sp tries the new login before it\n" +
			"writes it to the registry, tenants.json and secrets.json. After --grace, the\n" +
			"server refuses the old login; its open sessions end with the next sp command on\n" +
			"that server. With --now, both end at once. Before the grace is over, another\n" +
			"rotation needs --now. A database that sp did not make has only one role, so its\n" +
			"password changes at once. The login of a cloud tenant is changed by its control\n" +
			"plane.",
		Flags: []cli.Flag{
			cli.Yes(),
			cli.Duration("grace", defaultGrace, "how long the old login still works"),
			cli.Bool("now", "end the old login at once"),
			task.NoExport(),
		},
		Run: task.Run(rotateCredentials),
	}
}

// rotated is the answer to a rotation: the record, with the end of the old login in its database.
type rotated struct {
	record
	// Unchecked tells that the server lets everybody in, whatever the password.
	Unchecked bool
	// Also are the tenants that log in as the same role, and have its new password too.
	Also []task.TenantRef
	// Strangers may connect to the database without its password.
	Strangers []task.StrangerRecord
}

// MarshalJSON writes the record and what the rotation did besides.
func (r rotated) MarshalJSON() ([]byte, error) {
	return r.With(struct {
		task.Besides
		behind
		Unchecked bool                  `json:"passwords_unchecked"`
		Also      []task.TenantRef      `json:"also"`
		Strangers []task.StrangerRecord `json:"others_may_connect"`
	}{r.Besides, r.behind, r.Unchecked, r.Also, r.Strangers})
}

func rotateCredentials(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	if t.Bool("now") && t.IsSet("grace") {
		return cli.Answer{}, cli.Usage("%s: --now and --grace: give one of them", t.Command)
	}
	tenant, err := undoubted(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	if tenant.IsCloud() {
		return rotateCloud(ctx, t, tenant)
	}
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) (err error) {
		answer, err = rotate(ctx, t, m, tenant)
		return err
	})
	return answer, err
}

func rotate(ctx context.Context, t *task.Task, m *hosting.Machine, tenant registry.Tenant) (cli.Answer, error) {
	s, err := subjectOf(ctx, t, tenant)
	if err == nil {
		err = checkRotation(s)
	}
	if err != nil {
		return cli.Answer{}, err
	}
	var done hosting.Rotated
	sharing := "has the login that ends in its URL"
	if s.Database == nil {
		done, err = rotateAdopted(ctx, t, m, tenant)
		sharing = "may log in as the same role, and then its password is the old one"
	} else {
		done, err = rotateMade(ctx, t, m, s)
	}
	t.Tell(done.Warnings, sharing)
	if !done.Published {
		return cli.Answer{}, err
	}
	shown, problem := rotatedAfter(ctx, t, tenant, done)
	tellRotated(t, tenant, done, shown.Database)
	t.WarnOfStrangers(tenant.ID, shown.Strangers)
	return cli.Answer{Value: shown}, cmp.Or(adviseUnfinished(t, err, tenant, done, shown.Database), problem)
}

// adviseUnfinished says what helps where a rotation was published, and not all was done that comes then.
func adviseUnfinished(t *task.Task, err error, tenant registry.Tenant, done hosting.Rotated, d *task.DatabaseRecord) error {
	end := cli.To("sp tenant rotate-credentials", string(tenant.ID)) // it goes on with this one
	if t.Bool("now") {
		end = cli.To("sp tenant provision", string(tenant.ID))
	}
	switch {
	case err == nil || !task.IsIncomplete(err):
		return err
	case errors.Is(err, provision.ErrDeaf):
		return cli.Hint(err, "the new credentials are published, and the old password is refused; then %s ends what is left", end)
	case done.OldEnd == nil && d != nil && d.OldEnds != nil:
		return cli.Hint(err, "the new credentials are published, and the old ones still work; when that is mended, %s ends them", end)
	}
	return cli.Hint(err, "the new credentials are published; %s tries them", cli.To("sp tenant check", string(tenant.ID)))
}

// subjectOf looks at a tenant's database.
func subjectOf(ctx context.Context, t *task.Task, tenant registry.Tenant) (s hosting.Subject, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		s, err = hosting.SubjectOf(ctx, view, tenant)
		return err
	})
	return s, err
}

// checkRotation refuses a tenant whose credentials are not for sp to rotate, or not yet.
func checkRotation(s hosting.Subject) error {
	to := cli.To("sp tenant provision", string(s.Tenant.ID))
	switch {
	case s.Database != nil && s.Database.State != registry.Ready:
		return cli.Hint(fmt.Errorf("tenant %s: Provisioning failed: its database is not finished: %w", s.Tenant, registry.ErrConflict), "%s", to)
	case !s.Tenant.HasDatabaseURL():
		return cli.Hint(fmt.Errorf("tenant %s: %w", s.Tenant, registry.ErrNoURL), "%s", to)
	case s.Database != nil && s.Server == nil:
		return fmt.Errorf("server %s: %w", s.Database.Server, registry.ErrNotFound)
	}
	return nil
}

// rotatedAfter is the answer to a rotation that was published.
func rotatedAfter(ctx context.Context, t *task.Task, tenant registry.Tenant, done hosting.Rotated) (rotated, error) {
	shown, err := recordAfter(ctx, t, tenant.ID)
	r := rotated{record: shown, Unchecked: done.Unchecked, Also: []task.TenantRef{}, Strangers: task.StrangersOf(done.Strangers)}
	if err != nil || len(done.Also) == 0 {
		return r, err
	}
	return r, task.Afterwards(t.Read(context.WithoutCancel(ctx), func(_ project.Dir, view *registry.View) error {
		for _, id := range done.Also {
			other, err := view.Tenant(ctx, id)
			if err != nil {
				return err
			}
			r.Also = append(r.Also, task.RefOf(other))
		}
		return nil
	}))
}

// tellRotated says what a rotation did, and what became of the old credentials.
func tellRotated(t *task.Task, tenant registry.Tenant, done hosting.Rotated, d *task.DatabaseRecord) {
	t.Note("tenant %s has new credentials", tenant)
	for _, id := range done.Also {
		t.Note("tenant %s, which logs in as the same role, has them too", id)
	}
	switch {
	case done.OldEnd != nil && d != nil && d.OldEnds != nil: // as sp tenant show says it
		t.Note("the old ones end at %s", task.Clock(time.Time(*d.OldEnds)))
		if len(done.Uses) > 0 {
			t.Note("%s on the old ones; what is still open then ends", done.Uses)
		}
	case done.Refused && done.Behind:
		t.Note("the pooler refuses the old ones")
	case done.Behind:
		t.Note("warning: the pooler still lets the old password in; the server has taken it away")
	case done.Refused:
		t.Note("the old ones are refused (28P01)")
	}
	if done.Unchecked {
		t.Note("warning: this server checks no passwords: the old one opens it as well as any (pg_hba.conf)")
	}
}

// rotateMade rotates the login of a database that sp made.
func rotateMade(ctx context.Context, t *task.Task, m *hosting.Machine, s hosting.Subject) (hosting.Rotated, error) {
	grace, ends := t.Duration("grace"), "at once"
	if t.Bool("now") {
		grace = 0
	}
	if grace > 0 {
		ends = "in " + spoken(grace)
	}
	question := fmt.Sprintf("Rotate the database password of tenant %s? The old one stops working %s.", s.Tenant, ends)
	if err := t.Confirm(ctx, question); err != nil {
		return hosting.Rotated{}, err
	}
	done, err := m.Rotate(ctx, s, t.WantedByDefault(), grace)
	switch id := string(s.Tenant.ID); {
	case done.Published:
	case errors.As(err, new(*hosting.PromisedError)):
		err = cli.Hint(err, "%s ends it now, and gives another password", cli.To("sp tenant rotate-credentials", id, "--now"))
	case errors.Is(err, hosting.ErrDrifted):
		err = cli.Hint(err, "%s tells who changed it", cli.To("sp log", id))
	case errors.Is(err, provision.ErrMismatch):
		err = cli.Hint(err, "%s makes again what is missing", cli.To("sp tenant provision", id))
	default:
		err = adviseUnended(err, s)
	}
	return done, err
}

// spoken is a duration as people say it, where it is one of whole minutes.
func spoken(d time.Duration) string {
	if d%time.Hour == 0 {
		return cli.Counted(int(d/time.Hour), "hour")
	}
	if d%time.Minute == 0 {
		return cli.Counted(int(d/time.Minute), "minute")
	}
	return d.String()
}
