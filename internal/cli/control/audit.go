package control

import (
	"context"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/server"
)

// Audit is `spd audit`.
func Audit() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "show who did what, newest first",
		Flags: []cli.Flag{
			withDefault(cli.Int("limit", "N", "show at most N entries"), "100"),
			cli.Int("before", "ID", "only entries older than this one"),
			cli.String("tenant", "TENANT", "only entries about this tenant; of one that was deleted the whole id"),
			cli.String("user", "NAME", "only what this user did"),
		},
		Run: audit,
	}
}

func audit(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	asked := server.ActsAsked{Limit: 100, Before: int64(c.Int("before"))}
	if c.IsSet("limit") {
		asked.Limit = int64(c.Int("limit"))
	}
	if asked.Limit < 1 {
		return answer, cli.Usage("audit: --limit must be above 0")
	}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		if word := c.Optional("tenant"); word != nil && server.IsID(*word) {
			asked.Tenant = *word // of a deleted one, perhaps
		} else if word != nil {
			t, err := tenantMeant(ctx, c, s, *word)
			if err != nil {
				return err
			}
			asked.Tenant = string(t.ID)
		}
		if name := c.Optional("user"); name != nil {
			u, err := s.UserNamed(ctx, *name)
			if err != nil {
				return err
			}
			asked.User = u.ID
		}
		acts, err := s.Acts(ctx, asked)
		cells := all
		if c.IsTerminal() {
			cells = brief
		}
		var list [][]string
		for _, a := range acts {
			list = append(list, cells(a))
		}
		answer = cli.Answer{
			Value: map[string]any{"acts": documentsOf(acts)}, Title: "Audit", Whole: []string{"TIME (UTC)", "OUTCOME"}, Heads: []string{"TIME (UTC)", "WHO", "FROM", "WHAT", "WITH", "OUTCOME"}, Rows: cli.Rows(list...),
			Empty: "No entries.", Foot: cli.Advise("%s shows whole ids, seconds and tokens.", to(c, "spd audit", "--json")),
		}
		return err
	})
	return answer, err
}

// entry is an entry of the audit in JSON: what it has not is null.
type entry struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	UserID  *string   `json:"user_id"`
	User    string    `json:"user"`
	Token   *string   `json:"token_id"`
	Address *string   `json:"address"`
	Request *string   `json:"request_id"`
	Action  string    `json:"action"`
	Tenant  *string   `json:"tenant_id"`
	Target  *string   `json:"target"`
	Outcome string    `json:"outcome"`
}

func documentsOf(acts []server.Act) []entry {
	entries := make([]entry, len(acts))
	for i, a := range acts {
		entries[i] = entry{
			a.ID, a.At, orNull(a.UserID), a.User, orNull(a.Token), orNull(a.Address), orNull(a.Request), a.Action, orNull(a.Tenant), orNull(a.Target), a.Outcome,
		}
	}
	return entries
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// all is an entry for a program that reads a pipe.
func all(a server.Act) []string {
	return []string{a.At.Format(time.RFC3339), a.User, a.Address, a.Action, a.Tenant, a.Target, a.Outcome}
}

// brief is an entry for people: in 80 columns whole ids would leave no room for the rest.
func brief(a server.Act) []string {
	who := a.User
	if strings.HasPrefix(who, "the sync token of ") { // of the tenant in the same line
		who = "sync token"
	}
	return []string{a.At.Format("2006-01-02 15:04"), who, a.Address, a.Action, strings.TrimSpace(begun(a.Tenant) + " " + begun(a.Target)), a.Outcome}
}

// begun is how the id of a tenant or token begins; a name stays as it is.
func begun(word string) string {
	if server.IsID(word) {
		return word[:8] + "…"
	}
	return word
}
