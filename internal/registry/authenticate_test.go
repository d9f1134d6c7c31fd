package registry

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// authenticated is what authenticates, for a day from noon.
func authenticated(text string) Authentication {
	return Authentication{
		Token: secret.New(text), Issuer: ptr("https://issuer"), SessionID: "sess_1", ContextID: "c0ffee",
		UserID: "user_1", UserEmail: "admin@example.com", UserType: "admin",
		CreatedAt: noon, ExpiresAt: noon.Add(24 * time.Hour), LastUsed: noon,
	}
}

func (d *desk) mustLogin(t testing.TB, profile, text string) Session {
	t.Helper()
	session, err := d.Authenticate(t.Context(), Login{Profile: profile, Authentication: authenticated(text)})
	require.NoError(t, err)
	return session
}

// authentications looks with other eyes.
func (d *desk) authentications(t testing.TB) []string { return mustContents(t, d.path).Authentications }

// mustTwoDesk has the tenants a and b with the profiles pa, qa and pb.
func mustTwoDesk(t testing.TB) *desk {
	t.Helper()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	d.mustProfiles(t, "a", "pa", "qa")
	d.mustProfiles(t, "b", "pb")
	return d
}

// TestAnAuthenticationIsOfItsTenantsSession: rows I1, I11, I12 and S15 of the original's cases.
func TestAnAuthenticationIsOfItsTenantsSession(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	session := d.mustLogin(t, "pa", "tok-a")
	require.Equal(t, "pa", session.Profile)
	require.False(t, session.Authentication.IsExpired(noon))
	d.mustLogin(t, "pb", "tok-b")
	a, b := "a "+revealAuthentication(authenticated("tok-a")), "b "+revealAuthentication(authenticated("tok-b"))
	require.Equal(t, []string{a, b}, d.authentications(t), "with its nanoseconds")
	require.Contains(t, a, "12:00:00.123456789Z")
	require.Equal(t, ptr(TenantID("b")), mustContents(t, d.path).Selection.Tenant)
	require.True(t, d.mustActive(t).Authentication.Token.Equal(secret.New("tok-b")))
	d.mustSelect(t, "a")
	require.True(t, d.mustActive(t).Authentication.Token.Equal(secret.New("tok-a")))

	d.mustLogin(t, "pb", "tok-c") // I5: what was there before is nowhere
	require.Equal(t, []string{a, "b " + revealAuthentication(authenticated("tok-c"))}, d.authentications(t))
	requireNowhere(t, filepath.Dir(d.path), "tok-b")
	d.mustRefuse(t, ErrNotFound, func() error {
		_, err := d.Authenticate(t.Context(), Login{Profile: "x", Authentication: authenticated("t")})
		return err
	})
}

// TestComingBackRestoresWhatAuthenticates is row I2: A, B and A again.
func TestComingBackRestoresWhatAuthenticates(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	d.mustLogin(t, "pa", "tok-a")
	d.mustLogin(t, "pb", "tok-b")
	before := d.authentications(t)
	d.now = noon.Add(time.Hour)
	for _, id := range []TenantID{"a", "b", "a"} {
		d.mustSelect(t, id)
		require.Equal(t, before, d.authentications(t))
	}
}

// TestAnotherProfileOfTheTenantKeepsItsAuthentication, used then (E5). E7 differs on
// purpose: there is one session a tenant, and it authenticates every profile of it.
func TestAnotherProfileOfTheTenantKeepsItsAuthentication(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	d.mustLogin(t, "pa", "tok-a")
	d.now = noon.Add(time.Hour)
	d.mustUse(t, "qa")
	want := authenticated("tok-a")
	want.LastUsed = d.now
	require.Equal(t, []string{"a " + revealAuthentication(want)}, d.authentications(t))
	require.Equal(t, "qa", d.mustActive(t).Profile)
}

// TestAnEndedSessionLeavesNoToken is rows I13 and I14: A's token is nowhere in the file, B's is.
func TestAnEndedSessionLeavesNoToken(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(d *desk) error{
		"session":  func(d *desk) error { _, err := d.EndSession(context.Background(), "a"); return err },
		"sessions": func(d *desk) error { _, err := d.EndSessions(context.Background()); return err },
		"profile":  func(d *desk) error { _, err := d.DeleteProfile(context.Background(), "pa", false); return err },
		"tenant":   func(d *desk) error { _, err := d.DeleteTenant(context.Background(), Deletion{ID: "a"}); return err },
		"file": func(d *desk) error {
			_, err := d.ImportTenants(context.Background(), Import{Sessions: &SessionsEdit{Ended: []TenantID{"a"}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustTwoDesk(t)
			d.mustLogin(t, "pb", "tok-b")
			d.mustLogin(t, "pa", "CANARY")
			choice := mustContents(t, d.path).Sessions
			require.NoError(t, end(d))
			requireNowhere(t, filepath.Dir(d.path), "CANARY")
			if name != "sessions" {
				require.Equal(t, []string{"b " + revealAuthentication(authenticated("tok-b"))}, d.authentications(t))
			}
			d.mustUndo(t)
			require.Equal(t, choice, mustContents(t, d.path).Sessions, "the choice is back")
			for _, a := range d.authentications(t) {
				require.NotContains(t, a, "CANARY", "its token is not")
			}
		})
	}
}

// TestALoginIsUndoneToWhatWasChosen before it; the token that it replaced is gone.
func TestALoginIsUndoneToWhatWasChosen(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	d.mustUse(t, "qa")
	before := known(mustContents(t, d.path))
	d.mustLogin(t, "pa", "CANARY")
	d.mustUndo(t)
	require.Equal(t, before, known(mustContents(t, d.path)))
	requireNowhere(t, filepath.Dir(d.path), "CANARY")
}

// TestATokenThatIsGoneIsInNoUndosWay: after the undo of a second login, or of a logout, the
// first login can be undone as well. One that stands is in the way.
func TestATokenThatIsGoneIsInNoUndosWay(t *testing.T) {
	t.Parallel()
	for name, later := range map[string]func(d *desk) error{
		"login":  func(d *desk) error { return login(d, "pa", "tok-2") },
		"logout": func(d *desk) error { _, err := d.EndSession(context.Background(), "a"); return err },
	} {
		d := mustTwoDesk(t)
		before := known(mustContents(t, d.path))
		d.mustLogin(t, "pa", "tok-1")
		first := d.revision(t)
		require.NoError(t, later(d), name)
		if name == "login" {
			d.mustRefuse(t, ErrConflict, func() error { return d.undo(t, first) })
		}
		d.mustUndo(t)
		d.mustUndo(t)
		require.Equal(t, before, known(mustContents(t, d.path)), name)
	}
}

func login(d *desk, profile, text string) error {
	_, err := d.Authenticate(context.Background(), Login{Profile: profile, Authentication: authenticated(text)})
	return err
}

func TestAuthenticationsThatAreRefused(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	for why, mend := range map[string]func(a *Authentication){
		"session token: empty":                  func(a *Authentication) { a.Token = secret.Secret{} },
		"session token: holds a control":        func(a *Authentication) { a.Token = secret.New("a\nb") },
		"session token: not UTF-8":              func(a *Authentication) { a.Token = secret.New("a\xff") },
		"session id: empty":                     func(a *Authentication) { a.SessionID = "" },
		"context id: empty":                     func(a *Authentication) { a.ContextID = "" },
		"user id: holds a control":              func(a *Authentication) { a.UserID = "a\u202eb" },
		"issuer: starts or ends":                func(a *Authentication) { a.Issuer = ptr(" x") },
		"it would be over before it begins":     func(a *Authentication) { a.ExpiresAt = a.CreatedAt },
		"email: it has not exactly one @":       func(a *Authentication) { a.UserEmail = "admin" },
		"session: it would be over before it b": func(a *Authentication) { a.ExpiresAt = noon.Add(-time.Hour) },
	} {
		a := authenticated("t")
		mend(&a)
		d.mustRefuse(t, ErrInvalid, func() error {
			_, err := d.Authenticate(t.Context(), Login{Profile: "pa", Authentication: a})
			if err != nil {
				require.ErrorContains(t, err, why)
			}
			return err
		})
	}
	for _, issuer := range []*string{nil, ptr("")} { // older entries know none
		a := authenticated("t")
		a.Issuer = issuer
		_, err := d.Authenticate(t.Context(), Login{Profile: "pa", Authentication: a})
		require.NoError(t, err)
	}
}

func TestEmailsAsTheOriginalTakesThem(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a@b.co", "first.last+tag@sub.example.com", "ü@exämple.org"} {
		require.NoError(t, checkEmail(good), good)
	}
	for _, bad := range []string{
		"", "a", "@b.co", "a@", "a@b@c.co", "a@b", "a@b.c", ".a@b.co", "a.@b.co", "a..b@c.co", "a@.b.co", "a@b..co", "a@b.co.", "a@b.co ", "a\n@b.co",
	} {
		require.ErrorIs(t, checkEmail(bad), ErrInvalid, "%q", bad)
	}
}

// TestWhatWasReadIsNobodyElses: I9, and S14 counts them.
func TestWhatWasReadIsNobodyElses(t *testing.T) {
	t.Parallel()
	d := mustTwoDesk(t)
	require.Empty(t, d.authentications(t))
	before := d.mustLogin(t, "pa", "tok-1")
	require.Len(t, d.authentications(t), 1)
	d.mustLogin(t, "pb", "tok-b")
	require.Len(t, d.authentications(t), 2)
	d.mustLogin(t, "pa", "tok-2")
	require.Len(t, d.authentications(t), 2, "one a tenant")
	require.True(t, before.Authentication.Token.Equal(secret.New("tok-1")), "what was read before the rotation")
	_, err := d.EndSession(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, d.authentications(t), 1)
}

// TestAnAuthenticationEndsAtItsExpiry is rows E6, E8, I7 and I8: at that instant, not behind it.
func TestAnAuthenticationEndsAtItsExpiry(t *testing.T) {
	t.Parallel()
	a := authenticated("t")
	require.False(t, a.IsExpired(a.ExpiresAt.Add(-time.Nanosecond)))
	require.True(t, a.IsExpired(a.ExpiresAt))
}
