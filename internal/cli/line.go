package cli

import (
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
)

// maxLine bounds what a history keeps of a command line.
const maxLine = 500

// line writes the command line for a history: no secrets, nor what could hold one, and nothing
// that only says how to answer.
func (c *Context) line() string {
	words := strings.Fields(c.full())
	for _, word := range c.own() {
		words = append(words, Harmless(word))
	}
	for _, flags := range [][]Flag{c.program.Flags, c.command.Flags} {
		for _, flag := range flags {
			if !flag.Silent && c.IsSet(flag.Name) {
				words = append(words, c.harmlessFlag(flag))
			}
		}
	}
	line := Printable(strings.Join(words, " "))
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	return line
}

func (c *Context) harmlessFlag(flag Flag) string {
	switch value := c.parsed.Value(flag.Name).(type) {
	case bool:
		if value {
			return "--" + flag.Name
		}
		return "--" + flag.Name + "=false"
	case string:
		if flag.Secret {
			return "--" + flag.Name + " ***"
		}
		return "--" + flag.Name + " " + Harmless(value)
	case []string:
		return "--" + flag.Name + " " + Harmless(strings.Join(value, ","))
	default:
		return "--" + flag.Name
	}
}

// Harmless quotes a word for a shell, and replaces it by stars if it may be a connection string or a token.
func Harmless(word string) string {
	if pgurl.IsMisplaced(word) {
		return "***"
	}
	return Quoted(word)
}
