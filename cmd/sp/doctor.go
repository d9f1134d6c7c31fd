package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/project"
	"github.com/urfave/cli/v3"
)

// errUnwell is what doctor ends with when something is wrong. Its table is the
// answer all the same.
var errUnwell = errors.New("something is wrong")

func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look at what can be wrong, and mend what is safe to mend",
		Description: "One line a finding: result, check, message. Exit 6 if a result is an error.\n\n" +
			"  error    commands refuse because of it, or others can have the secrets: files and\n" +
			"           directories of others or open to them, a damaged registry, secrets in git,\n" +
			"           a tenants.json that can't be read\n" +
			"  warning  it may go wrong: stale, masked, alike, left over, behind, a network's files,\n" +
			"           a tenants.json that somebody else changed\n" +
			"  info, ok, skipped, fixed\n\n" +
			"--fix takes rights from others, completes .gitignore, migrates, brings files that\n" +
			"follow the registry up to date, removes temporary files and expired copies. It never\n" +
			"removes a journal, overwrites what somebody else wrote, changes an owner, or touches\n" +
			"a secret.\n" +
			"--connect logs in to the database that sp resolve would name, within 5 seconds.",
		Flags: []cli.Flag{
			boolFlag("fix", "mend what is safe to mend"),
			boolFlag("connect", "log in to the resolved database"),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			c := &checkup{app: a, fix: cmd.Bool("fix"), connect: cmd.Bool("connect")}
			findings, err := c.run(ctx)
			if err != nil {
				return err
			}
			return a.answerFindings(findings)
		},
	}
}

// need is what must be in order before a check can be made.
type need int

const (
	needNothing   need = iota
	needDirectory      // it was found, and can be looked at
	needFile           // sp.db is a file that SQLite may open
	needOurs           // it is a registry of this program's version
	needRegistry       // its schema and its pages are as this program makes them
)

// check is one row of the table of checks.
type check struct {
	name string
	need need
	look func(context.Context) []diagnosis
}

// checkup is one run of doctor, and what it knows so far.
type checkup struct {
	*app
	fix, connect bool
	dir          project.Dir
	have         need
	interrupted  bool // a change was, before doctor looked, which rolls it back
	mended       bool
	survey       *survey // of all tenants; three checks share it
}

// checks are all of them, in order: a check may rely on those before it.
func (c *checkup) checks() []check {
	return []check{
		{"directory", needNothing, c.checkDirectory},
		{"parents", needDirectory, c.checkParents},
		{"file-system", needDirectory, c.checkFileSystem},
		{"gitignore", needDirectory, c.checkGitignore},
		{"tracked-by-git", needDirectory, c.checkTracked},
		{"secret-files", needDirectory, c.checkSecretFiles},
		{"lock", needDirectory, c.checkLock},
		{"registry-file", needDirectory, c.checkFile},
		{"journal", needFile, c.checkJournal},
		{"schema", needFile, c.checkSchema},
		{"integrity", needOurs, c.checkIntegrity},
		{"foreign-keys", needOurs, c.checkForeignKeys},
		{"export", needRegistry, c.checkExportStanding},
		{"files", needRegistry, c.checkFiles},
		{"temporary-files", needDirectory, c.checkTemporaries},
		{"copies", needDirectory, c.checkCopies},
		{"kept-secrets", needRegistry, c.checkKeptSecrets},
		{"selection", needRegistry, c.checkSelection},
		{"profiles", needRegistry, c.checkProfiles},
		{"synced", needRegistry, c.checkSynced},
		{"credentials", needRegistry, c.checkCredentials},
		{"urls", needRegistry, c.checkURLs},
		{"names", needRegistry, c.checkNames},
		{"databases", needRegistry, c.checkDatabases},
		{"database", needRegistry, c.checkDatabase},
		{"docker-build", needDirectory, c.checkDocker},
	}
}

func (c *checkup) run(ctx context.Context) ([]diagnosis, error) {
	if _, err := c.wait(); err != nil { // wrong usage is no trouble of the registry's
		return nil, err
	}
	if c.fix {
		var stop func()
		ctx, stop = c.untilSignal(ctx)
		defer stop()
	}
	if refusal := c.untrusted(ctx); refusal != nil {
		return []diagnosis{*refusal}, nil
	}
	var all []diagnosis
	var told *signalError
	for _, check := range c.checks() {
		findings := c.examine(ctx, check)
		if errors.As(context.Cause(ctx), &told) { // what could not be found out then says nothing
			return nil, told
		}
		for _, f := range findings {
			f.Check = check.name
			all = append(all, f)
		}
	}
	c.done.Made = c.mended
	return all, nil
}

// examine makes one check. With --fix it mends what can be mended and looks again:
// what is said to be fixed is gone. Once the context has ended, it begins nothing.
func (c *checkup) examine(ctx context.Context, check check) []diagnosis {
	if c.have < check.need {
		return []diagnosis{skip("%s", whyNot(c.have))}
	}
	findings := check.look(ctx)
	if !c.fix {
		return findings
	}
	outcomes := map[string]error{} // of what was tried, by its message
	var mended []diagnosis
	for _, f := range findings {
		if f.mend == nil || ctx.Err() != nil {
			continue
		}
		outcomes[f.Message] = f.mend(ctx)
		mended = append(mended, f)
	}
	if len(mended) == 0 {
		return findings
	}
	return c.conclude(mended, outcomes, check.look(ctx))
}

// errStill is the outcome of what was mended without an error and is there still.
var errStill = errors.New("it is as it was")

// conclude says what of the mended is gone, and what the second look found.
func (c *checkup) conclude(mended []diagnosis, outcomes map[string]error, left []diagnosis) []diagnosis {
	var all []diagnosis
	for i, f := range left {
		if err, tried := outcomes[f.Message]; tried {
			left[i] = f.unmended(cmp.Or(err, errStill))
			delete(outcomes, f.Message)
		}
	}
	for _, f := range mended {
		switch err, gone := outcomes[f.Message]; {
		case gone && err != nil: // it shows otherwise now
			all = append(all, f.unmended(err))
		case gone:
			all = append(all, diagnose(resultFixed, "%s", f.mended))
			c.mended = true
		}
	}
	for _, f := range left {
		if f.Result != resultOK || len(all) == 0 {
			all = append(all, f)
		}
	}
	return all
}

func whyNot(have need) string {
	switch have {
	case needNothing:
		return "there is no safe directory to look at"
	case needDirectory:
		return "sp.db can't be opened"
	}
	return "the registry can't be relied on"
}
