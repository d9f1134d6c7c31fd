// Package doctor checks a project's directory, its registry and the files that follow it, and
// repairs what is safe to repair. It asks nobody and prints nothing.
//
// A check is a row of the table checks. It returns a Diagnosis for each finding, which may carry a
// repair. After a repair the check runs again, so what doctor calls mended is gone.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/workspace"
)

// Means is what a checkup may use of the outside world.
type Means struct {
	Now func() time.Time
	// Locate finds the directory even if something is wrong with it. CheckAbove refuses a directory
	// that another user could replace.
	Locate     func() (project.Dir, error)
	CheckAbove func(path string) error
	Git        func() project.Git
	Workspace  func(project.Dir) (*workspace.Workspace, error)
	// Change makes a change and reports what came with it.
	Change func(context.Context, project.Dir, workspace.Change) error
	// Request is what to ask the resolver. Machine logs in to databases.
	Request func(project.Dir) resolver.Request
	Machine func(project.Dir) *hosting.Machine
	// Explain describes an error, with its hints in a line each.
	Explain func(error) (message, hint string)
	// Printable escapes unprintable characters of a text.
	Printable func(string) string
	// MaxAge is how old the last sync may be.
	MaxAge time.Duration
}

// Checkup is one run of all checks, with what it knows so far.
type Checkup struct {
	Means
	// Fix repairs what is safe to repair. Connect logs in to the database in effect.
	Fix, Connect bool
	// Mended reports that something was repaired.
	Mended bool

	dir         project.Dir
	have        need
	interrupted bool    // a change was, before this looked, which rolls it back
	survey      *survey // of all tenants; three checks share it
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
	look func(context.Context) []Diagnosis
}

// checks are all of them, in order: a check may rely on those before it.
func (c *Checkup) checks() []check {
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
		{"export", needRegistry, c.checkExport},
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

// Checks returns the names of all checks, in order.
func Checks() (names []string) {
	for _, check := range (&Checkup{}).checks() {
		names = append(names, check.name)
	}
	return names
}

// Run runs all checks. Each yields at least one finding, even if only that it was skipped. If the
// registry is not trusted, that is the only finding. If the context ends, Run returns its error.
func (c *Checkup) Run(ctx context.Context) ([]Diagnosis, error) {
	if refusal := c.untrusted(ctx); refusal != nil {
		return []Diagnosis{*refusal}, nil
	}
	var all []Diagnosis
	for _, check := range c.checks() {
		findings := c.examine(ctx, check)
		if ctx.Err() != nil { // what could not be found out then says nothing
			return nil, context.Cause(ctx)
		}
		for _, f := range findings {
			f.Check = check.name
			all = append(all, f)
		}
	}
	return all, nil
}

// examine makes one check. With Fix it mends what can be mended and looks again:
// what is said to be fixed is gone. Once the context has ended, it begins nothing.
func (c *Checkup) examine(ctx context.Context, check check) []Diagnosis {
	if c.have < check.need {
		return []Diagnosis{skip("%s", whyNot(c.have))}
	}
	findings := check.look(ctx)
	if !c.Fix {
		return findings
	}
	outcomes := map[string]error{} // of what was tried, by its message
	var mended []Diagnosis
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
func (c *Checkup) conclude(mended []Diagnosis, outcomes map[string]error, left []Diagnosis) []Diagnosis {
	var all []Diagnosis
	for i, f := range left {
		if err, tried := outcomes[f.Message]; tried {
			left[i] = c.unmended(f, cmp.Or(err, errStill))
			delete(outcomes, f.Message)
		}
	}
	for _, f := range mended {
		switch err, gone := outcomes[f.Message]; {
		case gone && err != nil: // it shows otherwise now
			all = append(all, c.unmended(f, err))
		case gone:
			all = append(all, diagnose(Fixed, "%s", f.mended))
			c.Mended = true
		}
	}
	for _, f := range left {
		if f.Result != OK || len(all) == 0 {
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

// read runs fn on one instant of the registry.
func (c *Checkup) read(ctx context.Context, fn func(*registry.View) error) error {
	w, err := c.Workspace(c.dir)
	if err != nil {
		return err
	}
	return w.Read(ctx, fn)
}
