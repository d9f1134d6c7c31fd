package project

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// patience is how long git may take for an answer.
const patience = 5 * time.Second

// Git is the program git: its absolute path and an environment, of which it is
// given only what finds its programs and its user's configuration. The zero Git,
// and one whose path is not absolute, stands for a machine without git.
type Git struct {
	Path string
	Env  []string
	// Start starts it; nil does as usual.
	Start func(*exec.Cmd) error

	patience time.Duration // for tests; 0 is patience
}

// verdict is what git says of one path: the rule that decided, and where it stands.
type verdict struct{ source, line, rule string }

// ignored tells whether the path stays out of git.
func (v verdict) ignored() bool { return v.rule != "" && !strings.HasPrefix(v.rule, "!") }

// shared tells whether the rule stands in a .gitignore of the work tree, and not
// in .git/info/exclude or the user's own excludes file, which nobody else has.
func (v verdict) shared() bool {
	return filepath.Base(v.source) == ".gitignore" && !filepath.IsAbs(v.source)
}

func (v verdict) String() string {
	if v.rule == "" {
		return "no rule covers it"
	}
	return fmt.Sprintf("%s, line %s", v.source, v.line)
}

// verdicts asks git about paths below dir, which need not exist; the answers are
// in their order. Without an answer the error is ErrGit.
func (g Git) verdicts(ctx context.Context, dir string, paths []string) ([]verdict, error) {
	var asked bytes.Buffer
	for _, path := range paths {
		asked.WriteString("./" + path + "\x00") // a path that starts with `:` would be magic
	}
	// --no-index: of a tracked file git would otherwise say that nothing ignores it.
	answer, err := g.run(ctx, dir, &asked, "check-ignore", "--no-index", "--verbose", "--non-matching", "-z", "--stdin")
	if err != nil {
		return nil, err
	}
	fields := strings.Split(strings.TrimSuffix(answer, "\x00"), "\x00")
	if len(fields) != 4*len(paths) {
		return nil, fmt.Errorf("%w: check-ignore: %d fields for %d paths", ErrGit, len(fields), len(paths))
	}
	var verdicts []verdict
	for field := range slices.Chunk(fields, 4) {
		verdicts = append(verdicts, verdict{source: field[0], line: field[1], rule: field[2]})
	}
	return verdicts, nil
}

// tracked lists the files in dir that git tracks, relative to it.
func (g Git) tracked(ctx context.Context, dir string) ([]string, error) {
	answer, err := g.run(ctx, dir, nil, "ls-files", "-z")
	if err != nil || answer == "" {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(answer, "\x00"), "\x00"), nil
}

// run runs git in dir and returns what it printed. That it says no (exit 1) is an
// answer; that it refuses, as for a work tree that belongs to someone else ("dubious
// ownership"), is ErrGit: its refusal is not ours to talk it out of.
func (g Git) run(ctx context.Context, dir string, stdin *bytes.Buffer, command ...string) (string, error) {
	if !filepath.IsAbs(g.Path) {
		return "", fmt.Errorf("%w: there is none", ErrGit)
	}
	limit := patience
	if g.patience != 0 {
		limit = g.patience
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(limited, g.Path, append(harmless(), command...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, g.env(), &out, &complaint
	cmd.WaitDelay = time.Second // for a child of git that keeps the pipe open
	if stdin != nil {
		cmd.Stdin = stdin
	}
	err := g.start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	switch {
	case err == nil, cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 1:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return "", fmt.Errorf("%w: nothing for %v", ErrGit, limit)
	}
	said, _, _ := strings.Cut(complaint.String(), "\n")
	return "", fmt.Errorf("%w: %w: %s", ErrGit, err, said)
}

func (g Git) start(cmd *exec.Cmd) error {
	if g.Start != nil {
		return g.Start(cmd)
	}
	return cmd.Start()
}

// harmless returns options under which the configuration of a repository that
// somebody else wrote starts no program and names no directory as bare repository.
func harmless() []string {
	return []string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit"}
}

// env returns git's environment. Left out is what would make it answer for another
// repository, as GIT_DIR does in a hook, and whatever secret sp was given.
func (g Git) env() []string {
	env := []string{"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none"}
	for _, variable := range g.Env {
		switch name, _, _ := strings.Cut(variable, "="); name {
		case "PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM":
			env = append(env, variable)
		}
	}
	return env
}

// inWorkTree tells whether dir looks like a part of a work tree, even to someone
// without git: a later git will see one there.
func inWorkTree(dir string) bool {
	for {
		if exists(filepath.Join(dir, ".git")) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
}

// Tracked lists which of some files in the directory git tracks, by their names, in whatever
// case they are written. Where there is a work tree and git does not answer, the error is ErrGit.
func (d Dir) Tracked(ctx context.Context, git Git, names ...string) ([]string, error) {
	if !inWorkTree(d.path) {
		return nil, nil
	}
	command := []string{"ls-files", "-z", "--"}
	for _, name := range names {
		command = append(command, ":(icase)"+name)
	}
	answer, err := git.run(ctx, d.path, nil, command...)
	if err != nil || answer == "" {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(answer, "\x00"), "\x00"), nil
}
