package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
)

// pathLines are command lines with every flag and argument that is a path; PATH is the
// one, and what stands there first.
var pathLines = []struct{ line, holds string }{
	{"--dir PATH init", ""},
	{"import PATH", `{"tenants": [], "synced_at": "2026-02-01T10:00:00Z"}`},
	{"export --path PATH", ""},
	{"backup PATH", ""},
	{"backup --age-recipients-file PATH b.age", "recipient"},
	{"restore PATH -y", "backup"},
	{"restore --age-identity PATH backup.age -y", "identity"},
	{"secrets import PATH --profile p", `{"x": "y"}`},
	{"secrets set x --file PATH --profile p", "secret"},
	{"session login --profile p --email a@example.invalid --token-file PATH", "secret"},
	{"profile create n -y --tenant one --database-url-file PATH", "postgres://h/d"},
	{"profile create n -y --tenant one --gemini-key-file PATH", "secret"},
	{"profile create n -y --tenant one --anthropic-key-file PATH", "secret"},
	{"profile create n -y --tenant one --openai-key-file PATH", "secret"},
	{"tenant create --name n --no-check --database-url-file PATH", "postgres://h/d"},
	{"tenant edit one --database-url-file PATH", "postgres://h/d"},
	{"tenant edit one --internal-database-url-file PATH", "postgres://h/d"},
	{"tenant edit one --sync-token-file PATH", "secret"},
	{"resolve --profile PATH", "profile"},
	{"psql --profile PATH", "profile"},
	{"secrets list --profile PATH", "profile"},
}

// pathVariables are those that hold a path.
var pathVariables = map[string]struct{ line, holds string }{
	"SP_DIR": {"init", ""}, "SYSTEMPROMPT_PROFILE": {"resolve", "profile"}, "SP_POSTGRES_BIN": {"psql one", "programs"},
}

// TestEveryPathThatAUserGivesIsReadInOneWay has `~/` be the home wherever a path is given, and
// `~`, `~user` and a directory that is called so be refused.
func TestEveryPathThatAUserGivesIsReadInOneWay(t *testing.T) {
	t.Parallel()
	at := func(line, variable, holds string) {
		t.Run(variable+" "+line, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"~", "~root/f", "~~/f", "~+/f"} {
				s := newPathSandbox(t, "f", holds)
				require.NoError(t, os.MkdirAll(filepath.Join(s.dir, filepath.Dir(path)), 0o700))
				o := s.at(line, variable, path)
				require.Equal(t, 2, o.exit, "%s: %s", path, o.stderr)
				require.Contains(t, o.stderr, "a path starts with ~, and only ~/ is known, your home", path)
			}
			s := newPathSandbox(t, "f", holds)
			o := s.at(line, variable, "~/f")
			require.Zero(t, o.exit, o.stderr)
			require.NoFileExists(t, filepath.Join(s.dir, "~"))
			for _, home := range []string{"", "relative"} {
				s.env["HOME"] = home
				require.Equal(t, 2, s.at(line, variable, "~/f").exit, "HOME=%q", home)
			}
		})
	}
	for _, c := range pathLines {
		at(c.line, "", c.holds)
	}
	for variable, c := range pathVariables {
		at(c.line, variable, c.holds)
	}
}

// pathSandbox is a project, and a home in which something is called f.
type pathSandbox struct{ *sandbox }

func newPathSandbox(t *testing.T, name, holds string) pathSandbox {
	t.Helper()
	s := pathSandbox{newSandbox(t)}
	home := filepath.Join(s.dir, "home")
	s.env["HOME"], s.env["PATH"] = home, ""
	s.must("tenant", "create", "--id", "one", "--name", "first", "--database-url", "postgres://h/d", "--no-check")
	s.must("profile", "create", "p", "--tenant", "one", "-y")
	require.NoError(t, os.Mkdir(home, 0o700))
	path := filepath.Join(home, name)
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	switch holds {
	case "":
	case "backup":
		s.must("backup", path)
	case "recipient":
		s.write("home/"+name, identity.Recipient().String()+"\n")
	case "identity":
		s.must("backup", "--age-recipient", identity.Recipient().String(), "backup.age")
		s.write("home/"+name, identity.String()+"\n")
	case "profile":
		s.env["HOME"] = s.dir + "/.systemprompt/profiles"
		require.NoError(t, os.Symlink("p", filepath.Join(s.env["HOME"], name)))
	case "programs":
		require.NoError(t, os.Mkdir(path, 0o700))
		for _, program := range []string{"psql", "initdb", "postgres", "pg_ctl"} {
			require.NoError(t, makeExecutable(s.write("home/"+name+"/"+program, "#!/bin/sh\necho 'postgres (PostgreSQL) 17.0'\n")))
		}
	default:
		s.write("home/"+name, holds)
	}
	return s
}

// at runs a line with the path in its place, or in a variable.
func (s pathSandbox) at(line, variable, path string) outcome {
	words := strings.Fields(line)
	for i, word := range words {
		if word == "PATH" {
			words[i] = path
		}
	}
	if variable != "" {
		s.env[variable] = path
		defer delete(s.env, variable)
	}
	return s.run(words...)
}

// TestNoPathIsForgotten finds every flag and argument that is a path among pathLines.
func TestNoPathIsForgotten(t *testing.T) {
	t.Parallel()
	given := func(words, before string) bool {
		return slices.ContainsFunc(pathLines, func(c struct{ line, holds string }) bool {
			return strings.HasPrefix(c.line, words) && strings.Contains(" "+c.line+" ", " "+before+"PATH ")
		})
	}
	for words, cmd := range commands(t) {
		if group, _, _ := strings.Cut(words, " "); group == "cloud" || group == "admin" {
			continue // another spelling
		}
		for _, flag := range cmd.Flags {
			name := flag.Name
			if flag.Value == "FILE" || name == "path" || name == "dir" {
				require.True(t, given(words, "--"+name+" ") || name == "server-file", "sp %s --%s", words, name)
			}
		}
		for _, arg := range cmd.Args {
			if arg.Name == "FILE" || arg.Name == "PATH" {
				require.True(t, given(words, words+" "), "sp %s %s", words, arg.Name)
			}
		}
	}
}
