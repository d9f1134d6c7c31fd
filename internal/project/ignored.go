package project

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
// databases, URLs, tokens, the docker files, which hold passwords, and a server's data.
var secrecies = []secrecy{
	{"/sp.db*", []string{"sp.db", "sp.db-journal", "sp.db-wal", "sp.db.new", "sp.db.bak.new", "sp.db.bak-migration-20261121T093000.000000Z"}},
	{"/.lock", []string{".lock"}},
	{"/.*.lock", []string{".login.lock", ".cloud-b94d27b9934d3e08.lock"}},
	{"/.place*", []string{".place", ".place.new"}},
	{"/tenants.json*", []string{"tenants.json", "tenants.json.corrupt-20261121T093000.000000Z"}},
	{".*.tmp", []string{".tenants.json.1.tmp", ".file.1.tmp", "profiles/*/.secrets.json.1.tmp"}},
	{"/credentials.json*", []string{"credentials.json"}},
	{"/session.json*", []string{"session.json"}},
	{"/sessions/", []string{"sessions/index.json"}},
	{"/sync/", []string{"sync/a-tenant.json"}},
	{"secrets.json*", []string{"secrets.json", "profiles/*/secrets.json", "profiles/*/secrets.json.aside-20261121T093000.000000Z"}},
	{"docker/", []string{"docker/shared.yaml", "docker/shared.env", "docker/shared_config.json", "profiles/*/docker/compose.yaml"}},
	{"/postgres/", []string{"postgres/data/PG_VERSION", "postgres/log"}},
}

// exposure is a secret path that git would track, the rule that is missing, and why.
type exposure struct {
	path, rule, why string
	// below is the .gitignore below the directory that lets it out, empty if none does.
	below ignoreFile
	// here tells that a rule that only this machine has ignores it.
	here bool
}

// KeepIgnored is EnsureIgnored for every change: it asks git only where the text of
// .gitignore leaves a doubt, and else is certain, for as long as IgnoreStamp is the same.
// A .gitignore that is missing, as on a branch without it, is not made while git ignores
// all the same, for it would be in the way of the next checkout.
func (d Dir) KeepIgnored(ctx context.Context, git Git) (completed []string, certain bool, err error) {
	text, found, err := d.ignoreFile().read()
	if err == nil && covers(text, "*") {
		return d.exclude(), true, nil
	}
	if err == nil && !found && inWorkTree(d.path) {
		completed = d.exclude()
		exposed, _, err := d.exposed(ctx, git, "a-new-one")
		if err != nil || !slices.ContainsFunc(exposed, func(e exposure) bool { return !e.here }) {
			return completed, false, err
		}
	}
	more, err := d.EnsureIgnored(ctx, git)
	return append(completed, more...), false, err
}

// EnsureIgnored makes sure that git would track no secret file in the directory, and
// returns the files that it made or completed for that. Git itself is asked, so that rules
// anywhere in the work tree count; where it gives no answer, the text of .gitignore
// decides. Rules that only this machine has do not count.
func (d Dir) EnsureIgnored(ctx context.Context, git Git) (completed []string, err error) {
	return d.ensureIgnored(ctx, git, "a-new-one")
}

// ensureIgnored is EnsureIgnored with regard to these profiles as well, there or not.
func (d Dir) ensureIgnored(ctx context.Context, git Git, profiles ...string) (completed []string, err error) {
	made, err := d.ignoreFile().fill()
	if err != nil {
		return nil, err
	}
	if completed = d.exclude(); made {
		completed = append(completed, string(d.ignoreFile()))
	}
	exposed, text, err := d.exposed(ctx, git, profiles...)
	if err != nil || len(exposed) == 0 {
		return completed, err
	}
	more, err := d.complete(exposed, text)
	completed = append(completed, more...)
	if err != nil || len(more) > 0 {
		if err == nil {
			exposed, _, err = d.exposed(ctx, git, profiles...)
		}
		if err != nil || len(exposed) == 0 {
			return completed, err
		}
	}
	return completed, d.ignoreFile().refuse(fmt.Sprintf("git would track %s (%s)", exposed[0].path, exposed[0].why), "remove that rule")
}

// KeepProfilesIgnored makes sure that no .gitignore below the directory lets out the
// secrets of these profiles, and returns the files that it completed. There seldom is one,
// and git is looked for and asked only then.
func (d Dir) KeepProfilesIgnored(ctx context.Context, find func() Git, profiles []string) (completed []string, err error) {
	below := func(dir string) bool { return exists(string(ignoreFileIn(d.Full(dir)))) }
	one := func(profile string) bool { return below("profiles/" + profile) }
	if len(profiles) == 0 || !below("profiles") && !slices.ContainsFunc(profiles, one) || !inWorkTree(d.path) {
		return nil, nil
	}
	git := find()
	exposed, err := d.exposedOf(ctx, git, d.secrets(profiles), "*")
	exposed = slices.DeleteFunc(exposed, func(e exposure) bool { return e.here })
	if err != nil || len(exposed) == 0 {
		return nil, err
	}
	return d.ensureIgnored(ctx, git, profiles...)
}

// complete appends what is missing: the directory's rules to its .gitignore, and single
// ones to a .gitignore below it, which outranks that.
func (d Dir) complete(exposed []exposure, text string) (completed []string, err error) {
	missing := map[ignoreFile][]string{}
	for _, e := range exposed {
		switch {
		case e.below != "" && !slices.Contains(missing[e.below], e.rule):
			missing[e.below] = append(missing[e.below], e.rule)
		case e.below == "" && !covers(text, "*"):
			missing[d.ignoreFile()] = ignored
		}
	}
	for _, file := range slices.Sorted(maps.Keys(missing)) {
		lines := append([]string{"# Added by sp: this directory holds secrets."}, missing[file]...)
		text, _, err := file.read()
		if err == nil {
			err = file.append(text, lines...)
		}
		if err != nil {
			return completed, err
		}
		completed = append(completed, string(file))
	}
	return completed, nil
}

// Exposed lists secret paths, there or not, that git would track, relative to the
// directory, and tells whether rules that only this machine has keep all of them out of it.
// It changes nothing.
func (d Dir) Exposed(ctx context.Context, git Git) (paths []string, here bool, err error) {
	exposed, _, err := d.exposed(ctx, git, "a-new-one")
	here = true
	for _, e := range exposed {
		paths, here = append(paths, e.path), here && e.here
	}
	return paths, here, err
}

// exposed looks at the secrets of these profiles and of all that have a directory.
func (d Dir) exposed(ctx context.Context, git Git, profiles ...string) (exposed []exposure, text string, err error) {
	text, _, err = d.ignoreFile().read()
	if err != nil {
		return nil, "", err
	}
	entries, _ := os.ReadDir(filepath.Join(d.path, "profiles"))
	for _, entry := range entries {
		if entry.IsDir() { // git tracks nothing beyond a symbolic link, and refuses to be asked
			profiles = append(profiles, entry.Name())
		}
	}
	exposed, err = d.exposedOf(ctx, git, d.secrets(profiles), text)
	return exposed, text, err
}

// exposedOf returns those of the secrets that git would track; where it does not answer,
// by the text of .gitignore.
func (d Dir) exposedOf(ctx context.Context, git Git, secrets []exposure, text string) (exposed []exposure, err error) {
	var paths []string
	for _, s := range secrets {
		paths = append(paths, s.path)
	}
	verdicts, err := git.verdicts(ctx, d.path, paths)
	if err != nil && !errors.Is(err, ErrGit) {
		return nil, err
	}
	for i, s := range secrets {
		switch {
		case err != nil && !covers(text, "*"):
			s.why = "no rule covers it"
		case err == nil && !(verdicts[i].ignored() && verdicts[i].shared()):
			s.why, s.here, s.below = verdicts[i].String(), verdicts[i].ignored(), d.below(s.path, verdicts[i])
		default:
			continue
		}
		exposed = append(exposed, s)
	}
	return exposed, nil
}

// below returns the .gitignore below the directory by which git decided on a path.
func (d Dir) below(file string, v verdict) ignoreFile {
	if path.Base(v.source) != ".gitignore" {
		return ""
	}
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if strings.HasSuffix("/"+v.source, "/"+filepath.Base(d.path)+"/"+dir+"/.gitignore") || v.source == dir+"/.gitignore" {
			return ignoreFileIn(d.Full(dir))
		}
	}
	return ""
}

// secrets lists representative secret paths, those of profiles for each of these, whose
// own .gitignore may differ.
func (d Dir) secrets(profiles []string) []exposure {
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
// changes: `git -C DIR rm --cached -f -- PATH` does, with the directory's path and
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
