package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/stretchr/testify/require"
)

// loginSandbox has a tenant with a profile.
func loginSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := promptingSandbox(t)
	s.env["SYSTEMPROMPT_ADMIN_EMAIL"] = "admin@example.com"
	s.stdin = "tok\n"
	return s
}

// jwt is a token with those claims; who signed it nobody asks.
func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

// shownSession is what these tests read of one in JSON.
type shownSession struct {
	State     string  `json:"state"`
	Status    string  `json:"session_status"`
	CreatedAt string  `json:"created_at"`
	ExpiresAt string  `json:"expires_at"`
	LastUsed  string  `json:"last_used"`
	Expired   bool    `json:"is_expired"`
	ExpiresIn *string `json:"expires_in"`
	Stale     *string `json:"stale_warning"`
}

func (s *sandbox) shownSession() (shown shownSession) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.must("session", "show", "--json").stdout), &shown))
	return shown
}

// TestASessionTellsHowLongItAuthenticates holds rows E4, E6, C11 and S11 of the original's
// cases: a countdown that ends in minutes, none when it is over, and a warning after more than
// 24 whole hours without use. One that is over is still shown, on purpose: its profile stays
// chosen.
func TestASessionTellsHowLongItAuthenticates(t *testing.T) {
	t.Parallel()
	s := loginSandbox(t)
	s.must("session", "login", "--duration-hours", "50")
	for _, c := range []struct {
		after            time.Duration
		expiresIn, stale string
		status           string
	}{
		{0, "50h 0m", "", "50h 0m remaining"},
		{time.Nanosecond, "49h 59m", "", "49h 59m remaining"},
		{25*time.Hour - time.Nanosecond, "25h 0m", "", "25h 0m remaining"}, // 24 whole hours are not more than 24
		{25 * time.Hour, "25h 0m", "last used 25h ago", "25h 0m remaining"},
		{30 * time.Hour, "20h 0m", "last used 30h ago", "20h 0m remaining"},
		{50*time.Hour - time.Nanosecond, "0h 0m", "last used 49h ago", "0h 0m remaining"},
		{50 * time.Hour, "", "last used 50h ago", "expired"},
	} {
		s.now = noon.Add(c.after)
		shown := s.shownSession()
		require.Equal(t, c.status, shown.Status, c.after)
		require.Equal(t, c.status == "expired", shown.Expired, c.after)
		require.Equal(t, c.status == "expired", shown.State == "expired", c.after)
		require.Equal(t, c.expiresIn, textOrNone(shown.ExpiresIn), c.after)
		require.Equal(t, c.stale, textOrNone(shown.Stale), c.after)
		text := s.must("session", "show").stdout
		require.Equal(t, c.stale != "", strings.Contains(text, "warning\t"+c.stale), text)
		require.Contains(t, s.must("session", "list").stdout, "\tadmin@example.com\t"+c.status+"\n")
	}
	require.Contains(t, s.must("session", "show", "--json").stdout, `"expires_in": null`)
	require.Contains(t, s.must("explain").stdout, "note\t\t\tthe session's token is expired, its choice of the profile holds\n")
	s.must("session", "login") // another token, for the old one is over
	require.Equal(t, "24h 0m remaining", s.shownSession().Status)
	require.NotContains(t, s.must("explain").stdout, "expired")
}

func textOrNone(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// TestReportingASessionDoesNotUseIt holds row 1 of the original's login.
func TestReportingASessionDoesNotUseIt(t *testing.T) {
	t.Parallel()
	s := loginSandbox(t)
	s.must("session", "login")
	before := s.read(".systemprompt/sp.db")
	s.stdin, s.now = "", noon.Add(90*time.Minute)
	var told struct {
		Status string `json:"status"`
		Hours  int    `json:"expires_in_hours"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.must("session", "login", "--json").stdout), &told))
	require.Equal(t, "existing", told.Status)
	require.Equal(t, 22, told.Hours)
	require.Equal(t, before, s.read(".systemprompt/sp.db"))
	s.now = noon.Add(24 * time.Hour)
	require.Equal(t, 2, s.run("session", "login").exit, "it is over")
}

// TestHowLongASessionLasts is row E20 and what the token says of itself: no session outlives
// its token. P10 differs on purpose: what can't be read as a JWT is a token like any other,
// which lasts a day, and not one that has expired.
func TestHowLongASessionLasts(t *testing.T) {
	t.Parallel()
	exp := func(at time.Time) string { return jwt(fmt.Sprintf(`{"exp":%d}`, at.Unix())) }
	for name, c := range map[string]struct {
		token string
		args  []string
		want  time.Duration
	}{
		"plain":               {"tok", nil, 24 * time.Hour},
		"one hour":            {"tok", []string{"--duration-hours", "1"}, time.Hour},
		"a year":              {"tok", []string{"--duration-hours", "8760"}, 8760 * time.Hour},
		"the token's":         {exp(noon.Add(3 * time.Hour)), nil, 3 * time.Hour},
		"less than it":        {exp(noon.Add(3 * time.Hour)), []string{"--duration-hours", "2"}, 2 * time.Hour},
		"more than it":        {exp(noon.Add(3 * time.Hour)), []string{"--duration-hours", "4"}, 3 * time.Hour},
		"parts of a second":   {jwt(fmt.Sprintf(`{"exp":%d.75}`, noon.Add(time.Hour).Unix())), nil, time.Hour},
		"no expiry":           {jwt(`{"sub":"u"}`), nil, 24 * time.Hour},
		"expiry is no number": {jwt(`{"exp":"soon"}`), nil, 24 * time.Hour},
		"two centuries":       {exp(noon.AddDate(200, 0, 0)), nil, noon.AddDate(200, 0, 0).Sub(noon)},
		"two parts":           {"e30.e30", nil, 24 * time.Hour},
		"not base64":          {"a.b!.c", nil, 24 * time.Hour},
		"not JSON":            {"a." + base64.RawURLEncoding.EncodeToString([]byte("x")) + ".c", nil, 24 * time.Hour},
		"an array":            {"a." + base64.RawURLEncoding.EncodeToString([]byte("[]")) + ".c", nil, 24 * time.Hour},
		"null":                {"a." + base64.RawURLEncoding.EncodeToString([]byte("null")) + ".c", nil, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := loginSandbox(t)
			s.stdin = c.token
			s.must(append([]string{"session", "login"}, c.args...)...)
			shown := s.shownSession()
			require.Equal(t, noon.Format("2006-01-02T15:04:05.000000Z"), shown.CreatedAt)
			require.Equal(t, shown.CreatedAt, shown.LastUsed)
			expires, err := registry.ParseTime(shown.ExpiresAt)
			require.NoError(t, err)
			require.Equal(t, noon.Add(c.want).Unix(), expires.Unix())
		})
	}
	for _, over := range []time.Duration{0, -time.Second, -24 * time.Hour} {
		s := loginSandbox(t)
		s.stdin = exp(noon.Add(over))
		require.Equal(t, 2, s.run("session", "login").exit, over)
	}
}
