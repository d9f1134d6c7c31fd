package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// secrecy is a rule of .gitignore and paths that it must keep out of git. A `*`
// of a path stands for the name of a profile.
type secrecy struct {
	rule  string
	paths []string
}

// secrecies are the secret files of the directory, sp's and the original tool's:
// databases, URLs, tokens, and the docker files, which hold passwords.
var secrecies = []secrecy{
	{"/sp.db*", []string{"sp.db", "sp.db-journal", "sp.db-wal", "sp.db.new", "sp.db.bak.new", "sp.db.bak-migration-20261121T093000.000000Z"}},
	{"/.lock", []string{".lock"}},
	{"/.place*", []string{".place", ".place.new"}},
	{"/tenants.json*", []string{"tenants.json"}},
	{".*.tmp", []string{".tenants.json.1.tmp", "profiles/*/.secrets.json.1.tmp"}},
	{"/credentials.json", []string{"credentials.json"}},
	{"/session.json", []string{"session.json"}},
	{"/sessions/", []string{"sessions/index.json"}},
	{"secrets.json", []string{"secrets.json", "profiles/*/secrets.json"}},
	{"docker/", []string{"docker/shared.yaml", "docker/shared_config.json", "profiles/*/docker/compose.yaml"}},
}

// exposure is a secret path that git would track, the rule that is missing, and why.
type exposure struct{ path, rule, why string }

// EnsureIgnored makes sure that git would track no secret file in the directory,
// and returns the rules that it appended to .gitignore for that. Git itself is asked, so
// that rules anywhere in the work tree count; where it gives no answer, the text of
// .gitignore decides. Rules that only this machine has do not count.
func (d Dir) EnsureIgnored(ctx context.Context, git Git) ([]string, error) {
	if err := d.ignoreFile().fill(); err != nil {
		return nil, err
	}
	exposed, text, err := d.exposed(ctx, git)
	if err != nil {
		return nil, err
	}
	var rules []string
	for _, e := range exposed {
		if !slices.Contains(rules, e.rule) && !covers(text, e.rule) {
			rules = append(rules, e.rule)
		}
	}
	if len(rules) > 0 {
		lines := append([]string{"# Added by sp: these files hold secrets."}, rules...)
		if err := d.ignoreFile().append(text, lines...); err != nil {
			return nil, err
		}
		exposed, _, err = d.exposed(ctx, git)
	}
	if err != nil || len(exposed) == 0 {
		return rules, err
	}
	return rules, d.ignoreFile().refuse(fmt.Sprintf("git would track %s (%s)", exposed[0].path, exposed[0].why), "remove that rule")
}

// Exposed lists secret paths, there or not, that git would track, relative to the
// directory. It changes nothing.
func (d Dir) Exposed(ctx context.Context, git Git) ([]string, error) {
	exposed, _, err := d.exposed(ctx, git)
	var paths []string
	for _, e := range exposed {
		paths = append(paths, e.path)
	}
	return paths, err
}

func (d Dir) exposed(ctx context.Context, git Git) (exposed []exposure, text string, err error) {
	text, _, err = d.ignoreFile().read()
	if err != nil {
		return nil, "", err
	}
	secrets := d.secrets()
	var paths []string
	for _, s := range secrets {
		paths = append(paths, s.path)
	}
	verdicts, err := git.verdicts(ctx, d.path, paths)
	if err != nil && !errors.Is(err, ErrGit) {
		return nil, "", err
	}
	for i, s := range secrets {
		switch {
		case err != nil && !covers(text, s.rule):
			s.why = "no rule covers it"
		case err == nil && !(verdicts[i].ignored() && verdicts[i].shared()):
			s.why = verdicts[i].String()
		default:
			continue
		}
		exposed = append(exposed, s)
	}
	return exposed, text, nil
}

// secrets lists representative secret paths: for each profile that there is, whose
// own .gitignore may differ, and for one that is still to come.
func (d Dir) secrets() []exposure {
	profiles := []string{"a-new-one"}
	entries, _ := os.ReadDir(filepath.Join(d.path, "profiles"))
	for _, entry := range entries {
		if entry.IsDir() { // git tracks nothing beyond a symbolic link, and refuses to be asked
			profiles = append(profiles, entry.Name())
		}
	}
	var secrets []exposure
	for _, s := range secrecies {
		for _, path := range s.paths {
			if !strings.Contains(path, "*") {
				secrets = append(secrets, exposure{path: path, rule: s.rule})
				continue
			}
			for _, profile := range profiles {
				secrets = append(secrets, exposure{path: strings.Replace(path, "*", profile, 1), rule: s.rule})
			}
		}
	}
	return secrets
}

// TrackedSecrets lists the secret files that git tracks already, which no rule
// changes: `git -C DIR rm --cached -- PATH` does, with the directory's path and
// these, which are relative to it. There are none where there is no git or no
// work tree; where git does not answer, the error is ErrGit.
func (d Dir) TrackedSecrets(ctx context.Context, git Git) ([]string, error) {
	if git.Path == "" || !inWorkTree(d.path) {
		return nil, nil
	}
	tracked, err := git.tracked(ctx, d.path)
	var secrets []string
	for _, path := range tracked {
		if isSecret(path) {
			secrets = append(secrets, path)
		}
	}
	return secrets, err
}

// isSecret tells whether one of the rules covers the path.
func isSecret(file string) bool {
	for _, s := range secrecies {
		pattern, anchored := strings.CutPrefix(s.rule, "/")
		for i, part := range strings.Split(file, "/") {
			if ok, _ := path.Match(strings.TrimSuffix(pattern, "/"), part); ok && (i == 0 || !anchored) {
				return true
			}
		}
	}
	return false
}
