package work

import (
	"context"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

// build is what this program was made of.
type build struct {
	Version string `json:"version"`
	// Commit and Date are those of the source, null where the build was not told.
	Commit *string    `json:"commit"`
	Date   *task.Time `json:"date"`
	// Modified tells that the source was not as the commit has it.
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
}

// Version is `sp version`.
func Version() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version, commit, date and Go version",
		Description: "Commit and date are those of the source code. They are known if the program was\n" +
			"built in a git clone.",
		Run: func(_ context.Context, c *cli.Context) (cli.Answer, error) {
			info, _ := debug.ReadBuildInfo()
			b := buildOf(info)
			return cli.Answer{Value: b, Text: b.of(c.Program())}, nil
		},
	}
}

// buildOf reads what the linker wrote into the program, nil for nothing.
func buildOf(info *debug.BuildInfo) build {
	b := build{Version: task.Version, Go: runtime.Version()}
	if info == nil {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = &s.Value
		case "vcs.time":
			b.Date = dated(time.RFC3339, s.Value)
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	if found := pseudoVersion().FindStringSubmatch(info.Main.Version); found != nil && b.Commit == nil {
		b.Commit, b.Date = &found[2], dated("20060102150405", found[1])
	}
	return b
}

// pseudoVersion is how go install calls a commit that has no tag: v0.0.0-20261130020338-a888ce22e4c0.
var pseudoVersion = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[-.]([0-9]{14})-([0-9a-f]{12})(?:\+.*)?$`)
})

// dated writes a time as every answer does.
func dated(layout, text string) *task.Time {
	at, err := time.Parse(layout, text)
	if err != nil {
		return nil
	}
	return new(task.Time(at))
}

// of returns the version of a program in a line of its own, and a line for each other fact that is known.
func (b build) of(program string) string {
	lines := []string{program + " " + b.Version}
	if b.Commit != nil {
		line := "commit " + *b.Commit
		if b.Modified {
			line += " (modified)"
		}
		lines = append(lines, line)
	}
	if b.Date != nil {
		lines = append(lines, "date "+b.Date.String())
	}
	return strings.Join(append(lines, "go "+b.Go), "\n") + "\n"
}
