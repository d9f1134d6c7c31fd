package registry

import (
	"fmt"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

func (d *desk) mustEditSessions(t testing.TB, e SessionsEdit) (texts []string) {
	t.Helper()
	return sessionSteps(d.mustImport(t, Import{Sessions: &e}).Sessions)
}

func sessionSteps(steps []SessionStep) (texts []string) {
	for _, s := range steps {
		text := fmt.Sprintf("%s %s %s", s.Action, s.Tenant, s.Profile)
		if s.Why != "" {
			text += ": " + s.Why
		}
		texts = append(texts, text)
	}
	return texts
}

// session is one as a file has it; when its profile was chosen, a file does not tell.
func session(tenant TenantID, profile, text string) Session {
	s := Session{Tenant: tenant, Profile: profile, ChosenAt: noon.Add(time.Minute)}
	if text != "" {
		a := authenticated(text)
		s.Authentication = &a
	}
	return s
}

// TestSessionsFollowAFile and what the registry has no place for is left, and said. The
// same once more changes nothing.
func TestSessionsFollowAFile(t *testing.T) {
	t.Parallel()
	a, b, none := ptr(TenantID("a")), ptr(TenantID("b")), ptr(TenantID("none"))
	inB := session("b", "pb", "tok-b")
	newer := session("a", "pa", "tok-2")
	newer.Authentication.LastUsed = noon.Add(time.Hour)
	other := session("a", "qa", "tok-a")
	for name, c := range map[string]struct {
		edit SessionsEdit
		want []string
		left bool // it is said again
	}{
		"another":           {edit: SessionsEdit{Put: []Session{inB}}, want: []string{"add b pb"}},
		"newer":             {edit: SessionsEdit{Put: []Session{newer}}, want: []string{"update a pa"}},
		"same":              {edit: SessionsEdit{Put: []Session{session("a", "pa", "tok-a")}}},
		"profile":           {edit: SessionsEdit{Put: []Session{other}}, want: []string{"update a qa"}},
		"without a token":   {edit: SessionsEdit{Put: []Session{session("a", "pa", "")}}, want: []string{"update a pa"}},
		"unknown tenant":    {edit: SessionsEdit{Put: []Session{session("none", "pa", "t"), inB}}, want: []string{"skip none pa: there is no such tenant", "add b pb"}, left: true},
		"unknown profile":   {edit: SessionsEdit{Put: []Session{session("b", "nobody", "t")}}, want: []string{"skip b nobody: there is no profile nobody"}, left: true},
		"foreign profile":   {edit: SessionsEdit{Put: []Session{session("b", "pa", "t")}}, want: []string{"skip b pa: profile pa belongs to tenant a"}, left: true},
		"ended":             {edit: SessionsEdit{Ended: []TenantID{"a", "b", "none"}}, want: []string{"remove a pa"}},
		"active":            {edit: SessionsEdit{Active: b, ActiveProfile: "pb"}, want: []string{"select b pb"}},
		"active is already": {edit: SessionsEdit{Active: a, ActiveProfile: "pa"}},
		"active, other":     {edit: SessionsEdit{Active: a, ActiveProfile: "qa"}, want: []string{"select a qa"}},
		"active, foreign":   {edit: SessionsEdit{Active: a, ActiveProfile: "pb"}},
		"active, no name":   {edit: SessionsEdit{Active: b}, want: []string{"select b "}},
		"active, unknown":   {edit: SessionsEdit{Active: none}, want: []string{"skip none : " + notActive.Why}, left: true},
		"selection stays":   {edit: SessionsEdit{Active: b, ActiveProfile: "pb", KeepSelection: true}},
		"nothing":           {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustTwoDesk(t)
			d.mustLogin(t, "pa", "tok-a")
			before := len(d.mustHistory(t, nil, Page{}))
			state := known(mustContents(t, d.path))
			require.Equal(t, c.want, d.mustEditSessions(t, c.edit))
			d.mustReopen(t)
			after := mustContents(t, d.path)
			changed := len(d.mustHistory(t, nil, Page{})) - before
			if c.want == nil || c.left && len(c.want) == 1 {
				require.Equal(t, state, known(after))
				require.Zero(t, changed)
			} else {
				require.NotEqual(t, state, known(after))
				require.Equal(t, 1, changed)
			}

			d.now = noon.Add(time.Hour)
			again := d.mustEditSessions(t, c.edit)
			if c.left {
				require.Equal(t, c.want[:1], again)
			} else {
				require.Empty(t, again)
			}
			require.Equal(t, known(after), known(mustContents(t, d.path)))
			require.Len(t, d.mustHistory(t, nil, Page{}), before+changed, "no second change")
		})
	}
}

// TestAnEndedSessionOfAFileKeepsTheChoice: what is ended there is what authenticates.
func TestAnEndedSessionOfAFileKeepsTheChoice(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	d.mustLogin(t, "pa", "tok-a")
	d.mustEditSessions(t, SessionsEdit{Ended: []TenantID{"a"}})
	active := d.mustActive(t)
	require.Equal(t, "pa", active.Profile)
	require.Nil(t, active.Authentication)
}

// TestTheActiveProfileOfAFileKeepsWhatAuthenticates its tenant's session (S9).
func TestTheActiveProfileOfAFileKeepsWhatAuthenticates(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	d.mustLogin(t, "pa", "tok-a")
	d.mustEditSessions(t, SessionsEdit{Active: ptr(TenantID("a")), ActiveProfile: "qa"})
	active := d.mustActive(t)
	require.Equal(t, "qa", active.Profile)
	require.True(t, active.Authentication.Token.Equal(secret.New("tok-a")))
}

// TestAFileSelectsWhereNothingIs, and after a deletion, where nothing was selected since.
func TestAFileSelectsWhereNothingIs(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	e := SessionsEdit{Active: ptr(TenantID("b")), ActiveProfile: "pb", KeepSelection: true}
	require.Equal(t, []string{"select b pb"}, d.mustEditSessions(t, e))
	require.Equal(t, "pb", d.mustActive(t).Profile)
	d.mustDelete(t, "b")
	e = SessionsEdit{Active: ptr(TenantID("a")), ActiveProfile: "pa", KeepSelection: true}
	require.Equal(t, []string{"select a pa"}, d.mustEditSessions(t, e))
}
