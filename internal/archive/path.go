package archive

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The bounds of a path: what every file system takes.
const (
	maxPath    = 1024
	maxElement = 255
	maxDepth   = 32
)

const (
	services    = "services/"
	profiles    = "profiles/"
	profileFile = "/profile.yaml"
)

// IsProfile tells whether a path has the place of a profile.yaml.
func IsProfile(path string) bool { return strings.HasPrefix(path, profiles) }

// ProfileOf returns the name of the profile whose profile.yaml a path is, and whether it is one.
func ProfileOf(path string) (name string, ok bool) {
	name, inside := strings.CutPrefix(path, profiles)
	name, whole := strings.CutSuffix(name, profileFile)
	return name, inside && whole && isProfileName(name)
}

// ProfilePath returns the path of a profile's profile.yaml.
func ProfilePath(profile string) string { return profiles + profile + profileFile }

// isProfileName tells whether a profile can have that name: the rule is registry.CheckProfileName.
func isProfileName(name string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return name != "" && len(name) <= maxElement && name[0] != '-' && strings.Trim(name, allowed) == ""
}

// StaysHome says why a file or directory of that name stays where it is, empty for one that travels:
// hidden ones hold what is the machine's own, a package manager makes node_modules anew, and
// secrets.json holds secrets.
func StaysHome(name string) string {
	switch {
	case strings.HasPrefix(name, "."):
		return "it is hidden"
	case isSame(name, "node_modules"):
		return "node_modules is made on each machine"
	case isSame(name, "secrets.json"):
		return "secrets.json never travels"
	}
	return ""
}

// isSame tells whether a Mac takes two names for one.
func isSame(a, b string) bool { return folded(a) == folded(b) }

// folded is what the names have in common that a Mac takes for one: it ignores case and how an
// accent is composed.
func folded(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

// pathTrouble says why a path can't be one of an archive, wherever it leads.
func pathTrouble(path string) string {
	switch {
	case path == "":
		return "the path is empty"
	case len(path) > maxPath:
		return "the path is longer than 1024 bytes"
	case !utf8.ValidString(path):
		return "the path is not UTF-8"
	case !isGraphic(path):
		return "the path holds a character that does not show"
	case strings.Contains(path, `\`):
		return "the path holds a backslash"
	case path[0] == '/':
		return "the path is absolute"
	case strings.Count(path, "/") >= maxDepth:
		return "the path has more than 32 parts"
	}
	for element := range strings.SplitSeq(path, "/") {
		if why := elementTrouble(element); why != "" {
			return why
		}
	}
	return ""
}

func elementTrouble(element string) string {
	switch {
	case element == "":
		return "the path has an empty part"
	case element == "." || element == "..":
		return "the path has the part " + element
	case len(element) > maxElement:
		return "a part of the path is longer than 255 bytes"
	}
	return StaysHome(element)
}

func isGraphic(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0
}

// placeTrouble says why no file may have a path, which is clean.
func placeTrouble(path string) string {
	if _, ok := ProfileOf(path); ok || strings.HasPrefix(path, services) {
		return ""
	}
	return "only services/… and profiles/NAME/profile.yaml travel"
}

// Trouble says why no state has a file with a path, empty for one that may.
func Trouble(path string) string { return names{}.file(path) }

// names are the files and directories so far, by their folded paths.
type names map[string]name

type name struct {
	path string
	file bool
}

// file adds a file, or says why it can't be one.
func (n names) file(path string) string {
	if why := pathTrouble(path); why != "" {
		return why
	}
	if why := placeTrouble(path); why != "" {
		return why
	}
	return n.add(path, true)
}

// directory adds a directory, or says why it can't be one.
func (n names) directory(path string) string {
	if why := pathTrouble(path); why != "" {
		return why
	}
	return n.add(path, false)
}

// add adds a path and the directories above it.
func (n names) add(path string, file bool) string {
	key := folded(path)
	if strings.Count(key, "/") != strings.Count(path, "/") {
		return "the path can't be compared"
	}
	for i, k := 0, 0; ; {
		end, last := next(path, i)
		endKey, _ := next(key, k)
		if why := n.put(key[:endKey], name{path[:end], file && last}); why != "" {
			return why
		}
		if last {
			return ""
		}
		i, k = end+1, endKey+1
	}
}

// next returns where the part of a path ends that begins at from, and whether it is the last one.
func next(path string, from int) (end int, last bool) {
	if i := strings.IndexByte(path[from:], '/'); i >= 0 {
		return from + i, false
	}
	return len(path), true
}

func (n names) put(key string, new name) string {
	was, there := n[key]
	switch {
	case there && was.path != new.path:
		return "only case or accents tell it from " + was.path
	case there && was.file && new.file:
		return "it is there twice"
	case there && was.file != new.file:
		return was.path + " is a file and a directory"
	}
	n[key] = new
	return ""
}
