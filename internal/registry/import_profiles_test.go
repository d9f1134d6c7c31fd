package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func profileSteps(steps []ProfileStep) (texts []string) {
	for _, s := range steps {
		text := fmt.Sprintf("%s %s of %s", s.Action, s.Name, s.Tenant)
		if s.Secrets != nil {
			text += ", takes " + strings.Join(s.Secrets, " ")
		}
		if s.Left != nil {
			text += ", leaves " + strings.Join(whys(s.Left), "; ")
		}
		texts = append(texts, text)
	}
	return texts
}

func imported(name string, tenant TenantID, secrets ...string) ImportedProfile {
	return ImportedProfile{Profile: Profile{name, tenant}, Secrets: put(secrets...)}
}

// TestAnImportTakesProfilesAndSessions behind the tenants, and says what it left. The
// same once more changes nothing.
func TestAnImportTakesProfilesAndSessions(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustProfiles(t, "a", "pa")
	d.mustPut(t, "pa", "openai=old", "mine=1")
	i := file(local("b"))
	i.Profiles = []ImportedProfile{
		imported("pa", "a", "openai=new", "gemini=g", "database_url=postgres://h/d"), imported("pb", "b", "anthropic=s"),
		imported("pc", "none", "k=1"), imported("pa", "b"), imported("PB", "b"), imported("..", "a"), imported("fresh", "a"),
	}
	i.Sessions = &SessionsEdit{
		Put:    []Session{session("b", "pb", "tok"), session("a", "pc", "tok"), session("none", "pb", "tok")},
		Active: ptr(TenantID("b")), ActiveProfile: "pb", KeepSelection: true,
	}
	state := known(mustContents(t, d.path))
	planned := d.mustTry(t, i)
	require.Equal(t, state, known(mustContents(t, d.path)))

	plan := d.mustImport(t, i)
	require.Equal(t, planned, plan)
	require.Equal(t, []string{
		"update pa of a, takes openai gemini, leaves secret database_url: it is its tenant's, and follows that: not allowed",
		"add pb of b, takes anthropic",
		"skip pc of none, leaves there is no tenant none",
		"skip pa of b, leaves it belongs to tenant a here",
		"skip PB of b, leaves its name differs from another's by case alone",
		"skip .. of a, leaves profile name: only ASCII letters, digits, - and _ are allowed: not allowed",
		"add fresh of a",
	}, profileSteps(plan.Profiles))
	require.Equal(t, []string{
		"add b pb", "skip a pc: there is no profile pc", "skip none pb: there is no such tenant", "select b pb",
	}, sessionSteps(plan.Sessions))
	after := mustContents(t, d.path)
	require.Equal(t, []string{"pa gemini=g", "pa mine=1", "pa openai=new", "pb anthropic=s"}, after.Secrets)
	require.Equal(t, []Profile{{"fresh", "a"}, {"pa", "a"}, {"pb", "b"}}, after.Profiles)
	require.Equal(t, []string{"b " + revealAuthentication(authenticated("tok"))}, after.Authentications)

	changes := len(d.mustHistory(t, nil, Page{}))
	again := d.mustImport(t, i)
	require.Equal(t, known(after), known(mustContents(t, d.path)))
	require.Len(t, d.mustHistory(t, nil, Page{}), changes)
	for _, s := range append(profileSteps(again.Profiles), sessionSteps(again.Sessions)...) {
		require.Regexp(t, "^(skip|keep) .*(leaves|: )", s, "only what is left is said again")
	}
	d.mustUndo(t)
	require.Equal(t, state, known(mustContents(t, d.path)), "all of it was one change")
}

// TestAnExactImportTakesSecretsAwayThatTheFilesLack, and a purging one for good.
func TestAnExactImportTakesSecretsAwayThatTheFilesLack(t *testing.T) {
	t.Parallel()
	d := mustProfileDesk(t)
	d.mustPut(t, "p", "mine=CANARY", "openai=1")
	i := Import{Exact: true, Purge: true, Profiles: []ImportedProfile{imported("p", "a", "openai=1")}}
	require.Equal(t, []string{"update p of a"}, profileSteps(d.mustImport(t, i).Profiles))
	require.Equal(t, []string{"p openai=1"}, d.secrets(t))
	requireNowhere(t, filepath.Dir(d.path), "CANARY")
}

// TestAPlanWithoutARegistrySaysWhatANewOneWouldDo, whatever the files hold.
func TestAPlanWithoutARegistrySaysWhatANewOneWouldDo(t *testing.T) {
	t.Parallel()
	dir, run := harness.QuickDir(t), 0
	actions := map[Action]int{}
	names := rapid.SampledFrom([]string{"p", "q", "Q", "P", "r", "..", "", "a b"})
	rapid.Check(t, func(t *rapid.T) {
		i := file()
		if rapid.IntRange(0, 5).Draw(t, "tenants") > 0 {
			var tenants []Tenant
			for _, id := range rapid.SliceOfNDistinct(someIDs, 0, 3, rapid.ID).Draw(t, "ids") {
				tenants = append(tenants, local(TenantID(id)))
			}
			i = file(tenants...)
		}
		for _, name := range rapid.SliceOfNDistinct(names, 0, 5, rapid.ID).Draw(t, "profiles") { // directories: each name once
			keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"k=1", "l=", "database_url=x", "m=2"}), 0, 3, rapid.ID)
			i.Profiles = append(i.Profiles, imported(name, TenantID(someIDs.Draw(t, "tenant")), keys.Draw(t, "secrets")...))
		}
		if rapid.Bool().Draw(t, "sessions") {
			i.Sessions = &SessionsEdit{ActiveProfile: rapid.OneOf(rapid.Just(""), names).Draw(t, "active profile")}
			i.Sessions.Active = (*TenantID)(rapid.Ptr(someIDs, true).Draw(t, "active"))
			i.Sessions.KeepSelection = rapid.Bool().Draw(t, "keep")
			for _, id := range rapid.SliceOfNDistinct(someIDs, 0, 3, rapid.ID).Draw(t, "of") {
				i.Sessions.Put = append(i.Sessions.Put, session(TenantID(id), names.Draw(t, "profile"), "tok"))
			}
		}
		planned, err := PlanNew(i)
		require.NoError(t, err)

		run++
		path := filepath.Join(dir, fmt.Sprint(run))
		require.NoError(t, os.Mkdir(path, 0o700))
		d := mustDeskAt(t, filepath.Join(path, "sp.db"))
		done, err := d.ImportTenants(t.Context(), i)
		require.NoError(t, err)
		require.Equal(t, profileSteps(done.Profiles), profileSteps(planned.Profiles))
		require.Equal(t, sessionSteps(done.Sessions), sessionSteps(planned.Sessions))
		require.Equal(t, steps(done), steps(planned))
		after := contentsOf(t, d.Registry)
		added := 0
		for _, s := range done.Profiles {
			actions[s.Action]++
			if s.Action == Add {
				added++
			}
		}
		for _, s := range done.Sessions {
			actions[s.Action]++
		}
		require.Len(t, after.Profiles, added)
		require.NoError(t, d.Close())
	})
	for _, action := range []Action{Add, Skip, Select} {
		require.True(t, testing.Short() || actions[action] > 0, action) // in short there are too few
	}
}

func whys(left []Left) (all []string) {
	for _, l := range left {
		all = append(all, l.Why)
	}
	return all
}
