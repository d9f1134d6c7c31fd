// What the commands that have not moved yet use of those on files.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// nothing is a change of nothing, which the files follow.
func nothing(context.Context, *registry.Registry) error { return nil }

// tracked is the publisher of the file that follows the registry.
func tracked(dir project.Dir) workspace.Publisher {
	return workspace.Publisher{Path: dir.Tenants(), Name: workspace.TrackedName}
}

// checkOutside holds the rule for every file that sp writes elsewhere: not in the directory
// of a registry, and not where somebody else could rename it, and give us theirs to write
// into.
func (a *app) checkOutside(dir project.Dir, path, what string) error {
	if isInRegistry(dir, path) {
		return withHint(fmt.Errorf("%s: %s in the directory of a registry: %w", path, what, registry.ErrInvalid),
			"what is in there has its own use, and goes with it; name another place")
	}
	return a.checkAbove(path)
}

// isInRegistry tells whether a path leads into the directory of a registry, this
// one or another, by whatever name.
func isInRegistry(dir project.Dir, path string) bool {
	own, err := os.Stat(dir.Path())
	if err != nil {
		return false
	}
	if _, err := os.Lstat(filepath.Join(filepath.Dir(path), filepath.Base(dir.Registry()))); err == nil {
		return true
	}
	for parent := filepath.Dir(path); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && os.SameFile(info, own) || filepath.Base(parent) == project.Name {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// checkPathWord refuses what was meant as a way to a database: it must not be
// repeated, and nothing is made under its name.
func checkPathWord(what, path string) error {
	if strings.Contains(path, "://") || pgurl.IsConnection(path) {
		return usage("%s: a way to a database where a path belongs", what)
	}
	return nil
}

// checkFileWord refuses what can't be the name of a file.
func checkFileWord(what, path string) error {
	if err := checkPathWord(what, path); err != nil {
		return err
	}
	if strings.HasSuffix(path, "/") {
		return usage("%s: %s names a directory", what, path)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// maxNoted bounds the steps that are reported beside the answer.
const maxNoted = 20

// notePlan tells what an import did, and what of a directory it left.
func (a *app) notePlan(p registry.Plan, left ...registry.Left) {
	a.noteSteps(p)
	a.noteLines(task.LinesOf(p, left))
	a.note("import: %s", task.CountSteps(p))
}

// noteSteps tells first what stays though the file says otherwise, which may not be what was meant.
func (a *app) noteSteps(p registry.Plan) {
	doubted, others := []registry.Step{}, []registry.Step{}
	for _, step := range p.Steps {
		if step.Action == registry.Stay || step.Action == registry.Gone || step.Stale != nil {
			doubted = append(doubted, step)
		} else {
			others = append(others, step)
		}
	}
	for i, step := range slices.Concat(doubted, others) {
		if i == maxNoted {
			a.note("and %d more", len(p.Steps)-i+p.Omitted)
			break
		}
		a.note("%s", task.DescribeStep(step))
	}
}

// noteLines reports the first of some lines.
func (a *app) noteLines(lines []string) {
	for i, line := range lines {
		if i == maxNoted {
			a.note("and %d more", len(lines)-i)
			return
		}
		a.note("%s", line)
	}
}

// source is a file to import. It is read more than once, so stdin is kept in a
// spool, and so is whatever else can't be read again.
type source struct {
	exporter.Source
	path string // absolute; empty for stdin
	file *os.File
}

func (a *app) openSource(ref *string) (*source, error) {
	if ref != nil && *ref == "-" {
		return a.spooled("stdin", a.stdin)
	}
	path, err := a.sourcePath(ref)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		err := fmt.Errorf("%s: Tenants not synced: there is no such file: %w", path, errFile)
		if ref == nil {
			err = withHint(err, "sp import PATH takes another")
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		defer func() { _ = file.Close() }()
		if err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s: it is a directory: %w", path, errFile)
		}
		return a.spooled(path, file)
	}
	return a.sourceOf(path, path, file)
}

// sourcePath is the path that was given, else that of the tracked file.
func (a *app) sourcePath(ref *string) (string, error) {
	if ref == nil {
		dir, err := a.project()
		return dir.Tenants(), err
	}
	if err := checkFileWord("import", *ref); err != nil {
		return "", err
	}
	return a.resolved(*ref)
}

func (a *app) sourceOf(name, path string, file *os.File) (*source, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	watch := func(r io.Reader) io.Reader { return a.watchReading(info.Size(), r) }
	return &source{Source: exporter.Source{Name: name, File: file, Watch: watch}, path: path, file: file}, nil
}

func (a *app) spooled(name string, r io.Reader) (*source, error) {
	file, err := unnamedFile("")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(file, r); err != nil {
		_ = file.Close()
		return nil, err
	}
	return a.sourceOf(name, "", file)
}

func (s *source) close() { _ = s.file.Close() }

// sayings are what a user can say of a registry of which nothing shows that it is his.
var sayings = map[string]string{
	"moved": "it is the project that you worked in, moved here",
	"copy":  "it is a copy of a project that is still in use",
}

func claimFlag(name string) cli.Flag { return boolFlag(name, sayings[name]) }

func claimed(cmd *cli.Command) (db.Claim, error) {
	switch {
	case cmd.Bool("moved") && cmd.Bool("copy"):
		return db.Unclaimed, usage("--moved, --copy: it is one or the other")
	case cmd.Bool("moved"):
		return db.Moved, nil
	case cmd.Bool("copy"):
		return db.Copied, nil
	}
	return db.Unclaimed, nil
}

// refuseTracked refuses to trust a registry that git tracks: whoever can push changes it.
func (a *app) refuseTracked(ctx context.Context, dir project.Dir) error {
	tracked, err := dir.Tracked(ctx, a.git(), "sp.db", "sp.db-journal", "sp.db-wal", "sp.db-shm", db.PlaceName)
	if err != nil {
		return err
	}
	if len(tracked) > 0 {
		return withHint(fmt.Errorf("%s: %w: git tracks it, so whoever can push can change it", dir.Full(tracked[0]), db.ErrUntrusted),
			"git -C %s rm --cached -- %s, commit that, then sp trust", project.Quoted(dir.Path()), strings.Join(tracked, " "))
	}
	return nil
}

// claim shows what a registry leads to, unless something shows that it is this user's, and
// finds out what he says of it.
func (a *app) claim(ctx context.Context, cmd *cli.Command, dir project.Dir, source db.Source, claim db.Claim) (db.Claim, error) {
	options, err := a.options(dir)
	if err != nil {
		return claim, err
	}
	stranger, err := registry.Look(ctx, dir.Registry(), options, source)
	if err != nil || stranger.Known {
		return claim, err
	}
	a.showStranger(ctx, dir, source.Name, stranger)
	switch {
	case stranger.CopyOf != "" && claim == db.Moved:
		return claim, withHint(fmt.Errorf("%s: it is a copy, for %s is still there: %w", source.Name, stranger.CopyOf, registry.ErrInUse),
			"sp trust --copy, or remove the other one first")
	case stranger.CopyOf != "", claim == db.Unclaimed && cmd.Bool("yes"):
		claim = db.Copied
	}
	if claim != db.Unclaimed && cmd.Bool("yes") {
		return claim, nil
	}
	return a.askClaim(ctx, source.Name, claim)
}

// askClaim asks at a terminal; without one, a flag has to have said it, and -y with it.
func (a *app) askClaim(ctx context.Context, name string, claim db.Claim) (db.Claim, error) {
	question := "Is it the project that you worked in, moved here (m), or a copy of one that is still in use (c)? [m/c/N]"
	yes := map[string]db.Claim{"m": db.Moved, "moved": db.Moved, "c": db.Copied, "copy": db.Copied}
	if claim != db.Unclaimed {
		question = "Trust it? [y/N]"
		yes = map[string]db.Claim{"y": claim, "yes": claim}
	}
	if !a.terminal(int(a.stdin.Fd())) {
		return db.Unclaimed, withHint(fmt.Errorf("%s: trust it: %w", name, errConfirm), "sp trust --moved -y, or sp trust --copy -y, if you know where it comes from")
	}
	a.clearProgress()
	fmt.Fprint(a.stderr, "sp: "+question+" ")
	answer, err := readLine(ctx, a.stdin)
	if err != nil {
		return db.Unclaimed, err
	}
	claim, ok := yes[strings.ToLower(answer)]
	if !ok {
		return db.Unclaimed, fmt.Errorf("%s: trust it: %w", name, errConfirm)
	}
	return claim, nil
}

// maxShown is how many tenants are shown one by one.
const maxShown = 50

// showStranger says on stderr what there is to know before a registry is trusted. No
// secret of it is shown, and nothing of it is used.
func (a *app) showStranger(ctx context.Context, dir project.Dir, name string, s registry.Stranger) {
	a.note("%s: nothing on this machine shows that this registry is yours", name)
	if since, err := dir.Since(); err == nil && !since.IsZero() {
		a.note("it stands in %s since %s", dir.Path(), registry.FormatTime(since))
	}
	if tracked, err := dir.Tracked(ctx, a.git()); err == nil && len(tracked) > 0 {
		a.note("git tracks of it: %s", some(tracked))
	}
	if s.CopyOf != "" {
		a.note("it is a copy of %s, which is still there", s.CopyOf)
	}
	a.note("%s:", counted(len(s.Tenants), "tenant"))
	for i, t := range s.Tenants {
		if i == maxShown {
			a.note("  and %d more", len(s.Tenants)-i)
			break
		}
		a.note("  %s (%s): %s", t.ID, t.Name, describeOwnURL(t))
	}
	for _, server := range s.Servers {
		a.note("server %s: %s", server.Name, pgurl.Describe(server.Admin))
	}
}

// describeOwnURL says where a tenant's connection would go.
func describeOwnURL(t registry.Tenant) string {
	if !t.HasDatabaseURL() {
		return "no database"
	}
	return pgurl.Describe(*t.OwnURL())
}

func linesOf(p registry.Plan, left []registry.Left) []string { return task.LinesOf(p, left) }
