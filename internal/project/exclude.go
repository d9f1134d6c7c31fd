package project

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
)

// Git's own info/exclude belongs to no branch: checkout, stash and clean leave it alone
// where they take .gitignore away. So the rules of the directory stand there, too, as a
// block between these lines.
const (
	excludeBegin = "# sp: begin. What sp keeps in this directory is secret, and stays out of git also on a\n" +
		"# branch that has no .gitignore there. See sp doctor."
	excludeEnd = "# sp: end"
)

// repository is the git repository whose work tree a directory is in, as files tell it
// without git.
type repository struct {
	// root is the work tree, and common what all work trees of the repository share.
	root, common string
	// linked tells that another work tree is the main one.
	linked bool
}

// repositoryOf returns the repository of a directory, whose path is free of links. There
// is none unless every step from `.git` on is this user's own and no link: what is written
// behind another one would be written for somebody else.
func repositoryOf(dir string) (r repository, found bool) {
	r.root = dir
	for !exists(filepath.Join(r.root, ".git")) {
		if r.root == filepath.Dir(r.root) {
			return r, false
		}
		r.root = filepath.Dir(r.root)
	}
	r.common = filepath.Join(r.root, ".git")
	if isOwn(r.common, fs.ModeDir) {
		return r, true
	}
	private, ok := ownPathIn(r.common, r.root, "gitdir: ")
	if !ok {
		return r, false
	}
	r.common, r.linked = ownPathIn(filepath.Join(private, "commondir"), private, "")
	if !r.linked { // a submodule, or a repository that was put elsewhere
		r.common = private
	}
	return r, exists(filepath.Join(r.common, "HEAD"))
}

// MainOf returns the directory with a registry that the main work tree has where dir, an
// absolute path free of links, is in one that was added to it.
func MainOf(dir string) (main Dir, found bool) {
	r, found := repositoryOf(dir)
	if !found || !r.linked || filepath.Base(r.common) != ".git" {
		return main, false
	}
	for up := dir; ; up = filepath.Dir(up) {
		inside, err := filepath.Rel(r.root, up)
		if err != nil || !filepath.IsLocal(inside) {
			return main, false
		}
		main, err = At(filepath.Join(filepath.Dir(r.common), inside, Name))
		if err == nil && exists(main.Registry()) {
			return main, true
		}
	}
}

// ownPathIn returns the directory that a file of git's names, by a path from base, if
// both are this user's own.
func ownPathIn(file, base, prefix string) (string, bool) {
	if !isOwn(file, 0) {
		return "", false
	}
	text, err := os.ReadFile(file)
	named, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), prefix)
	if err != nil || !ok || named == "" {
		return "", false
	}
	if !filepath.IsAbs(named) {
		named = filepath.Join(base, named)
	}
	actual, err := filepath.EvalSymlinks(named)
	return actual, err == nil && isOwn(actual, fs.ModeDir)
}

// isOwn tells whether what stands at a path is this user's, and of this kind.
func isOwn(path string, kind fs.FileMode) bool {
	info, err := os.Lstat(path)
	return err == nil && place.IsOwn(info) && info.Mode().Type() == kind
}

// excluded returns the block for the directory, anchored at the work tree's root.
func (r repository) excluded(d Dir) (block string, err error) {
	inside, err := filepath.Rel(r.root, d.path)
	if err != nil {
		return "", err
	}
	at := "/"
	if inside != "." {
		for _, name := range strings.Split(filepath.ToSlash(inside), "/") {
			at += escapeName(name) + "/"
		}
	}
	lines := []string{excludeBegin, at + "**"}
	for _, rule := range ignored {
		if shown, negated := strings.CutPrefix(rule, "!/"); negated {
			lines = append(lines, "!"+at+shown)
		}
	}
	return strings.Join(append(lines, excludeEnd), "\n") + "\n", nil
}

// exclude puts the directory's rules into git's info/exclude, and returns that file's path
// if they were not there. Where they can't be, .gitignore has to do.
func (d Dir) exclude() (completed []string) {
	r, found := repositoryOf(d.path)
	if !found {
		return nil
	}
	block, err := r.excluded(d)
	if err != nil {
		return nil
	}
	f := r.excludeFile()
	dir := filepath.Dir(string(f))
	if err := os.Mkdir(dir, 0o755); err != nil && !isOwn(dir, fs.ModeDir) {
		return nil
	}
	text, there, err := f.read()
	switch {
	case err != nil, there && !isOwn(string(f), 0), strings.Contains(text, block):
		return nil
	case there:
		err = f.append(text, strings.TrimSuffix(block, "\n"))
	default:
		err = f.place(strings.TrimSuffix(block, "\n"))
	}
	if err != nil {
		return nil
	}
	return []string{string(f)}
}

func (r repository) excludeFile() ignoreFile {
	return ignoreFile(filepath.Join(r.common, "info", "exclude"))
}

// IgnoreStamp is what the file system says, without reading them, of the files that keep
// the directory out of git, and when they were changed last: as long as the stamp is the
// same, they hold the same. It is empty where .gitignore is missing.
func (d Dir) IgnoreStamp() (stamp string, changed time.Time) {
	files := []ignoreFile{d.ignoreFile()}
	if r, found := repositoryOf(d.path); found {
		files = append(files, r.excludeFile())
	}
	for _, f := range files {
		var stat unix.Stat_t
		if err := unix.Lstat(string(f), &stat); err != nil {
			return "", changed
		}
		stamp += fmt.Sprintf("%d %d %d %d ", stat.Ino, stat.Size, unix.TimespecToNsec(stat.Mtim), unix.TimespecToNsec(stat.Ctim))
		if at := time.Unix(stat.Ctim.Unix()); at.After(changed) {
			changed = at
		}
	}
	return stamp, changed
}
