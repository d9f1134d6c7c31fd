package doctor

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/workspace"
)

// checkDirectory finds the directory. In one that others can write in nothing is
// looked at: a journal that they put there would be rolled into the registry.
func (c *Checkup) checkDirectory(ctx context.Context) []Diagnosis {
	dir, err := c.Locate()
	if err == nil {
		err = dir.CheckTracked(ctx, c.Git())
	}
	if err != nil {
		return []Diagnosis{c.trouble(err)}
	}
	mode, err := dir.Mode()
	if err != nil {
		return []Diagnosis{c.trouble(err)}
	}
	path, tighten := dir.Path(), func(context.Context) error { return dir.Tighten() }
	if mode&0o022 != 0 {
		return []Diagnosis{wrong("%s: others can write in it, mode %04o", path, mode).remedy("chmod 700 %s", project.Quoted(path)).
			mendable(tighten, "%s: others could write in it until now, mode %04o", path, mode)}
	}
	c.dir, c.have = dir, needDirectory
	switch {
	case mode&0o055 != 0:
		return []Diagnosis{warn("%s: others can look into it, mode %04o", path, mode).remedy("chmod 700 %s", project.Quoted(path)).
			mendable(tighten, "%s: others could look into it until now, mode %04o", path, mode)}
	case mode&0o700 != 0o700:
		return []Diagnosis{warn("%s: you can't change what is in it, mode %04o", path, mode).remedy("chmod 700 %s", project.Quoted(path))}
	}
	return []Diagnosis{fine("%s", path)}
}

// checkParents looks at what is above the directory. Commands refuse one that somebody
// else could replace, and so does this.
func (c *Checkup) checkParents(context.Context) []Diagnosis {
	if err := c.CheckAbove(c.dir.Path()); err != nil {
		c.have = needNothing
		return []Diagnosis{c.trouble(err)}
	}
	return []Diagnosis{fine("nobody else can replace the directory")}
}

func (c *Checkup) checkFileSystem(context.Context) []Diagnosis {
	name, err := c.dir.RemoteFileSystem()
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case name != "":
		return []Diagnosis{warn("%s: on %s, locks may not be seen by everybody, and changes may be lost", c.dir.Path(), name).
			remedy("keep the registry on a local disk: --dir or SP_DIR")}
	}
	return []Diagnosis{fine("locks can be relied on")}
}

// checkGitignore asks git what it would track. Outside a work tree it may be asked
// once there is one.
func (c *Checkup) checkGitignore(ctx context.Context) []Diagnosis {
	exposed, here, err := c.dir.Exposed(ctx, c.Git())
	switch {
	case err != nil:
		return []Diagnosis{c.trouble(err)}
	case len(exposed) == 0:
		return []Diagnosis{fine("the secrets stay out of git")}
	}
	path := filepath.Join(c.dir.Path(), ".gitignore")
	bad := warn
	switch {
	case c.dir.InWorkTree() && here: // as on a branch without the file
		return []Diagnosis{warn("%s: it does not keep %s out of git; what does is a rule of this machine alone", path, some(exposed)).
			remedy("%s completes it", to("sp init"))}
	case c.dir.InWorkTree():
		bad = wrong
	}
	complete := func(ctx context.Context) error {
		_, err := c.dir.EnsureIgnored(ctx, c.Git())
		return err
	}
	return []Diagnosis{bad("%s: it does not keep %s out of git", path, some(exposed)).remedy("%s completes it", to("sp doctor", "--fix")).
		mendable(complete, "%s: it did not keep %s out of git until now", path, some(exposed))}
}

func (c *Checkup) checkTracked(ctx context.Context) []Diagnosis {
	switch {
	case !c.dir.InWorkTree():
		return []Diagnosis{fine("it is in no git work tree")}
	case c.Git().Path == "":
		return []Diagnosis{skip("git is not there to be asked")}
	}
	tracked, err := c.dir.TrackedSecrets(ctx, c.Git())
	if errors.Is(err, project.ErrGit) {
		return []Diagnosis{warn("whether git tracks a secret is not known: %v", err)}
	}
	var findings bounded
	for _, path := range tracked {
		findings.add(wrong("git tracks %s; consider its secrets known to all who have the repository", path).
			remedy("git -C %s rm --cached -f -- %s", project.Quoted(c.dir.Path()), project.Quoted(path)))
	}
	if err == nil {
		err = c.addLeaks(ctx, &findings)
	}
	return c.troubled(orFine(findings.all(), "git tracks no secret"), err)
}

// addLeaks tells of secrets in git's history: nothing takes them back from who has it.
func (c *Checkup) addLeaks(ctx context.Context, findings *bounded) error {
	leaks, err := c.dir.Leaks(ctx, c.Git())
	if errors.Is(err, project.ErrGit) {
		findings.add(warn("whether git's history holds a secret is not known: %v", err).
			remedy("git -C %s log --all --stat -- .", project.Quoted(c.dir.Path())))
		return nil
	}
	for _, l := range leaks {
		findings.add(warn("git's history holds %s since commit %s, whether git tracks it or not; all who have the repository have what was in it", l.Path, l.Commit).
			remedy("rotate its passwords and keys: %s, %s", to("sp tenant rotate-credentials", "ID"), to("sp secrets set", "KEY")))
	}
	return err
}

// checkDocker looks for builds that would take the directory along into an image.
func (c *Checkup) checkDocker(context.Context) []Diagnosis {
	contexts, err := c.dir.BuildContexts()
	var findings bounded
	for _, b := range contexts {
		findings.add(warn("%s: its build context includes the secrets; COPY . bakes them into the image", b.Dockerfile).
			remedy("printf '\\n%%s\\n' %s >> %s", project.Quoted(b.Rule), project.Quoted(b.Ignore)))
	}
	return c.troubled(orFine(findings.all(), "no Dockerfile takes the secrets along"), err)
}

// checkSecretFiles looks at all that may hold a secret but sp.db itself.
func (c *Checkup) checkSecretFiles(context.Context) []Diagnosis {
	loose, err := c.dir.LooseSecrets()
	var findings bounded
	for _, l := range loose {
		path := filepath.Join(c.dir.Path(), l.Path)
		switch {
		case l.Strange:
			findings.add(wrong("%s: it belongs to user %d", path, l.Owner).remedy("chown it, or run as that user"))
		case l.Readable():
			findings.add(c.reachable(path, l.Mode, func(context.Context) error { return c.dir.TightenFile(l.Path) }))
		case l.Names > 1:
			findings.add(warn("%s: it has another name, a hard link", path).remedy("remove the other one"))
		}
	}
	return c.troubled(orFine(findings.all(), "only you can reach them"), err)
}

// reachable is the finding of a file that others can reach.
func (c *Checkup) reachable(path string, mode fs.FileMode, tighten func(context.Context) error) Diagnosis {
	return wrong("%s: others can reach it, mode %04o", path, mode).remedy("chmod 600 %s", project.Quoted(path)).
		mendable(tighten, "%s: others could reach it until now, mode %04o; consider its secrets known to them", path, mode)
}

// checkTemporaries looks for what a command left when it was stopped. While a change
// is being made, they may be in use.
func (c *Checkup) checkTemporaries(context.Context) []Diagnosis {
	left, err := c.dir.Temporaries()
	if err != nil {
		return []Diagnosis{c.trouble(err)}
	}
	if held, _, _ := db.Holder(c.dir.Registry()); held && len(left) > 0 { // checkLock tells of an error
		return []Diagnosis{inform("%s: a command is running, and may use it", some(pathsOf(left)))}
	}
	var findings bounded
	sweep := once(c.catchUp(false))
	for _, t := range left {
		findings.add(c.temporary(t, sweep))
	}
	return orFine(findings.all(), "nothing is left over")
}

// temporary is the finding of a file that a command left; sweep is a change, which
// removes those that are made under the lock.
func (c *Checkup) temporary(t project.Temporary, sweep func(context.Context) error) Diagnosis {
	path := cmp.Or(t.Outside, filepath.Join(c.dir.Path(), t.Path))
	left := warn("%s: left by a command that was stopped", path)
	switch {
	case t.Free() && c.Now().Sub(t.Time).Abs() < time.Minute: // made without the lock, perhaps just now
		return inform("%s: a command is making it, or was stopped just now", path)
	case t.Free():
		return left.remedy("rm -- %s", project.Quoted(path)).
			mendable(func(context.Context) error { return c.dir.RemoveTemporary(t) }, "%s: removed", path)
	case t.Kept():
		return ofKept(path, t.Of())
	case !t.Ours():
		return left.remedy("rm -- %s, if no program uses it", project.Quoted(path))
	case c.have < needRegistry:
		return left.remedy("the next change removes it")
	}
	return left.remedy("the next change removes it").mendable(sweep, "%s: removed", path)
}

// ofKept is the finding of what another program wrote into a file while sp replaced that.
func ofKept(path, of string) Diagnosis {
	left := warn("%s: another program wrote it while sp replaced the file", path)
	switch {
	case of == workspace.TrackedName:
		return left.remedy("the next change of a tenant merges it")
	case filepath.Ext(of) == ".json":
		return left.remedy("the next change merges it")
	}
	return left.remedy("take from it what you need; then rm -- %s", project.Quoted(path))
}

// once runs fn the first time only; its outcome is that of every time.
func once(fn func(context.Context) error) func(context.Context) error {
	done, outcome := false, error(nil)
	return func(ctx context.Context) error {
		if !done {
			done, outcome = true, fn(ctx)
		}
		return outcome
	}
}

func pathsOf(left []project.Temporary) []string {
	paths := make([]string, len(left))
	for i, t := range left {
		paths[i] = t.Path
	}
	return paths
}
