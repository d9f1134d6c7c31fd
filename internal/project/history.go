package project

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// Leak is a secret file that a commit holds, whether git still tracks it or not.
type Leak struct {
	// Path is relative to the directory, and Commit the first that has it.
	Path, Commit string
}

// maxCommits bounds the commits of the directory that are looked at, the newest first.
const maxCommits = 1000

// Leaks lists the secret files that commits of any branch have added to the directory.
// There are none where there is no git or no work tree; where git does not answer, or not
// in time, as in a history that is very long, the error is ErrGit.
func (d Dir) Leaks(ctx context.Context, git Git) ([]Leak, error) {
	if git.Path == "" || !inWorkTree(d.path) {
		return nil, nil
	}
	// What a side branch added and removed again is in the history all the same, and what
	// was renamed was added.
	answer, err := git.run(ctx, d.path, nil, "-c", "log.showSignature=false", "-c", "core.quotePath=false",
		"log", "--all", "--full-history", "-m", "--diff-filter=A", "--no-renames", "--no-ext-diff", "--no-textconv",
		"--max-count="+strconv.Itoa(maxCommits), "--format=%x09%h", "--name-only", "--relative", "--", ".")
	if err != nil {
		return nil, err
	}
	var leaks []Leak
	commit := ""
	for line := range strings.Lines(answer) {
		line = strings.TrimSuffix(line, "\n")
		if hash, ok := strings.CutPrefix(line, "\t"); ok {
			commit = hash
			continue
		}
		if !isSecret(line) {
			continue
		}
		leaks = slices.DeleteFunc(leaks, func(l Leak) bool { return l.Path == line })
		leaks = append(leaks, Leak{Path: line, Commit: commit})
	}
	return leaks, nil
}
