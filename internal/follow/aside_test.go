package follow

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// asides are texts that were kept aside of a file, the oldest first.
func asides(path string, texts ...string) map[string][]Aside {
	var all []Aside
	for i, text := range texts {
		all = append(all, Aside{Path: path + strings.Repeat("x", i+1), Text: []byte(text)})
	}
	return map[string][]Aside{path: all}
}

// Another program wrote secrets.json in the very instant in which sp replaced it, for a new URL.
func TestWhatWasKeptAsideOfSecretsIsMerged(t *testing.T) {
	t.Parallel()
	const before = `{"jwt_secret": "jwt of p", "database_url": "postgres://u:first@h/a", "custom": "key"}`
	ours := map[string]string{"jwt_secret": "jwt of p", "database_url": "postgres://u:second@h/a", "custom": "key"}
	replace := func(old, new string) string { return strings.Replace(before, old, new, 1) }
	with := func(changed ...string) map[string]string {
		all := map[string]string{}
		for name, value := range ours {
			all[name] = value
		}
		for i := 0; i < len(changed); i += 2 {
			if delete(all, changed[i]); changed[i+1] != "" {
				all[changed[i]] = changed[i+1]
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		aside     []string
		since     func(text string) string // what another program did after that
		want      map[string]string
		contested string
	}{
		"nothing new":               {aside: []string{before}, want: ours},
		"a secret of theirs":        {aside: []string{replace("{", `{"github": "theirs", `)}, want: with("github", "theirs")},
		"another value":             {aside: []string{replace("key", "theirs")}, want: with("custom", "theirs")},
		"a secret less":             {aside: []string{replace(`, "custom": "key"`, "")}, want: with("custom", "")},
		"one after the other":       {aside: []string{replace("key", "one"), replace("key", "two")}, want: with("custom", "two")},
		"two that differ":           {aside: []string{replace("key", "one"), replace("jwt of p", "two")}, want: with("custom", "one", "jwt_secret", "two")},
		"what sp changed, too":      {aside: []string{replace("first", "theirs")}, contested: "database_url"},
		"what sp changed, and less": {aside: []string{replace(`"database_url": "postgres://u:first@h/a", `, "")}, contested: "database_url"},
		"the same as sp":            {aside: []string{replace("first", "second")}, want: ours},
		"and another since": {
			aside: []string{replace("key", "theirs")}, want: with("custom", "theirs", "github", "later"),
			since: func(text string) string { return strings.Replace(text, "{", `{"github": "later", `, 1) },
		},
		"and the same since": {
			aside: []string{replace("key", "theirs")}, want: with("custom", "later"),
			since: func(text string) string { return strings.Replace(text, `"key"`, `"later"`, 1) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.must(o.setSecret("p", "custom", "key"))
			o.settle()
			o.must(o.url("a", "postgres://u:second@h/a"))
			if c.since != nil {
				o.write(SecretsPath("p"), c.since(mustRead(t, o.Full(SecretsPath("p")))))
			}
			stood := mustRead(t, o.Full(SecretsPath("p")))
			o.options.Aside = asides(SecretsPath("p"), c.aside...)
			var paths []string
			for _, a := range o.options.Aside[SecretsPath("p")] {
				paths = append(paths, a.Path)
			}
			if c.contested != "" {
				o.settle() // which has nothing to do with it
				require.Empty(t, o.found.Merged)
				o.options.Wanted = true
				require.Equal(t, &ChangedError{Path: o.Full(SecretsPath("p")), Members: []string{c.contested}}, o.change(nothing))
				require.Empty(t, o.found.Merged)
				require.Equal(t, stood, mustRead(t, o.Full(SecretsPath("p"))))
				o.options.Force, c.want = true, ours
			}
			o.settle()
			require.Equal(t, paths, o.found.Merged)
			require.Equal(t, c.want, o.secretsIn("p"))
			o.options = Options{}
			o.settled()
			require.Equal(t, c.want, o.secretsIn("p"))
		})
	}
}

// A program that had read nothing of sp's changed nothing of it: what it does not say stays, and
// what it says otherwise stops the change.
func TestWhatWasKeptAsideOfANewFileIsMerged(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.options.Aside = asides(SecretsPath("p"), `{"github": "theirs", "jwt_secret": "jwt of p"}`)
	o.settle()
	require.Equal(t, map[string]string{"jwt_secret": "jwt of p", "database_url": "postgres://u:first@h/a", "github": "theirs"}, o.secretsIn("p"))

	o = newOffice(t)
	o.options.Aside = asides(SecretsPath("p"), `{"jwt_secret": "theirs"}`)
	o.options.Wanted = true
	require.Equal(t, &ChangedError{Path: o.Full(SecretsPath("p")), Members: []string{"jwt_secret"}}, o.change(nothing))

	o = newOffice(t)
	o.logIn("p")
	view, err := o.reg.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	index, err := ChangedIndexOf(t.Context(), o.directory(), view, asides(IndexPath, `{"sessions": {}, "active_key": null}`)[IndexPath])
	require.NoError(t, err)
	edit, err := index.Merge(registry.Nobody)
	require.NoError(t, err)
	require.Nil(t, edit)
}

// What may still be written is merged later, with what its writer had read.
func TestAFileWaitsForWhatIsStillWritten(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.settle()
	before := mustRead(t, o.Full(SecretsPath("p")))
	o.must(o.url("a", "postgres://u:second@h/a"))
	o.options.Aside = map[string][]Aside{SecretsPath("p"): {{Path: "kept"}}}
	o.settle()
	o.must(o.setSecret("p", "custom", "key"))
	require.Empty(t, o.found.Merged)
	require.NotContains(t, o.secretsIn("p"), "custom")
	o.options.Aside = asides(SecretsPath("p"), strings.Replace(before, "{", `{"github": "theirs", `, 1))
	o.settle()
	require.Len(t, o.found.Merged, 1)
	require.Equal(t, map[string]string{
		"jwt_secret": "jwt of p", "database_url": "postgres://u:second@h/a", "custom": "key", "github": "theirs",
	}, o.secretsIn("p"))
}

// What git tracks is not merged by itself, also where it was kept aside.
func TestWhatWasKeptAsideIsMergedOnlyIfItMayBe(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.settle()
	o.must(o.url("a", "postgres://u:second@h/a"))
	o.options.Aside = asides(SecretsPath("p"), `{"jwt_secret": "theirs", "database_url": "postgres://u:first@h/a"}`)
	o.options.Wanted = true
	o.options.MayTake = func(string) (bool, error) { return false, registry.ErrConflict }
	require.ErrorIs(t, o.change(nothing), registry.ErrConflict)
	o.options.MayTake = func(string) (bool, error) { return false, nil }
	o.settle()
	require.Equal(t, map[string]string{"jwt_secret": "jwt of p", "database_url": "postgres://u:second@h/a"}, o.secretsIn("p"))
}

// The same of the index of the sessions, when sp had just chosen q.
func TestWhatWasKeptAsideOfTheIndexIsMerged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		aside     func(before string) string
		put       string
		ended     string
		contested []string
	}{
		"nothing new": {aside: func(before string) string { return before }},
		"a session of theirs": {
			aside: func(before string) string {
				x, _ := parseIndex([]byte(before))
				text, err := writeIndex([]byte(before), nil, indexState{Sessions: append(x.Sessions, sessionFor("c", "r", "theirs"))}, noon)
				if err != nil {
					panic(err)
				}
				return string(text)
			},
			put: "c:theirs",
		},
		"a session ended": {
			aside: func(before string) string { return strings.Replace(before, `"tenant_a": {`, `"gone": {`, 1) },
			ended: "a",
		},
		"what sp chose, too": {
			aside: func(before string) string {
				return strings.Replace(before, `"active_key": "tenant_a"`, `"active_key": "tenant_c"`, 1)
			},
			contested: []string{"active_key"},
		},
		"the token that sp has made anew": {
			aside:     func(before string) string { return strings.Replace(before, "token of q", "theirs", 1) },
			contested: []string{"sessions.tenant_b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.logIn("q")
			o.logIn("p")
			o.settle()
			before := mustRead(t, o.Full(IndexPath))
			o.must(func(ctx context.Context) error {
				login := registry.Login{Profile: "q", Authentication: *sessionFor("b", "q", "anew").Authentication}
				_, err := o.reg.Authenticate(ctx, login)
				return err
			})
			view, err := o.reg.View(t.Context())
			require.NoError(t, err)
			defer view.Close()
			none, err := ChangedIndexOf(t.Context(), o.directory(), view, nil)
			require.NoError(t, err)
			require.Nil(t, none)

			index, err := ChangedIndexOf(t.Context(), o.directory(), view, asides(IndexPath, c.aside(before))[IndexPath])
			require.NoError(t, err)
			require.Equal(t, hashOf([]byte(mustRead(t, o.Full(IndexPath)))), index.Hash)
			edit, err := index.Merge(registry.Nobody)
			if c.contested != nil {
				require.Equal(t, &ChangedError{Path: o.Full(IndexPath), Members: c.contested}, err)
				edit, err = index.Merge(registry.Ours)
			}
			require.NoError(t, err)
			if c.put+c.ended == "" {
				require.Nil(t, edit)
				return
			}
			var put, ended string
			for _, s := range edit.Put {
				put += string(s.Tenant) + ":" + s.Authentication.Token.Reveal()
			}
			for _, id := range edit.Ended {
				ended += string(id)
			}
			require.Equal(t, []string{c.put, c.ended, "b", ""}, []string{put, ended, string(*edit.Active), edit.ActiveProfile})
		})
	}
}

// An entry that sp can't read goes from what was kept aside into the index.
func TestForeignEntriesOfWhatWasKeptAsideAreAdded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.logIn("p")
	o.settle()
	before := mustRead(t, o.Full(IndexPath))
	o.must(o.use("q"))
	text := strings.Replace(before, `"sessions": {`, `"sessions": {"local": {"their": 1},`, 1)
	o.options.Aside = asides(IndexPath, text)
	o.settle()
	require.Equal(t, []string{IndexPath + "x"}, o.found.Merged)
	index := mustRead(t, o.Full(IndexPath))
	require.Contains(t, index, `"their": 1`)
	require.Contains(t, index, `"active_profile_name": "q"`)
	o.options.Aside = nil
	o.settled()
	require.Equal(t, index, mustRead(t, o.Full(IndexPath)))
}

// TestWhatWasKeptAsideOfAProfileThatGoesIsTold, since nothing merges it any more.
func TestWhatWasKeptAsideOfAProfileThatGoesIsTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.options.Aside = asides(SecretsPath("p"), `{"github": "theirs"}`)
	o.must(o.delete("p"))
	require.Equal(t, []string{SecretsPath("p") + "x"}, o.found.Left)
}
