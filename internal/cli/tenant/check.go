package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "log in to a tenant's database; if that fails, say what helps",
		Args:  []cli.Arg{optionalWord()},
		Description: "Without ID, it takes the tenant in effect. Columns: id, ok or the problem, how\n" +
			"long it took, the server's version, and whether the connection is encrypted.\n" +
			"If the server is one that sp runs and is stopped, sp starts it.",
		Flags: []cli.Flag{cli.Bool("all", "check every tenant"), task.NoStart()},
		Run:   task.Run(check),
	}
}

// checked is how a tenant's database answers, in JSON.
type checked struct {
	Tenant task.TenantRef `json:"tenant"`
	// Result is ok, or the code of what is wrong.
	Result  string   `json:"result"`
	Message string   `json:"message"`
	Hint    *string  `json:"hint"`
	Next    []string `json:"next_steps"`
	Latency *int64   `json:"latency_ms"`
	Version *string  `json:"server_version"`
	TLS     *bool    `json:"tls"`
	// Strangers may connect to the database, too.
	Strangers []task.StrangerRecord `json:"others_may_connect"`

	token bool  // it is a cloud tenant that misses its token
	begun bool  // a rotation of its password was stopped
	err   error // what Message says
}

func check(ctx context.Context, t *task.Task) (cli.Answer, error) {
	all := t.Bool("all")
	if all && t.Arg(0) != nil {
		return cli.Answer{}, cli.Usage("tenant check: --all and an ID")
	}
	var results []checked
	err := t.UntilTold(ctx, func(ctx context.Context) error {
		subjects, err := subjects(ctx, t, all)
		if err != nil {
			return err
		}
		unfit := awaitServers(ctx, t, subjects)
		m := t.Machine(project.Dir{}, nil)
		found := m.Check(ctx, subjects...)
		startAndCheck(ctx, t, m, found)
		for i, c := range found {
			if c.Err != nil && c.Server != nil && unfit[c.Server.Name] != nil {
				found[i].Err = &hosting.LoginError{Subject: c.Subject, Err: unfit[c.Server.Name]}
			}
		}
		for _, c := range found {
			results = append(results, checkedOf(t, c))
		}
		return nil
	})
	if err != nil {
		return cli.Answer{}, err
	}
	if !all && results[0].err != nil { // of one, there is nothing else to answer
		results[0].tellToken(t)
		return cli.Answer{}, results[0].err
	}
	return answerChecks(t, results)
}

// awaitServers waits for servers of sp's that are starting or stopping, and returns by their names why some take
// nobody all the same. What else is wrong with one, the check says.
func awaitServers(ctx context.Context, t *task.Task, subjects []hosting.Subject) map[string]error {
	unfit := map[string]error{}
	for _, s := range subjects {
		if s.Server == nil || !s.Server.IsOwn() || s.Tenant.DatabaseURL == nil {
			continue
		}
		if _, seen := unfit[s.Server.Name]; seen {
			continue
		}
		_, err := t.AwaitOwn(ctx, *s.Tenant.DatabaseURL)
		unfit[s.Server.Name] = nil
		if errors.Is(err, hosting.ErrStarting) || errors.Is(err, postgres.ErrUnended) {
			unfit[s.Server.Name] = err
		}
	}
	return unfit
}

// startAndCheck starts the servers that kept tenants from being checked because they are stopped, and checks
// those tenants again.
func startAndCheck(ctx context.Context, t *task.Task, m *hosting.Machine, found []hosting.Checked) {
	tried := map[string]error{}
	for i := range found {
		c := &found[i]
		var stopped *hosting.ServerError
		if !errors.Is(c.Err, hosting.ErrStopped) || !errors.As(c.Err, &stopped) {
			continue
		}
		name := stopped.Server.Name
		if _, known := tried[name]; !known {
			_, tried[name] = t.StartStopped(ctx, c.Err)
		}
		if tried[name] == nil {
			*c = m.Check(ctx, c.Subject)[0]
		} else {
			c.Err = &hosting.LoginError{Subject: c.Subject, Err: tried[name]}
		}
	}
}

// subjects reads all that the checks need; the registry is let go of by then.
func subjects(ctx context.Context, t *task.Task, all bool) (subjects []hosting.Subject, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		look := func(tenant registry.Tenant) error {
			s, err := hosting.SubjectOf(ctx, view, tenant)
			subjects = append(subjects, s)
			return err
		}
		if !all {
			tenant, err := t.Tenant(ctx, dir, view, t.Arg(0))
			if err != nil {
				return err
			}
			return look(tenant)
		}
		for tenant, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			if err := look(tenant); err != nil {
				return err
			}
		}
		return nil
	})
	return subjects, err
}

func checkedOf(t *task.Task, c hosting.Checked) checked {
	found := checked{Tenant: task.RefOf(c.Tenant), Result: "ok", Next: []string{}, token: c.Tenant.IsSyncTokenMissing(), begun: c.Next != nil}
	if c.Err == nil {
		ms := c.Took.Milliseconds()
		found.Latency, found.Version, found.TLS, found.Message = &ms, &c.Answer.Version, &c.Answer.TLS, "connected"
		found.Strangers = task.StrangersOf(c.Answer.Strangers)
		return found
	}
	found.err = task.AdviseLogin(c.Err)
	f := t.Failure(found.err)
	found.Result, found.Message, found.Hint, found.Next = f.Code, f.Message, f.Hint, f.NextSteps
	return found
}

// answerChecks answers with a table, and says beside it what helps.
func answerChecks(t *task.Task, results []checked) (cli.Answer, error) {
	people := t.IsTerminal() && !t.JSON
	var wrong []string
	rows := make([][]string, len(results))
	for i, c := range results {
		rows[i] = c.row()
		if people {
			rows[i] = c.forPeople()
		}
		c.tellToken(t)
		t.WarnOfStrangers(c.Tenant.ID, c.Strangers)
		if !people {
			c.tell(t)
		}
		if c.err != nil {
			wrong = append(wrong, string(c.Tenant.ID))
		}
	}
	a := cli.Answer{
		Value: map[string]any{"tenants": append([]checked{}, results...)}, Title: "Databases", Rows: cli.Rows(rows...),
		Heads: []string{"NAME", "ID", "RESULT", "ABOUT"}, Wrap: true,
		Empty: "No tenants to check.",
	}
	switch {
	case len(wrong) > 0 && people:
		return a, cli.Hint(fmt.Errorf("%w: %d of %d do not", task.ErrUnreached, len(wrong), len(results)), "%s says what helps", cli.To("sp tenant check", "ID"))
	case len(wrong) > 0:
		return a, fmt.Errorf("%w: %s", task.ErrUnreached, strings.Join(wrong, ", "))
	}
	return a, nil
}

// row is a line of the table.
func (c checked) row() []string {
	row := []string{string(c.Tenant.ID), c.Message}
	if c.err != nil {
		return row
	}
	row[1] = c.Result
	return append(row, c.answered()...)
}

// answered tells how a database answered.
func (c checked) answered() []string {
	encryption := "without TLS"
	if *c.TLS {
		encryption = "with TLS"
	}
	return []string{fmt.Sprintf("%d ms", *c.Latency), "PostgreSQL " + *c.Version, encryption}
}

// forPeople is a line of the table at a terminal.
func (c checked) forPeople() []string {
	about := c.Message
	for _, known := range []string{fmt.Sprintf("tenant %s (%s): ", c.Tenant.ID, c.Tenant.Called()), "Database connection failed: "} {
		about = strings.TrimPrefix(about, known)
	}
	if c.err == nil {
		about = strings.Join(c.answered(), ", ")
	}
	if c.err == nil && c.begun {
		about += fmt.Sprintf("; a rotation of its password was stopped: %s", cli.To("sp tenant rotate-credentials", string(c.Tenant.ID)))
	}
	return []string{c.Tenant.Called(), string(c.Tenant.ID), c.Result, about}
}

// tell says beside the table what helps.
func (c checked) tell(t *task.Task) {
	id := string(c.Tenant.ID)
	if c.err == nil && c.begun {
		t.Note("warning: tenant %s: a rotation of its password was stopped: %s goes on with it", id, cli.To("sp tenant rotate-credentials", id, "-y"))
	}
	if c.Hint == nil || t.JSON { // it stands in the document
		return
	}
	for line := range strings.SplitSeq(*c.Hint, "\n") {
		if line != "" {
			t.Note("hint: %s: %s", id, line)
		}
	}
}

// tellToken warns of a cloud tenant that can't be synchronised.
func (c checked) tellToken(t *task.Task) {
	if c.token {
		t.WarnOfToken(c.Tenant.ID)
		t.Note("hint: %s", task.TokenHint(c.Tenant.ID))
	}
}
