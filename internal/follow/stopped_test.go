package follow

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// stoppable are changes that a command may be stopped in, what comes before them, and
// what the files say when they are made up for.
var stoppable = map[string]struct {
	before func(o *office)
	change func(o *office) act
	after  func(o *office)
}{
	"a new profile": {
		change: func(o *office) act {
			return func(ctx context.Context) error {
				b := registry.TenantID("b")
				_, err := o.reg.CreateProfile(ctx, registry.NewProfile{Name: "new", Tenant: &b})
				return err
			}
		},
		after: func(o *office) {
			require.Contains(o.t, o.configuration("new"), "tenant_id: b")
			require.Equal(o.t, "postgres://u:first@h/b", o.secretsIn("new")["database_url"])
		},
	},
	"a URL": {
		change: func(o *office) act { return o.url("a", "postgres://u:second@h/a") },
		after:  func(o *office) { require.Equal(o.t, "postgres://u:second@h/a", o.secretsIn("p")["database_url"]) },
	},
	"a new URL": {
		before: func(o *office) { o.must(o.noURL("a")) },
		change: func(o *office) act { return o.url("a", "postgres://u:second@h/a") },
		after:  func(o *office) { require.Equal(o.t, "postgres://u:second@h/a", o.secretsIn("p")["database_url"]) },
	},
	"a URL removed": {
		change: func(o *office) act { return o.noURL("a") },
		after:  func(o *office) { require.NotContains(o.t, o.secretsIn("p"), "database_url") },
	},
	"a new token": {
		change: func(o *office) act { return o.token("a", "token") },
		after:  func(o *office) { require.Equal(o.t, "token", o.secretsIn("p")["sync_token"]) },
	},
	"another token": {
		before: func(o *office) { o.must(o.token("a", "first")) },
		change: func(o *office) act { return o.token("a", "second") },
		after:  func(o *office) { require.Equal(o.t, "second", o.secretsIn("p")["sync_token"]) },
	},
	"a new secret": {
		change: func(o *office) act { return o.setSecret("p", "custom", "key") },
		after:  func(o *office) { require.Equal(o.t, "key", o.secretsIn("p")["custom"]) },
	},
	"another secret": {
		before: func(o *office) { o.must(o.setSecret("p", "custom", "first")) },
		change: func(o *office) act { return o.setSecret("p", "custom", "second") },
		after:  func(o *office) { require.Equal(o.t, "second", o.secretsIn("p")["custom"]) },
	},
	"a secret that the original writes as null": {
		change: func(o *office) act { return o.setSecret("p", "gemini", "key") },
		after:  func(o *office) { require.Equal(o.t, "key", o.secretsIn("p")["gemini"]) },
	},
	"a profile whose files were there": {
		before: func(o *office) {
			o.write(SecretsPath("new"), `{"jwt_secret": "theirs", "github": "theirs"}`)
			o.write(ProfilePath("new"), "site: theirs\n")
		},
		change: func(o *office) act {
			return func(ctx context.Context) error {
				b := registry.TenantID("b")
				_, err := o.reg.CreateProfile(ctx, registry.NewProfile{Name: "new", Tenant: &b})
				return err
			}
		},
		after: func(o *office) {
			require.Contains(o.t, o.configuration("new"), "tenant_id: b")
			require.Contains(o.t, o.configuration("new"), "site: theirs")
			require.Equal(o.t, "postgres://u:first@h/b", o.secretsIn("new")["database_url"])
			require.Equal(o.t, "theirs", o.secretsIn("new")["github"])
		},
	},
	"a secret removed": {
		before: func(o *office) { o.must(o.setSecret("p", "custom", "key")) },
		change: func(o *office) act { return o.setSecret("p", "custom", "") },
		after:  func(o *office) { require.NotContains(o.t, o.secretsIn("p"), "custom") },
	},
	"another tenant": {
		change: func(o *office) act { return o.relink("p", "b") },
		after: func(o *office) {
			require.Contains(o.t, o.configuration("p"), "tenant_id: b")
			require.Equal(o.t, "postgres://u:first@h/b", o.secretsIn("p")["database_url"])
		},
	},
	"another name": {
		before: func(o *office) {
			o.write(ProfilePath("p"), "# mine\n"+o.configuration("p"))
			o.write(SecretsPath("p"), strings.Replace(mustRead(o.t, o.Full(SecretsPath("p"))), "{", `{"github": "theirs",`, 1))
			o.write("profiles/p/notes.txt", "mine")
		},
		change: func(o *office) act { return o.rename("p", "z") },
		after: func(o *office) {
			require.NoDirExists(o.t, o.Full("profiles/p"))
			require.Contains(o.t, o.configuration("z"), "# mine\n")
			require.Contains(o.t, o.configuration("z"), "\nname: z\n")
			require.Equal(o.t, "theirs", o.secretsIn("z")["github"])
			require.FileExists(o.t, o.Full("profiles/z/notes.txt"))
		},
	},
	"a deletion": {
		change: func(o *office) act { return o.delete("p") },
		after:  func(o *office) { require.NoDirExists(o.t, o.Full("profiles/p")) },
	},
	"a session": {
		before: func(o *office) { o.must(o.use("p")) },
		change: func(o *office) act { return o.use("q") },
		after: func(o *office) {
			require.Contains(o.t, mustRead(o.t, o.Full(IndexPath)), `"active_profile_name": "q"`)
		},
	},
	"the first session": {
		change: func(o *office) act { return o.use("p") },
		after: func(o *office) {
			require.Contains(o.t, mustRead(o.t, o.Full(IndexPath)), `"active_profile_name": "p"`)
		},
	},
}

// Whatever is changed next, and whether what was staged outlasted the stop or not.
func TestTheNextChangeMakesUpForAStoppedOne(t *testing.T) {
	t.Parallel()
	for name, c := range stoppable {
		for _, cut := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				o := newOffice(t)
				if c.before != nil {
					c.before(o)
				}
				o.stop(c.change(o), cut)
				q := "q"
				o.must(func(ctx context.Context) error { return o.reg.SetDefaultProfile(ctx, &q) })
				c.after(o)
				o.settle()
				o.settle()
				require.Zero(t, o.found, "all is settled")
				require.Empty(t, o.found.Left)
				for _, path := range o.files() {
					require.NotContains(t, path, ".tmp")
				}
			})
		}
	}
}

// The same change may be the next one, in the other direction.
func TestAStoppedChangeCanBeUndone(t *testing.T) {
	t.Parallel()
	for name, c := range stoppable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			if c.before != nil {
				c.before(o)
			}
			o.settle()
			before := o.texts()
			o.stop(c.change(o), true)
			o.must(o.undo)
			o.settle()
			if name == "the first session" { // the index stays once it is made
				delete(before, IndexPath)
			}
			after := o.texts()
			for path, text := range before {
				if path == IndexPath {
					text, after[path] = withoutTime(text), withoutTime(after[path])
				}
				require.Equal(t, text, after[path], path)
			}
		})
	}
}

// texts are all small files.
func (o *office) texts() map[string]string {
	texts := map[string]string{}
	for _, path := range o.files() {
		texts[path] = mustRead(o.t, o.Full(path))
	}
	return texts
}

func withoutTime(index string) string {
	before, rest, _ := strings.Cut(index, `"updated_at"`)
	_, after, _ := strings.Cut(rest, "\n")
	return before + after
}

// However a stopped change was reversed, the files are sp's as before, and go with their
// profile.
func TestWhatAStoppedChangeLeftGoesWithItsProfile(t *testing.T) {
	t.Parallel()
	for name, c := range stoppable {
		if name == "another name" || name == "a profile whose files were there" { // in which others wrote
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			if c.before != nil {
				c.before(o)
			}
			o.stop(c.change(o), true)
			o.must(o.undo)
			o.settle()
			o.must(o.delete("p"))
			require.Empty(t, o.found.Left)
			require.NoDirExists(t, o.Full("profiles/p"))
			require.NoDirExists(t, o.Full("profiles/new"))
		})
	}
}

// What another value says of a secret, or no more, is no conflict with what was stopped.
func TestAStoppedSecretCanBeSetAgain(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"key", "another", ""} {
		o := newOffice(t)
		o.stop(o.setSecret("p", "custom", "key"), false)
		o.must(o.setSecret("p", "custom", value))
		require.Equal(t, value, o.secretsIn("p")["custom"])
		o.settle()
		o.settle()
		require.Zero(t, o.found)
	}
}

// A member that another program wrote meanwhile is a conflict all the same.
func TestASecretThatWasWrittenAfterAStopIsAConflict(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.stop(o.setSecret("p", "custom", "key"), true)
	o.write(SecretsPath("p"), strings.Replace(mustRead(t, o.Full(SecretsPath("p"))), "{", `{"custom": "theirs",`, 1))
	require.ErrorIs(t, o.change(o.setSecret("p", "custom", "another")), registry.ErrConflict)
}

// The registry has no row of a setting; what sp was to write has it. What was stopped
// besides and taken back is not brought back.
func TestAStoppedSettingIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for _, theirs := range []string{"", "# mine\n"} {
		o := newOffice(t)
		o.write(ProfilePath("p"), theirs+o.configuration("p"))
		o.settle()
		o.options.Edits = map[string][]YAMLEdit{"p": {
			{Path: []string{"server", "port"}, Value: 8099}, {Path: []string{"site", "x"}, Value: "1"}, {Path: []string{"site", "y"}, Value: true},
		}}
		o.stop(o.relink("p", "b"), true)
		o.options.Edits = nil
		require.NotContains(t, o.configuration("p"), "8099")
		o.must(o.relink("p", "a"))
		for range 2 {
			text := o.configuration("p")
			require.True(t, strings.HasPrefix(text, theirs))
			require.Contains(t, text, "port: 8099\n")
			require.Contains(t, text, "x: \"1\"\n")
			require.Contains(t, text, "y: true\n")
			require.Contains(t, text, "tenant_id: a\n")
			o.write(ProfilePath("q"), o.configuration("q")+"\n")
			o.settle()
		}
		o.write(ProfilePath("p"), strings.Replace(o.configuration("p"), "8099", "8098", 1))
		o.settle()
		require.Contains(t, o.configuration("p"), "port: 8098\n", "what was written is theirs to change")
	}
}

func TestAStoppedChangeIsMadeUpForByAnotherOfTheSame(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.setSecret("p", "custom", "key"))
	o.stop(o.setSecret("p", "custom", ""), false)
	o.stop(o.url("a", "postgres://u:second@h/a"), true)
	o.stop(o.rename("p", "y"), false)
	o.stop(o.url("a", "postgres://u:third@h/a"), true)
	o.stop(o.rename("y", "z"), false)
	o.must(o.relink("z", "b"))
	require.Equal(t, map[string]string{"jwt_secret": "jwt of p", "database_url": "postgres://u:first@h/b"}, o.secretsIn("z"))
	require.Contains(t, o.configuration("z"), "tenant_id: b")
	require.NoDirExists(t, o.Full("profiles/p"))
	o.settle()
	o.must(o.delete("z"))
	require.NoDirExists(t, o.Full("profiles/z"))
}

// Another program that had read the file before may write it back meanwhile, with a
// change of its own.
func TestWhatAnotherProgramPutBackDoesNotHold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.setSecret("p", "custom", "key"))
	stale := mustRead(t, o.Full(SecretsPath("p")))
	o.must(o.url("a", "postgres://u:second@h/a"))
	o.write(SecretsPath("p"), strings.Replace(stale, "{", `{"github": "theirs",`, 1))
	o.settle()
	require.Equal(t, "postgres://u:second@h/a", o.secretsIn("p")["database_url"])
	require.Equal(t, "theirs", o.secretsIn("p")["github"])
}

func TestDeferredFilesAreCaughtUpWith(t *testing.T) {
	t.Parallel()
	for name, c := range stoppable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			if c.before != nil {
				c.before(o)
			}
			before := o.texts()
			o.options.Defer = true
			o.must(c.change(o))
			require.Equal(t, before, o.texts())
			o.must(nothing)
			require.Equal(t, before, o.texts())
			o.options.Defer = false
			o.settle()
			c.after(o)
			o.settle()
			o.settle()
			require.Zero(t, o.found)
		})
	}
}

// What was put off is no reason to stop what has nothing to do with it.
func TestAConflictBehindStopsOnlyWhoWantsTheFiles(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.use("p"))
	o.options.Defer = true
	o.must(o.url("a", "postgres://u:second@h/a"))
	o.must(o.relink("q", "a"))
	o.must(o.use("p"))
	theirs := map[string]string{
		SecretsPath("p"): strings.Replace(mustRead(t, o.Full(SecretsPath("p"))), "first", "theirs", 1),
		ProfilePath("q"): strings.Replace(o.configuration("q"), "tenant_id: b", "tenant_id: z", 1),
		IndexPath:        `{"sessions": {}}`,
	}
	for path, text := range theirs {
		o.write(path, text)
	}
	o.options.Defer = false
	o.settle()
	for path, text := range theirs {
		require.Equal(t, text, mustRead(t, o.Full(path)))
	}
	o.options.Wanted = true
	require.ErrorIs(t, o.change(nothing), registry.ErrConflict)
	o.options.Force = true
	o.settle()
	require.Equal(t, "postgres://u:second@h/a", o.secretsIn("p")["database_url"])
	require.Contains(t, o.configuration("q"), "tenant_id: a")
}
