package registry

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// put are secrets of a profile, given as KEY=VALUE.
func put(texts ...string) (secrets []ProfileSecret) {
	for _, text := range texts {
		key, value, _ := strings.Cut(text, "=")
		secrets = append(secrets, ProfileSecret{Key: key, Value: secret.New(value)})
	}
	return secrets
}

func (d *desk) mustPut(t testing.TB, profile string, secrets ...string) int64 {
	t.Helper()
	_, err := d.EditSecrets(t.Context(), SecretEdit{Profile: profile, Put: put(secrets...)})
	require.NoError(t, err)
	return d.revision(t)
}

func (d *desk) mustUnset(t testing.TB, profile string, keys ...string) int64 {
	t.Helper()
	_, err := d.EditSecrets(t.Context(), SecretEdit{Profile: profile, Unset: keys})
	require.NoError(t, err)
	return d.revision(t)
}

// secrets looks with other eyes.
func (d *desk) secrets(t testing.TB) []string { return mustContents(t, d.path).Secrets }

// mustProfileDesk has the tenants a and b, and the profile p of a.
func mustProfileDesk(t testing.TB) *desk {
	t.Helper()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "p")
	return d
}

func TestSecretsOfAProfileAreSetReplacedAndUnset(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	d.mustPut(t, "p", "openai=sk-1", "anthropic=sk-2")
	require.Equal(t, []string{"p anthropic=sk-2", "p openai=sk-1"}, d.secrets(t))
	d.mustPut(t, "p", "openai=sk-3\nof two lines")
	require.Equal(t, []string{"p anthropic=sk-2", "p openai=sk-3\nof two lines"}, d.secrets(t))
	profile, err := d.EditSecrets(t.Context(), SecretEdit{Profile: "p", Put: put("gemini=g"), Unset: []string{"openai"}})
	require.NoError(t, err)
	require.Equal(t, Profile{"p", "a"}, profile)
	require.Equal(t, []string{"p anthropic=sk-2", "p gemini=g"}, d.secrets(t))
	d.mustUnset(t, "p", "gemini", "anthropic")
	require.Empty(t, d.secrets(t))
}

func TestUnsettingWhatIsNotThereChangesNothing(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	d.mustPut(t, "p", "openai=sk-1")
	for _, e := range []SecretEdit{
		{Profile: "p", Unset: []string{"openai", "nosuch"}},
		{Profile: "p", Unset: []string{"openai", "openai"}},
		{Profile: "p", Unset: []string{"nosuch"}, Put: put("nosuch=1")},
		{Profile: "nobody", Put: put("openai=1")},
	} {
		d.mustRefuse(t, ErrNotFound, func() error { _, err := d.EditSecrets(t.Context(), e); return err })
	}
}

func TestSecretsThatAreRefused(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	long := strings.Repeat("x", maxSecret)
	for why, s := range map[string]ProfileSecret{
		"it is its tenant's, and follows that": {Key: "database_url", Value: secret.New("postgres://h/d")},
		"internal_database_url: it is its":     {Key: "internal_database_url", Value: secret.New("postgres://h/d")},
		"external_database_url: it is its":     {Key: "external_database_url", Value: secret.New("postgres://h/d")},
		"sync_token: it is its":                {Key: "sync_token", Value: secret.New("t")},
		"name of a secret: empty":              {Value: secret.New("v")},
		"starts with a dash":                   {Key: "-k", Value: secret.New("v")},
		"name of a secret: holds a control":    {Key: "a\nb", Value: secret.New("v")},
		"name of a secret: starts or ends":     {Key: "a ", Value: secret.New("v")},
		"name of a secret: is a way to a":      {Key: "postgres://u:p@h/d", Value: secret.New("v")},
		"name of a secret: longer than":        {Key: long[:maxName+1], Value: secret.New("v")},
		"its value is empty":                   {Key: "k"},
		"its value is longer than 64 KiB":      {Key: "k", Value: secret.New(long + "x")},
		"k: its value is not text":             {Key: "k", Value: secret.New("a\xffb")},
		"n: its value is not text":             {Key: "n", Value: secret.New("a\x00b")},
	} {
		require.ErrorContains(t, CheckProfileSecret(s), why)
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.EditSecrets(t.Context(), SecretEdit{Profile: "p", Put: append(put("good=1"), s)})
			return err
		})
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.CreateProfile(t.Context(), NewProfile{Name: "q", Tenant: ptr(TenantID("a")), Secrets: []ProfileSecret{s}})
			return err
		})
	}
	require.NoError(t, CheckProfileSecret(ProfileSecret{Key: "custom.KEY-1", Value: secret.New(long)}))
}

func TestSecretsStayWithTheirProfile(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	_, err := d.CreateProfile(t.Context(), NewProfile{Name: "q", Tenant: ptr(TenantID("a")), Secrets: put("openai=of-q")})
	require.NoError(t, err)
	d.mustPut(t, "p", "openai=of-p")
	both := []string{"p openai=of-p", "q openai=of-q"}
	require.Equal(t, both, d.secrets(t), "two profiles of one tenant have each their own")

	_, err = d.UpdateProfile(t.Context(), ProfileEdit{Name: "p", NewName: ptr("pp")})
	require.NoError(t, err)
	require.Equal(t, []string{"pp openai=of-p", "q openai=of-q"}, d.secrets(t), "renamed")
	_, err = d.UpdateProfile(t.Context(), ProfileEdit{Name: "pp", Tenant: ptr(TenantID("b"))})
	require.NoError(t, err)
	require.Equal(t, []string{"pp openai=of-p", "q openai=of-q"}, d.secrets(t), "linked to another tenant")

	d.mustUndo(t)
	d.mustUndo(t)
	require.Equal(t, both, d.secrets(t), "both undone")
	_, err = d.DeleteProfile(t.Context(), "p", false)
	require.NoError(t, err)
	require.Equal(t, both[1:], d.secrets(t))
	d.mustDelete(t, "a")
	require.Empty(t, d.secrets(t))
	d.mustUndo(t)
	d.mustUndo(t)
	require.Equal(t, both, d.secrets(t), "with profile and tenant")
}

func TestUndoBringsSecretsOfAProfileBack(t *testing.T) {
	t.Parallel()
	relink := func(d *desk) error {
		_, err := d.UpdateProfile(context.Background(), ProfileEdit{Name: "p", Tenant: ptr(TenantID("b"))})
		return err
	}
	for name, do := range map[string]func(d *desk) error{
		"set":   func(d *desk) error { return editSecrets(d, SecretEdit{Profile: "p", Put: put("new=1", "kept=2")}) },
		"unset": func(d *desk) error { return editSecrets(d, SecretEdit{Profile: "p", Unset: []string{"kept"}}) },
		"both": func(d *desk) error {
			return editSecrets(d, SecretEdit{Profile: "p", Put: put("n=1"), Unset: []string{"kept", "too"}})
		},
		"relink": relink,
		"rename": func(d *desk) error {
			_, err := d.UpdateProfile(context.Background(), ProfileEdit{Name: "p", NewName: ptr("new-name")})
			return err
		},
		"rename and relink": func(d *desk) error {
			_, err := d.UpdateProfile(context.Background(), ProfileEdit{Name: "p", NewName: ptr("q"), Tenant: ptr(TenantID("b"))})
			return err
		},
		"delete":        func(d *desk) error { _, err := d.DeleteProfile(context.Background(), "p", false); return err },
		"delete tenant": func(d *desk) error { _, err := d.DeleteTenant(context.Background(), Deletion{ID: "a"}); return err },
		"import": func(d *desk) error {
			i := Import{Exact: true, Profiles: []ImportedProfile{{Profile: Profile{"p", "a"}, Secrets: put("other=1")}}}
			_, err := d.ImportTenants(context.Background(), i)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustProfileDesk(t)
			d.mustPut(t, "p", "kept=value-1", "too=value-2")
			before := known(mustContents(t, d.path))
			require.NoError(t, do(d))
			after := known(mustContents(t, d.path))
			require.NotEqual(t, before, after)
			d.mustUndo(t)
			require.Equal(t, before, known(mustContents(t, d.path)))
			d.mustUndo(t, d.revision(t))
			require.Equal(t, after, known(mustContents(t, d.path)), "done again")
		})
	}
}

// TestASecretIsFoundThoughItsProfileWentToAnotherTenantSince: it is kept for the one that
// the profile belonged to.
func TestASecretIsFoundThoughItsProfileWentToAnotherTenantSince(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	d.mustPut(t, "p", "k=1")
	unset := d.mustUnset(t, "p", "k")
	_, err := d.UpdateProfile(t.Context(), ProfileEdit{Name: "p", Tenant: ptr(TenantID("b"))})
	require.NoError(t, err)
	d.mustUndo(t, unset)
	require.Equal(t, []string{"p k=1"}, d.secrets(t))
	require.Equal(t, []Profile{{"p", "b"}}, mustContents(t, d.path).Profiles)
}

func editSecrets(d *desk, e SecretEdit) error {
	_, err := d.EditSecrets(context.Background(), e)
	return err
}

// TestTheHistoryKnowsSecretsOfProfilesByTheirDigests only, and a purge leaves no byte.
func TestTheHistoryKnowsSecretsOfProfilesByTheirDigests(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	d.mustPut(t, "p", "openai=CANARY-1")
	d.mustPut(t, "p", "openai=CANARY-2")
	changes := d.mustHistory(t, nil, Page{Limit: 1})
	require.Regexp(t, `^\{"digest":"[0-9a-f]{32}"\}$`, string(changes[0].Entries[0].Before["secrets.openai"]))
	require.NotEqual(t, changes[0].Entries[0].Before["secrets.openai"], changes[0].Entries[0].After["secrets.openai"])
	d.mustUnset(t, "p", "openai")
	for _, row := range mustTexts(t, d.path, "SELECT before FROM entries") {
		require.NotContains(t, row, "CANARY")
	}
	_, err := d.PurgeSecrets(t.Context(), false)
	require.NoError(t, err)
	requireNowhere(t, filepath.Dir(d.path), "CANARY")
}

func mustTexts(t testing.TB, path, query string) (texts []string) {
	t.Helper()
	rows, err := mustRaw(t, path).Query(query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		texts = append(texts, text)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, texts)
	return texts
}

func TestAPurgeOfAProfilesSecretIsFinal(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]SecretEdit{
		"replaced": {Profile: "p", Put: put("openai=new"), Purge: true},
		"unset":    {Profile: "p", Unset: []string{"openai"}, Purge: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustProfileDesk(t)
			d.mustPut(t, "p", "openai=CANARY-1")
			d.mustPut(t, "p", "openai=CANARY-2") // what an earlier change kept goes, too
			require.NoError(t, editSecrets(d, e))
			requireNowhere(t, filepath.Dir(d.path), "CANARY")
			d.mustRefuse(t, ErrForgotten, func() error { _, err := d.Undo(t.Context(), Undo{}); return err })
		})
	}
}
