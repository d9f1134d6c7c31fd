package project

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// lineBreaks end a line for YAML 1.1.
const lineBreaks = "\r\n\u0085\u2028\u2029"

// yamlLines is a text cut behind its line breaks, which is how the parser counts
// lines. A byte order mark is not a part of the first column.
type yamlLines []string

func linesOf(text []byte) (lines yamlLines) {
	rest := string(text)
	for rest != "" {
		end := strings.IndexAny(rest, lineBreaks)
		if end < 0 {
			return append(lines, rest)
		}
		_, size := utf8.DecodeRuneInString(rest[end:])
		if strings.HasPrefix(rest[end:], "\r\n") {
			size = 2
		}
		lines = append(lines, rest[:end+size])
		rest = rest[end+size:]
	}
	return lines
}

// ending is how the text ends its lines.
func (lines yamlLines) ending() string {
	if len(lines) > 0 && strings.HasSuffix(lines[0], "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// locate returns the line of a node and the byte where it starts there: the parser
// counts columns in characters.
func (lines yamlLines) locate(n *yaml.Node) (line string, start int, ok bool) {
	if n.Line < 1 || n.Line > len(lines) {
		return "", 0, false
	}
	line = lines[n.Line-1]
	if n.Line == 1 && strings.HasPrefix(line, "\uFEFF") {
		start = len("\uFEFF")
	}
	for range n.Column - 1 {
		if start >= len(line) {
			return "", 0, false
		}
		_, size := utf8.DecodeRuneInString(line[start:])
		start += size
	}
	return line, start, start <= len(line)
}

// tokenAt returns the scalar as it is written at the start of rest, if it ends on its line
// and means what the node says.
func tokenAt(rest string, n *yaml.Node) (token string, ok bool) {
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0:
		token = quotedToken(rest, '\'')
	case n.Style&yaml.DoubleQuotedStyle != 0:
		token = quotedToken(rest, '"')
	default:
		return n.Value, n.Value != "" && strings.HasPrefix(rest, n.Value) // else it goes on elsewhere
	}
	var again yaml.Node
	if token == "" || yaml.Unmarshal([]byte(token), &again) != nil || len(again.Content) != 1 {
		return "", false
	}
	return token, again.Content[0].Value == n.Value
}

// quotedToken returns the scalar in quotes at the start of rest, with them.
func quotedToken(rest string, quote byte) string {
	if rest == "" || rest[0] != quote {
		return ""
	}
	for i := 1; i < len(rest); i++ {
		switch {
		case quote == '"' && rest[i] == '\\':
			i++
		case rest[i] != quote:
		case quote == '\'' && strings.HasPrefix(rest[i+1:], "'"):
			i++
		default:
			return rest[:i+1]
		}
	}
	return ""
}

// lastOf returns the number of the last line with something of the last of the nested
// mappings: the one before whatever follows it, but for blank lines and comments.
func (lines yamlLines) lastOf(parents []*yaml.Node) int {
	next := len(lines) + 1
	for i, parent := range parents[:len(parents)-1] {
		child := slices.Index(parent.Content, parents[i+1])
		if child+1 < len(parent.Content) {
			next = parent.Content[child+1].Line
		}
	}
	last := next - 1
	for ; last > 0; last-- {
		line := strings.TrimSpace(lines[last-1])
		if line != "" && line[0] != '#' && line != "..." {
			break
		}
	}
	return last
}
