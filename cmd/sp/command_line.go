package main

import (
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// isSecretFlag tells whether the value of a flag is a secret.
func isSecretFlag(name string) bool {
	return name == "server" || slices.ContainsFunc(registry.Members, func(m *registry.Member) bool {
		return m.Secret && flagOf(m) == name
	})
}

// maxLine bounds what the history keeps of a command line.
const maxLine = 500

// commandLine writes the command line for the history: no secrets, nor what could
// hold one, and nothing that only says how to answer.
func commandLine(cmd *cli.Command) string {
	words := strings.Fields(cmd.FullName())
	for _, word := range cmd.Args().Slice() {
		words = append(words, harmlessWord(word))
	}
	for _, flag := range cmd.Flags {
		if name := flag.Names()[0]; flag.IsSet() && name != "yes" {
			words = append(words, harmlessFlag(cmd, name))
		}
	}
	line := printable(strings.Join(words, " "))
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	return line
}

func harmlessFlag(cmd *cli.Command, name string) string {
	switch value := cmd.Value(name).(type) {
	case bool:
		if value {
			return "--" + name
		}
		return "--" + name + "=false"
	case string:
		if isSecretFlag(name) {
			return "--" + name + " ***"
		}
		return "--" + name + " " + harmlessWord(value)
	case []string:
		return "--" + name + " " + harmlessWord(strings.Join(value, ","))
	default:
		return "--" + name
	}
}

// harmlessWord is a word as a shell would take it, but for what may be a way to a
// database.
func harmlessWord(word string) string {
	if pgurl.IsConnection(word) {
		return "***"
	}
	return project.Quoted(word)
}
