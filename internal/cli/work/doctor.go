package work

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/doctor"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
)

// Doctor is `sp doctor`.
func Doctor() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look for problems, and repair what is safe to repair",
		Description: "At a terminal, problems come first. A pipe gets one line for each check: result,\n" +
			"check, message. If there is an error, the exit code is 6.\n\n" +
			"  error    other commands refuse because of it, or others could read your\n" +
			"           secrets: files that are not yours or are open to others, a damaged\n" +
			"           registry, secrets in git, a tenants.json that can't be read\n" +
			"  warning  it may go wrong later: an old sync, masked URLs, names that look\n" +
			"           alike, leftovers, files that are behind, a network file system, a\n" +
			"           tenants.json that somebody else changed\n" +
			"  info, ok, skipped, fixed\n\n" +
			"--fix takes access from other users, completes .gitignore, migrates the\n" +
			"registry, brings the files that follow it up to date, and removes temporary\n" +
			"files and expired copies. It never removes a journal, overwrites what somebody\n" +
			"else wrote, changes an owner, or touches a secret.\n" +
			"--connect logs in to the database in effect; it gives up after 5 seconds.",
		Flags: []cli.Flag{
			cli.Bool("fix", "repair what is safe to repair"),
			cli.Bool("connect", "also log in to the database in effect"),
		},
		Run: task.Run(checkUp),
	}
}

func checkUp(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if _, err := t.Wait(); err != nil { // wrong usage is no trouble of the registry's
		return cli.Answer{}, err
	}
	c := &doctor.Checkup{Means: means(t), Fix: t.Bool("fix"), Connect: t.Bool("connect")}
	findings, err := findings(ctx, t, c)
	if err != nil {
		return cli.Answer{}, err
	}
	t.Made = c.Mended
	if t.IsTerminal() && !t.JSON && nothingThere(t, findings) {
		return cli.Answer{}, noRegistry(findings)
	}
	unwell := unwellOf(findings)
	answer := cli.Answer{Value: checkupOf(t, findings, unwell), Rows: cli.Rows(rowsOf(findings)...)}
	if t.IsTerminal() {
		answer.Rows, answer.Foot = problems(findings), cli.Advise("%s", foot(findings))
		answer.Wrap = true
	}
	return answer, unwell
}

// findings runs the checkup. What mends something is stopped with nothing half done.
func findings(ctx context.Context, t *task.Task, c *doctor.Checkup) (found []doctor.Diagnosis, err error) {
	if !c.Fix {
		return c.Run(ctx)
	}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		found, err = c.Run(ctx)
		return err
	})
	return found, err
}

func means(t *task.Task) doctor.Means {
	return doctor.Means{
		Now: t.Now, Locate: t.Located, CheckAbove: t.CheckAbove, Git: t.Git, Workspace: t.Workspace,
		Change: t.ChangeIn, Request: t.Request,
		Machine: func(dir project.Dir) *hosting.Machine { return t.Machine(dir, nil) },
		Explain: func(err error) (message, hint string) {
			f := t.FailureOf(task.AdviseLogin(task.AdviseResolving(err)))
			if f.Hint != nil {
				hint = *f.Hint
			}
			return f.Message, hint
		},
		Printable: cli.Printable, MaxAge: task.DefaultMaxAge,
	}
}

// unwellOf is the error that a checkup ends with which found one.
func unwellOf(findings []doctor.Diagnosis) error {
	errors := count(findings, doctor.Error)
	if errors == 0 {
		return nil
	}
	unwell := fmt.Errorf("%w: %s", task.ErrUnwell, cli.Counted(errors, "error"))
	if slices.ContainsFunc(findings, doctor.Diagnosis.Mendable) {
		unwell = cli.Hint(unwell, "%s repairs what is safe to repair", cli.To("sp doctor", "--fix"))
	}
	return unwell
}

func count(findings []doctor.Diagnosis, result doctor.Result) (n int) {
	for _, f := range findings {
		if f.Result == result {
			n++
		}
	}
	return n
}

// checkup is a checkup in JSON: what was found, and the error that it ends with.
type checkup struct {
	Checks []diagnosis  `json:"checks"`
	Error  *cli.Failure `json:"error"`
}

type diagnosis struct {
	Result  doctor.Result `json:"result"`
	Check   string        `json:"check"`
	Message string        `json:"message"`
	Remedy  *string       `json:"remedy"`
	Next    []string      `json:"next_steps"`
}

func checkupOf(t *task.Task, findings []doctor.Diagnosis, unwell error) checkup {
	c := checkup{Checks: []diagnosis{}}
	for _, f := range findings {
		d := diagnosis{Result: f.Result, Check: f.Check, Message: f.Message, Next: append([]string{}, f.Next...)}
		if f.Remedy != "" {
			d.Remedy = &f.Remedy
		}
		c.Checks = append(c.Checks, d)
	}
	if unwell != nil {
		f := t.FailureOf(unwell)
		c.Error = &f
	}
	return c
}

// rowsOf has a row for each finding.
func rowsOf(findings []doctor.Diagnosis) (rows [][]string) {
	for _, f := range findings {
		message := f.Message
		if f.Remedy != "" {
			message += " (" + f.Remedy + ")"
		}
		rows = append(rows, []string{string(f.Result), f.Check, message})
	}
	return rows
}

// bad are the results that people are shown one by one, the worst first.
var bad = []doctor.Result{doctor.Error, doctor.Warning, doctor.Fixed, doctor.Info}

// nothingThere tells whether all that is wrong is that there is no registry.
func nothingThere(t *task.Task, findings []doctor.Diagnosis) bool {
	dir, err := t.Located()
	missing := task.IsNoRegistry(err) || err == nil && !task.HasRegistry(dir)
	return missing && count(findings, doctor.Error) == 1 && count(findings, doctor.Warning) == 0
}

// noRegistry says that in a line, with what makes one.
func noRegistry(findings []doctor.Diagnosis) error {
	at := slices.IndexFunc(findings, func(f doctor.Diagnosis) bool { return f.Result == doctor.Error })
	way, _, _ := strings.Cut(findings[at].Remedy, "; ")
	return cli.Hint(fmt.Errorf("%s: %s: %w", findings[at].Message, way, cli.ErrFile), "")
}

// problems has a row for each finding that is not simply well, the worst first, and one for what helps.
// Errors stand out.
func problems(findings []doctor.Diagnosis) iter.Seq2[cli.Row, error] {
	return func(yield func(cli.Row, error) bool) {
		for _, result := range bad {
			for _, f := range findings {
				if f.Result != result {
					continue
				}
				if !yield(cli.Row{Cells: []string{string(f.Result), f.Check, f.Message}, Marked: f.Result == doctor.Error}, nil) {
					return
				}
				if f.Remedy != "" && !yield(cli.Row{Cells: []string{"", "", f.Remedy}, Kept: slices.Clone(f.Next)}, nil) {
					return
				}
			}
		}
	}
}

// foot counts what is well, where there was anything to look at.
func foot(findings []doctor.Diagnosis) string {
	well, skipped := count(findings, doctor.OK), count(findings, doctor.Skipped)
	switch {
	case well == 0 && skipped == 0:
		return ""
	case skipped == 0:
		return cli.Counted(well, "check") + " ok"
	}
	return fmt.Sprintf("%s ok, %d skipped", cli.Counted(well, "check"), skipped)
}
