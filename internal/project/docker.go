package project

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// BuildContext is a Dockerfile whose build takes the directory's secrets along, and the
// file that can keep them out.
type BuildContext struct{ Dockerfile, Ignore, Rule string }

// BuildContexts lists the Dockerfiles beside the directory and above it, up to the end of
// the work tree, for which no .dockerignore keeps the directory out of what they send.
func (d Dir) BuildContexts() (found []BuildContext, err error) {
	top := projectOf(d.path)
	for up := filepath.Dir(d.path); ; up = filepath.Dir(up) {
		entries, err := os.ReadDir(up)
		if err != nil {
			return found, err
		}
		inside, err := filepath.Rel(up, d.path)
		if err != nil {
			return found, err
		}
		for _, entry := range entries {
			if !isDockerfile(entry.Name()) || entry.IsDir() {
				continue
			}
			file := filepath.Join(up, entry.Name())
			ignore := file + ".dockerignore"
			if !exists(ignore) {
				ignore = filepath.Join(up, ".dockerignore")
			}
			text, _ := os.ReadFile(ignore) // one that can't be read keeps nothing out
			if !dockerIgnores(string(text), filepath.ToSlash(inside)) {
				found = append(found, BuildContext{Dockerfile: file, Ignore: ignore, Rule: filepath.ToSlash(inside)})
			}
		}
		if up == top || up == filepath.Dir(up) {
			return found, nil
		}
	}
}

func isDockerfile(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, ".dockerignore") {
		return false
	}
	for _, kind := range []string{"dockerfile", "containerfile"} {
		if name == kind || strings.HasPrefix(name, kind+".") || strings.HasSuffix(name, "."+kind) {
			return true
		}
	}
	return false
}

// dockerIgnores tells whether the text of a .dockerignore keeps the secrets in dir out of a
// build: the last pattern that matches one, or what it is in, decides.
func dockerIgnores(text, dir string) bool {
	for _, secret := range []string{"sp.db", "tenants.json", "profiles/x/secrets.json", "sessions/index.json"} {
		ignored := false
		for line := range strings.Lines(text) {
			pattern := strings.TrimSpace(line)
			if pattern == "" || strings.HasPrefix(line, "#") {
				continue
			}
			pattern, negated := strings.CutPrefix(pattern, "!")
			if dockerPattern(strings.TrimSpace(pattern)).MatchString(dir + "/" + secret) {
				ignored = !negated
			}
		}
		if !ignored {
			return false
		}
	}
	return true
}

// dockerPattern is a pattern of a .dockerignore, which matches what is in a directory that
// it matches, too: https://docs.docker.com/build/concepts/context/#dockerignore-files.
func dockerPattern(pattern string) *regexp.Regexp {
	pattern = strings.TrimPrefix(filepath.ToSlash(filepath.Clean(pattern)), "/")
	if pattern == "." {
		return regexp.MustCompile(`^$`)
	}
	var re strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/"):
			re.WriteString("(.*/)?")
			i += 2
		case strings.HasPrefix(rest, "**"):
			re.WriteString(".*")
			i++
		case rest[0] == '*':
			re.WriteString("[^/]*")
		case rest[0] == '?':
			re.WriteString("[^/]")
		case rest[0] == '\\' && len(rest) > 1:
			i++
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			re.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	compiled, err := regexp.Compile("^" + re.String() + "(/.*)?$")
	if err != nil {
		return regexp.MustCompile(`^$`) // no UTF-8: it matches nothing of ours
	}
	return compiled
}
