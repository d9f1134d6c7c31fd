package work

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// Explain is `sp explain`.
func Explain() *cli.Command {
	return &cli.Command{
		Name:  "explain",
		Usage: "show which database is in effect, and which source decides",
		Description: "Shows every source in order: what it names, whether it decides, and if not, why.\n" +
			"The URL is shown without its user and password.\n\n" +
			"  SYSTEMPROMPT_PROFILE=production sp explain",
		Flags: []cli.Flag{task.Network(), cli.Bool("reveal", "show the password instead of masking it")},
		Run:   task.Run(explain),
	}
}

func explain(ctx context.Context, t *task.Task) (cli.Answer, error) {
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	found, err := explained(ctx, t, view, t.Request(dir))
	if err != nil {
		return cli.Answer{}, err
	}
	if errors.Is(found.Err, resolver.ErrUsage) {
		return cli.Answer{}, found.Err
	}
	answer := cli.Answer{Value: found.document(t), Rows: cli.Rows(found.rows()...)}
	if t.IsTerminal() {
		answer.Title, answer.Rows, answer.Wrap, answer.Foot = found.title(), found.forPeople(), true, found.foot(t)
	}
	return answer, nil
}

// explanation is how a request is resolved, with what else is known of that.
type explanation struct {
	resolver.Explanation
	how      task.Showing
	selected *registry.Tenant
	notes    []note
}

// otherTenant is the code of the note that what is resolved is not of the selected tenant.
const otherTenant = "other_tenant"

// note is something that is easily overlooked.
type note struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func explained(ctx context.Context, t *task.Task, view *registry.View, request resolver.Request) (explanation, error) {
	e, err := resolver.Explain(ctx, view, request)
	if err != nil {
		return explanation{}, err
	}
	if e.Err != nil {
		e.Err = task.AdviseMissing(ctx, view, t.Now(), task.AdviseResolving(e.Err))
	}
	found := explanation{Explanation: e, how: task.Showing(t.Bool("reveal")), notes: []note{}}
	if e.Note != "" {
		found.notes = append(found.notes, note{otherTenant, e.Note})
	}
	if e.Selection.Tenant != nil {
		selected, err := view.Tenant(ctx, *e.Selection.Tenant)
		if err != nil {
			return explanation{}, err
		}
		found.selected = &selected
	}
	return found, found.noteExpiry(ctx, t, view)
}

// noteExpiry adds that the session authenticates no more: its choice of a profile holds.
func (e *explanation) noteExpiry(ctx context.Context, t *task.Task, view *registry.View) error {
	s, err := view.ActiveSession(ctx)
	if err == nil && s != nil && s.Authentication != nil && s.Authentication.IsExpired(t.Now()) {
		e.notes = append(e.notes, note{"token_expired", "the session's token is expired, its choice of the profile holds"})
	}
	return err
}

func (e explanation) note() string {
	said := make([]string, len(e.notes))
	for i, n := range e.notes {
		said[i] = n.Message
	}
	return strings.Join(said, "; ")
}

// rows has a row for each source, then what comes of it.
func (e explanation) rows() (rows [][]string) {
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
	if len(e.notes) > 0 {
		rows = append(rows, []string{"note", "", "", e.note()})
	}
	if e.Err != nil {
		return append(rows, []string{"result", "", "", "nothing: " + e.Err.Error()})
	}
	c := e.Connection
	result := fmt.Sprintf("tenant %s (%s), %s", c.Tenant.ID, c.Tenant.Name, *e.how.URL(&c.URL))
	if c.Profile != nil {
		result = fmt.Sprintf("profile %s of %s", c.Profile.Name, result)
	}
	return append(rows, []string{"result", "", "", result})
}

// explanationDocument is an explanation in JSON.
type explanationDocument struct {
	Selected   *task.TenantRef `json:"selected_tenant"`
	Selection  note            `json:"selection"`
	Sources    []finding       `json:"sources"`
	Notes      []note          `json:"notes"`
	Resolved   *connection     `json:"resolved"`
	Unresolved *cli.Failure    `json:"unresolved"`
}

type finding struct {
	Source  resolver.Source  `json:"source"`
	Holds   *string          `json:"holds"`
	Decided bool             `json:"decided"`
	Reason  resolver.Reason  `json:"reason"`
	Message string           `json:"message"`
	Profile *task.ProfileRef `json:"profile"`
	Tenant  *task.TenantRef  `json:"tenant"`
}

// selectionOf says how the selection matters, as a code and in words.
func selectionOf(s resolver.Selection) note {
	switch {
	case s.Deleted:
		return note{"deleted", s.String()}
	case s.Tenant == nil:
		return note{"none", s.String()}
	}
	return note{"selected", s.String()}
}

func (e explanation) document(t *task.Task) explanationDocument {
	d := explanationDocument{Selected: refOf(e.selected), Selection: selectionOf(e.Selection), Sources: []finding{}, Notes: e.notes}
	for _, f := range e.Sources {
		d.Sources = append(d.Sources, finding{
			Source: f.Source, Holds: f.Holds, Decided: f.Decided, Reason: f.Reason, Message: f.Why,
			Profile: profileOf(f.Profile), Tenant: refOf(f.Tenant),
		})
	}
	if e.Connection != nil {
		c := connectionOf(*e.Connection, *e.how.URL(&e.Connection.URL))
		d.Resolved = &c
	}
	d.Unresolved = unresolved(t, e.Err)
	return d
}

func refOf(t *registry.Tenant) *task.TenantRef {
	if t == nil {
		return nil
	}
	ref := task.RefOf(*t)
	return &ref
}

// unresolved is why nothing is resolved, nil where something is.
func unresolved(t *task.Task, err error) *cli.Failure {
	if err == nil {
		return nil
	}
	f := t.FailureOf(err)
	return &f
}

// title says at a terminal what a command would talk to.
func (e explanation) title() string {
	c := e.Connection
	if c == nil {
		return "nothing: " + e.Err.Error()
	}
	about := string(c.Tenant.Kind)
	if c.Tenant.Region != nil && *c.Tenant.Region != "" {
		about += ", " + *c.Tenant.Region
	}
	title := fmt.Sprintf("%s (%s)  %s", c.Tenant.Name, about, *e.how.URL(&c.URL))
	if c.Profile != nil {
		title = c.Profile.Name + "  →  " + title
	}
	return title
}

// places are the sources as people give them.
var places = map[resolver.Source]string{resolver.FromFlag: "--profile", resolver.FromEnvironment: "SYSTEMPROMPT_PROFILE"}

// forPeople has a row for each source: its place in the order, what it holds, and what became of that.
func (e explanation) forPeople() func(func(cli.Row, error) bool) {
	return func(yield func(cli.Row, error) bool) {
		for i, f := range e.Sources {
			place, ok := places[f.Source]
			if !ok {
				place = string(f.Source)
			}
			row := cli.Row{Cells: []string{fmt.Sprintf("%d %s", i+1, place), e.holds(f), e.became(f)}, Marked: f.Decided}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// holds is what a source names, with the tenant where that is not the one that is resolved.
func (e explanation) holds(f resolver.Finding) string {
	held := ""
	switch {
	case f.Reason == resolver.NotGiven && f.Source == resolver.FromFlag:
		return "not given"
	case f.Reason == resolver.NotGiven:
		return "not set"
	case f.Reason == resolver.EmptyValue:
		return "empty"
	case f.Holds != nil:
		held = *f.Holds
	case f.Profile != nil:
		held = f.Profile.Name
	default:
		return "none"
	}
	if other := f.Tenant != nil && f.Holds != nil && !passedOver(f) && (e.Connection == nil || f.Tenant.ID != e.Connection.Tenant.ID); other {
		held += " (" + f.Tenant.Name + ")"
	}
	return held
}

// passedOver tells of a default that belongs to another tenant than the selected one.
func passedOver(f resolver.Finding) bool {
	return f.Reason == resolver.OtherTenants || f.Source == resolver.FromDefault && f.Holds != nil && f.Profile != nil && f.Profile.Name != *f.Holds
}

// became says whether a source decides and, if not, why.
func (e explanation) became(f resolver.Finding) string {
	switch {
	case f.Decided && passedOver(f):
		return fmt.Sprintf("← decides: not of the selected tenant, so its only profile, %s", f.Profile.Name)
	case f.Decided && f.Reason == resolver.OnlyProfile:
		return "← decides: no default is set, and it is the only profile"
	case f.Decided:
		return "← decides"
	case f.Reason == resolver.NotGiven:
		return ""
	case f.Reason == resolver.EmptyValue:
		return "counts as not set"
	case passedOver(f):
		return "not used: not of the selected tenant"
	case f.Reason == resolver.Outranked && f.Err != nil:
		return "not used, and could not be: " + f.Err.Error()
	case f.Reason == resolver.Outranked:
		return "not used"
	}
	return f.Why
}

// foot says at a terminal what is easily overlooked, and what helps.
func (e explanation) foot(t *task.Task) (foot cli.Advice) {
	for _, n := range e.notes {
		if n.Code == otherTenant {
			n.Message = "the selected tenant is " + e.selected.Name
		}
		foot = foot.And(cli.Advise("note: %s", n.Message))
	}
	if f := unresolved(t, e.Err); f != nil && f.Hint != nil {
		foot = foot.And(f.Advice.Prefixed("hint: "))
	}
	return foot
}
