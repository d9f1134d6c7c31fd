package project

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// IgnoreExport makes ready for a file with secrets at an absolute path outside the
// directory, and tells whether it wrote a .gitignore. Where the file's directory
// is missing it is made, 0700, with a .gitignore of `*`; in one that was there and
// belongs to a work tree, lines for this one file, and for what is left of it where
// a command is killed, are appended to the directory's .gitignore unless git ignores
// them anyway. Here rules that only this machine has do count, for the file is only
// on this machine.
func IgnoreExport(ctx context.Context, git Git, file string) (bool, error) {
	if err := checkAbsolute(file); err != nil {
		return false, err
	}
	dir, name := filepath.Dir(file), filepath.Base(file)
	if name == ".gitignore" || name == dir {
		return false, fmt.Errorf("%s: %w: an export can't take its place", file, ErrInvalid)
	}
	made, err := makeAll(dir)
	if err != nil {
		return false, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // what counts is whose work tree it is in
		return false, err
	}
	ignore := ignoreFileIn(dir)
	if made {
		return true, ignore.place("*")
	}
	ignore.sweep()
	rules, text, err := ignore.lacksForExport(ctx, git, name)
	if len(rules) == 0 || err != nil {
		return false, err
	}
	if err := ignore.append(text, rules...); err != nil {
		return false, err
	}
	if rules, _, err = ignore.lacksForExport(ctx, git, name); err == nil && len(rules) > 0 {
		err = ignore.refuse("git would track "+name+" all the same", "export to another directory")
	}
	return true, err
}

// IsTracked tells whether git tracks the file at an absolute path already, which
// no rule changes; where git does not answer, the error is ErrGit.
func IsTracked(ctx context.Context, git Git, file string) (bool, error) {
	dir := filepath.Dir(file)
	if git.Path == "" || !inWorkTree(dir) {
		return false, nil
	}
	answer, err := git.run(ctx, dir, nil, "ls-files", "-z", "--", ":(icase,literal)"+filepath.Base(file))
	return answer != "", err
}

// lacksForExport returns the rules without which the file of that name beside f, or
// what is left of it, would not stay out of git, and what text f holds.
func (f ignoreFile) lacksForExport(ctx context.Context, git Git, name string) (rules []string, text string, err error) {
	dir := filepath.Dir(string(f))
	if !inWorkTree(dir) {
		return nil, "", nil
	}
	rule := escapeName(name)
	secrets := []exposure{
		{path: name, rule: "/" + rule},
		{path: "." + name + ".1.tmp", rule: "/." + rule + ".*.tmp"},
	}
	verdicts, unanswered := git.verdicts(ctx, dir, []string{secrets[0].path, secrets[1].path})
	if unanswered == nil && verdicts[0].ignored() && verdicts[1].ignored() {
		return nil, "", nil
	}
	if unanswered != nil && !errors.Is(unanswered, ErrGit) {
		return nil, "", unanswered
	}
	text, _, err = f.read()
	for i, s := range secrets {
		if unanswered == nil && !verdicts[i].ignored() || unanswered != nil && !covers(text, s.rule) {
			rules = append(rules, s.rule)
		}
	}
	return rules, text, err
}

// escapeName writes a file's name so that git takes it literally behind a `/`. A
// line break can't be written; `?` stands for it.
func escapeName(name string) string {
	bare := strings.TrimRight(name, " ")
	escaped := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, "\n", "?", "\r", "?").Replace(bare)
	return escaped + strings.Repeat(`\ `, len(name)-len(bare))
}
