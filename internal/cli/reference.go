package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// referenceColumns is how wide the reference's text may be.
const referenceColumns = 100

// Reference returns the program's reference in Markdown: every command with its arguments and
// flags, and the table of exit codes with the given meanings. Only tests call it, to write and
// check docs/reference.md and its like.
func (p *Program) Reference(title, preface string, meanings map[int]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n## Commands\n\n", title, preface)
	for _, noun := range p.Nouns {
		if !noun.Optional {
			full := p.Name + " " + noun.Name
			writeItem(&b, fmt.Sprintf("[%s](#%s): %s", full, strings.ReplaceAll(full, " ", "-"), prose(noun.Build().Usage)))
		}
	}
	for _, noun := range p.Nouns {
		if noun.Optional {
			p.writeOptional(&b, noun)
		}
	}
	b.WriteString("\n## Flags of every command\n\n")
	writeFlagItems(&b, p.globals())
	p.writeExits(&b, meanings)
	for _, noun := range p.Nouns {
		if !noun.Optional {
			p.writeCommand(&b, noun.Build(), p.Name, "##")
			continue
		}
		for _, command := range noun.Build().Commands {
			if slices.Contains(noun.Own, command.Name) {
				p.writeCommand(&b, command, p.Name+" "+noun.Name, "##")
			}
		}
	}
	return b.String()
}

// writeOptional names the commands of a group that may be left out, in one sentence.
func (p *Program) writeOptional(b *strings.Builder, noun Noun) {
	var names []string
	for _, command := range noun.Build().Commands {
		if !slices.Contains(noun.Own, command.Name) {
			names = append(names, "`"+command.Name+"`")
		}
	}
	writeWrapped(b, "", fmt.Sprintf("\nYou may write `%s %s` before %s; it means the same as without `%s`.", p.Name, noun.Name, oneOf(names), noun.Name))
}

func (p *Program) writeExits(b *strings.Builder, meanings map[int]string) {
	b.WriteString("\n## Exit codes\n\n`--json` reports a failure with one of the words in the last column.\n\n| exit | when | words |\n|---|---|---|\n")
	words := map[int][]string{}
	for _, e := range p.exits() {
		if e.Exit > 0 {
			words[e.Exit] = append(words[e.Exit], "`"+e.Code+"`")
		}
	}
	words[128] = []string{"`interrupted`"}
	for _, exit := range slices.Sorted(maps.Keys(meanings)) {
		code := fmt.Sprint(exit)
		if exit == 128 {
			code = "128+n"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", code, meanings[exit], strings.Join(words[exit], ", "))
	}
}

// writeCommand writes a command under a heading, and those below it under headings of the next level.
func (p *Program) writeCommand(b *strings.Builder, command *Command, above, heading string) {
	full := above + " " + command.Name
	fmt.Fprintf(b, "\n%s %s\n\n", heading, full)
	writeWrapped(b, "", sentence(prose(command.Usage)))
	if !command.IsGroup() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", full+command.forms())
	}
	writeDescription(b, command.Description)
	if len(command.Args) > 0 {
		b.WriteString("\nArguments:\n\n")
		for _, arg := range command.Args {
			writeItem(b, arg.reference())
		}
	}
	if len(command.Flags) > 0 {
		b.WriteString("\nFlags:\n\n")
		writeFlagItems(b, command.Flags)
	}
	for _, sub := range command.Commands {
		p.writeCommand(b, sub, full, heading+"#")
	}
}

// writeDescription writes prose as it stands, and examples, which are indented, as code.
func writeDescription(b *strings.Builder, text string) {
	for block := range strings.SplitSeq(text, "\n\n") {
		switch {
		case block == "":
		case strings.HasPrefix(block, "  "):
			fmt.Fprintf(b, "\n```\n%s\n```\n", strings.TrimPrefix(strings.ReplaceAll(block, "\n  ", "\n"), "  "))
		default:
			fmt.Fprintf(b, "\n%s\n", prose(block))
		}
	}
}

// reference describes an argument.
func (a Arg) reference() string {
	said := []string{"any text"}
	switch {
	case a.Kind.Choices != nil:
		said[0] = oneOf(a.Kind.Choices)
	case a.Kind.Name != "":
		said[0] = a.Kind.Name
	}
	if a.Optional {
		said = append(said, "optional")
	}
	if a.Repeated {
		said = append(said, "may be repeated")
	}
	return fmt.Sprintf("`%s`: %s", a.Name, strings.Join(said, ", "))
}

func writeFlagItems(b *strings.Builder, flags []Flag) {
	for _, f := range flags {
		about := prose(f.Usage)
		if f.Default != "" {
			about += " (default " + f.Default + ")"
		}
		writeItem(b, fmt.Sprintf("`%s`: %s", f.form(), about))
	}
}

func writeItem(b *strings.Builder, text string) { writeWrapped(b, "- ", text) }

// writeWrapped writes text in lines; from the second on, the mark before it is left blank.
func writeWrapped(b *strings.Builder, mark, text string) {
	if strings.HasPrefix(text, "\n") {
		b.WriteString("\n")
	}
	for _, line := range Wrap(text, referenceColumns-len(mark)) {
		fmt.Fprintf(b, "%s%s\n", mark, line)
		mark = strings.Repeat(" ", len(mark))
	}
}

// prose keeps Markdown from taking a character for its own.
func prose(text string) string {
	return strings.NewReplacer("<", `\<`, "*", `\*`, "|", `\|`).Replace(text)
}

// sentence starts with a capital and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
