package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/urfave/cli/v3"
)

func (a *app) explainCommand() *cli.Command {
	return &cli.Command{
		Name:  "explain",
		Usage: "say which source decides, which do not, and why",
		Description: "Shows every source in order: what it holds, whether it decided, and why not.\n" +
			"The URL is shown without its user and password.\n\n" +
			"  SYSTEMPROMPT_PROFILE=production sp explain",
		Flags: append(profileFlags(), boolFlag("reveal", "show the password, which is masked otherwise")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.explain(ctx, a.request(cmd), showing(cmd.Bool("reveal")))
		},
	}
}

func (a *app) explain(ctx context.Context, request resolver.Request, shown showing) error {
	return a.read(ctx, func(dir project.Dir, view *registry.View) error {
		request.ReadProfile = a.profileReader(dir)
		e, err := resolver.Explain(ctx, view, request)
		if err != nil {
			return err
		}
		if errors.Is(e.Err, resolver.ErrUsage) {
			return e.Err
		}
		if err := a.noteExpiry(ctx, view, &e); err != nil {
			return err
		}
		if a.json {
			return a.document(explanationOf(e, shown))
		}
		rows := explanationRows(e, shown)
		if a.terminal(int(a.stdout.Fd())) {
			rows = forPeople(rows)
		}
		return a.table("Explanation", rowsOf(rows...))
	})
}

// noteExpiry adds that the session authenticates no more: its choice of a profile holds.
func (a *app) noteExpiry(ctx context.Context, view *registry.View, e *resolver.Explanation) error {
	s, err := view.ActiveSession(ctx)
	if err != nil || s == nil || s.Authentication == nil || !s.Authentication.IsExpired(a.now()) {
		return err
	}
	if e.Note != "" {
		e.Note += "; "
	}
	e.Note += "the session's token is expired, its choice of the profile holds"
	return nil
}

// explanation is an Explanation in JSON.
type explanation struct {
	Selected  *registry.TenantID `json:"selected_tenant"`
	Selection string             `json:"selection"`
	Sources   []finding          `json:"sources"`
	Note      string             `json:"note,omitempty"`
	Result    *connection        `json:"result"`
	Error     *failure           `json:"unresolved,omitempty"`
}

type finding struct {
	Source  resolver.Source    `json:"source"`
	Holds   *string            `json:"holds"`
	Decided bool               `json:"decided"`
	Why     string             `json:"why"`
	Profile *string            `json:"profile,omitempty"`
	Tenant  *registry.TenantID `json:"tenant_id,omitempty"`
}

func explanationOf(e resolver.Explanation, shown showing) explanation {
	answer := explanation{Selected: e.Selection.Tenant, Selection: e.Selection.String(), Note: e.Note}
	for _, f := range e.Sources {
		row := finding{Source: f.Source, Holds: f.Holds, Decided: f.Decided, Why: f.Why}
		if f.Profile != nil {
			row.Profile = &f.Profile.Name
		}
		if f.Tenant != nil {
			row.Tenant = &f.Tenant.ID
		}
		answer.Sources = append(answer.Sources, row)
	}
	if e.Connection != nil {
		c := connectionOf(*e.Connection, *shown.url(&e.Connection.URL))
		answer.Result = &c
	}
	if e.Err != nil {
		f := failureOf(adviseResolving(e.Err))
		answer.Error = &f
	}
	return answer
}

// explanationRows has a row for each source, then what comes of it.
func explanationRows(e resolver.Explanation, shown showing) [][]string {
	var rows [][]string
	for _, f := range e.Sources {
		holds, decided := "-", ""
		if f.Holds != nil {
			holds = fmt.Sprintf("%q", *f.Holds)
		}
		if f.Decided {
			decided = "(decided)"
		}
		rows = append(rows, []string{string(f.Source), holds, decided, f.Why})
	}
	rows = append(rows, []string{"selected", "", "", e.Selection.String()})
	if e.Note != "" {
		rows = append(rows, []string{"note", "", "", e.Note})
	}
	if e.Err != nil {
		return append(rows, []string{"result", "", "", "nothing: " + e.Err.Error()})
	}
	c := e.Connection
	result := fmt.Sprintf("tenant %s (%s), %s", c.Tenant.ID, c.Tenant.Name, *shown.url(&c.URL))
	if c.Profile != nil {
		result = fmt.Sprintf("profile %s of %s", c.Profile.Name, result)
	}
	return append(rows, []string{"result", "", "", result})
}

// forPeople gives each explanation a line of its own, under what it explains: side
// by side they would be wider than a terminal.
func forPeople(rows [][]string) [][]string {
	var lines [][]string
	for _, row := range rows {
		source, holds, decided, why := row[0], row[1], row[2], row[3]
		if holds == "" {
			lines = append(lines, []string{source, "", why})
			continue
		}
		lines = append(lines, []string{source, decided, holds}, []string{"", "", why})
	}
	return lines
}
