package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// errUnreached is what tenant check ends with when a database does not answer as it
// should. Its table is the answer and stands on stdout.
var errUnreached = errors.New("not every database answers as it should")

func (a *app) tenantCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "log in to a tenant's database, and say what helps where that fails",
		ArgsUsage: "[ID]",
		Description: "The selected tenant without ID. Columns: id, ok or what is wrong, how long it took, the\n" +
			"server's version, whether the connection is encrypted.",
		Flags: []cli.Flag{boolFlag("all", "every tenant")},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Bool("all") && cmd.Args().Len() > 0 {
				return usage("tenant check: --all and an ID")
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.checkTenants(ctx, cmd.Bool("all"), argument(cmd, 0)) })
		},
	}
}

// checked is how a tenant's database answers, in JSON.
type checked struct {
	ID registry.TenantID `json:"id"`
	// Result is ok, or the code of what is wrong.
	Result  string `json:"result"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Latency *int64 `json:"latency_ms"`
	Version string `json:"server_version,omitempty"`
	TLS     bool   `json:"tls"`

	token bool  // it is a cloud tenant that misses its token
	begun bool  // a rotation of its password was stopped
	err   error // what Message says
}

func (c checked) row() []string {
	if c.Result != "ok" {
		return []string{string(c.ID), c.Message}
	}
	return []string{string(c.ID), c.Result, fmt.Sprintf("%d ms", *c.Latency), "PostgreSQL " + c.Version, c.encryption()}
}

func (c checked) encryption() string {
	if c.TLS {
		return "with TLS"
	}
	return "without TLS"
}

func (a *app) checkTenants(ctx context.Context, all bool, ref *string) error {
	subjects, err := a.subjects(ctx, all, ref)
	if err != nil {
		return err
	}
	var results []checked
	for _, c := range a.machine(project.Dir{}, nil).Check(ctx, subjects...) {
		results = append(results, checkedOf(c))
	}
	if !all && results[0].err != nil { // of one, there is nothing else to answer
		a.tellToken(results[0])
		return results[0].err
	}
	var wrong []string
	rows := make([][]string, len(results))
	for i, c := range results {
		rows[i] = c.row()
		a.tellToken(c)
		if c.begun && c.Result == "ok" {
			a.note("warning: tenant %s: a rotation of its password was stopped: sp tenant rotate-credentials %s -y goes on with it", c.ID, project.Quoted(string(c.ID)))
		}
		if c.Result != "ok" {
			wrong = append(wrong, string(c.ID))
			for line := range strings.SplitSeq(c.Hint, "\n") {
				if line != "" && !a.json { // it stands in the document
					a.note("hint: %s: %s", c.ID, line)
				}
			}
		}
	}
	if a.json {
		err = a.document(map[string]any{"tenants": results})
	} else {
		err = a.table("Databases", rowsOf(rows...))
	}
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%w: %s", errUnreached, strings.Join(wrong, ", "))
	}
	return err
}

// tellToken warns of a cloud tenant that can't be synchronised.
func (a *app) tellToken(c checked) {
	if c.token {
		a.warnOfToken(c.ID)
		a.note("hint: sp tenant edit %s --sync-token-stdin", project.Quoted(string(c.ID)))
	}
}

// subjects reads all that the checks need; the registry is let go of by then.
func (a *app) subjects(ctx context.Context, all bool, ref *string) (subjects []hosting.Subject, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		look := func(t registry.Tenant) error {
			s, err := hosting.SubjectOf(ctx, view, t)
			subjects = append(subjects, s)
			return err
		}
		if !all {
			t, err := namedTenant(ctx, view, ref)
			if err != nil {
				return err
			}
			return look(t)
		}
		for t, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			if err := look(t); err != nil {
				return err
			}
		}
		return nil
	})
	return subjects, err
}

func checkedOf(c hosting.Checked) checked {
	found := checked{ID: c.Tenant.ID, Result: "ok", token: c.Tenant.IsSyncTokenMissing(), begun: c.Next != nil}
	if c.Err == nil {
		ms := c.Took.Milliseconds()
		found.Latency, found.Version, found.TLS, found.Message = &ms, c.Answer.Version, c.Answer.TLS, "connected"
		return found
	}
	found.err = adviseLogin(c.Err)
	f := failureOf(found.err)
	found.Result, found.Message, found.Hint = f.Code, f.Message, f.Hint
	return found
}
