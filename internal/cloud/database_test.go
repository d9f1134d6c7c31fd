package cloud

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// A control plane hands out its own servers. One that is elsewhere can't mean this machine.
func TestADatabaseURLThatLeadsHereIsRefused(t *testing.T) {
	t.Parallel()
	const good, here, socket, unusable = "", "leads to this machine", "leads to a socket of this machine", "can't be used"
	const bare, along = "has no password", "has the parameter "
	for url, want := range map[string][2]string{ // at a control plane elsewhere, and at one on this machine
		"postgres://u:pw@db.example/d":                             {good, good},
		"postgres://u:pw@10.0.0.7:6432/d":                          {good, good},
		"postgres://u:pw@[2001:db8::1]/d":                          {good, good},
		"postgres://u:pw@db1.example,db2.example/d":                {good, good},
		"postgres://u:***@localhost/d":                             {good, good}, // which nobody stores
		"postgres://u:pw@localhost/d":                              {here, good},
		"postgres://u:pw@LOCALHOST.:5432/d":                        {here, good},
		"postgres://u:pw@db.localhost/d":                           {here, good},
		"postgres://u:pw@localhost.localdomain/d":                  {here, good},
		"postgres://u:pw@127.0.0.1/d":                              {here, good},
		"postgres://u:pw@127.9.9.9/d":                              {here, good},
		"postgres://u:pw@[::1]/d":                                  {here, good},
		"postgres://u:pw@[::ffff:127.0.0.1]/d":                     {here, good},
		"postgres://u:pw@0.0.0.0/d":                                {here, good},
		"postgres://u:pw@[::]/d":                                   {here, good},
		"postgres://u:pw@127.1/d":                                  {here, good},
		"postgres://u:pw@0x7f000001/d":                             {here, good},
		"postgres://u:pw@2130706433/d":                             {here, good},
		"postgres://u:pw@0177.0.0.1/d":                             {here, good},
		"postgres://u:pw@db.example,localhost/d":                   {here, good},
		"postgres://u:pw@db.example/d?host=localhost":              {here, good},
		"postgres://u:pw@db.example/d?hostaddr=127.0.0.1":          {here, good},
		"postgres://u:pw@localhost/d?hostaddr=10.0.0.7":            {here, good},
		"postgres://u:pw@/d?host=/var/run/postgresql":              {socket, socket},
		"postgres://u:pw@%2Ftmp/d":                                 {socket, socket},
		"postgres://u:pw@db.example/d?host=%40abstract":            {socket, socket},
		"postgres://u:pw@db.example,x/d?host=db.example,/tmp":      {socket, socket},
		"postgres://u:pw@db.example/d?host=/tmp&hostaddr=10.0.0.7": {socket, socket},
		"postgres://u@db.example/d":                                {bare, bare},
		"postgres://u:@db.example/d":                               {bare, bare},
		"postgres://u:pw@db.example/d?password=":                   {bare, bare},
		"postgres://u@db.example/d?password=pw":                    {good, good},
		"postgres://u:pw@db.example/d?sslmode=verify-full&application_name=a&connect_timeout=5&target_session_attrs=primary&channel_binding=require&sslrootcert=system": {good, good},
		"postgres://u@db.example/d?passfile=/x":         {along, along},
		"postgres://u:pw@db.example/d?passfile=/x":      {along, along},
		"postgres://u:pw@db.example/d?sslcert=/x":       {along, along},
		"postgres://u:pw@db.example/d?sslkey=/x":        {along, along},
		"postgres://u:pw@db.example/d?sslpassword=x":    {along, along},
		"postgres://u:pw@db.example/d?sslrootcert=/x":   {along, along},
		"postgres://u:pw@db.example/d?sslcrl=/x":        {along, along},
		"postgres://u:pw@db.example/d?sslcrldir=/x":     {along, along},
		"postgres://u:pw@db.example/d?sslkeylogfile=/x": {unusable, unusable},
		"postgres://u:pw@db.example/d?SSLKEYLOGFILE=/x": {unusable, unusable},
		"postgres://u:pw@db.example/d?gsslib=x":         {along, along},
		"postgres://u:pw@db.example/d?gssdelegation=1":  {along, along},
		"postgres://u:pw@db.example/d?requirepeer=x":    {along, along},
		"postgres://u:pw@db.example/d?options=-cx%3Dy":  {along, along},
		"postgres://u:pw@db.example/d?oauth_issuer=x":   {along, along},
		"postgres://u:pw@db.example/d?unheard_of=x":     {along, along},
		"postgres://u:pw@/d":                            {unusable, unusable},
		"postgres:///d":                                 {unusable, unusable},
		"postgres://u:pw@db.example/d?service=x":        {unusable, unusable},
		"mysql://u:pw@db.example/d":                     {unusable, unusable},
	} {
		for i, base := range []string{"https://cloud.example", "http://127.0.0.1:8787"} {
			c, err := New(Options{Base: base})
			require.NoError(t, err)
			taken, err := c.takeDatabase("a database URL", url)
			if want[i] == good {
				require.NoError(t, err, "%s: %s", base, url)
				require.Equal(t, url, taken.Reveal())
				continue
			}
			require.ErrorIs(t, err, ErrDatabase, "%s: %s", base, url)
			require.ErrorContains(t, err, " gave a database URL that "+want[i], "%s: %s", base, url)
			require.NotContains(t, err.Error(), "pw")
			require.True(t, taken.Empty())
		}
	}
}

func TestNoCredentialsOfThisMachineAreTaken(t *testing.T) {
	t.Parallel()
	const bad, good, masked = "postgres://u:pw@/d?host=/tmp", "postgres://u:pw@db.example/d", "postgres://u:***@db.example/d"
	p := newPlane(t)
	c := p.client()
	answers := func(name, text string) {
		p.handle(name, func(w http.ResponseWriter, _ *http.Request) { answerText(w, http.StatusOK, "application/json", text) })
	}
	read := func(internal, external string) (Credentials, error) {
		answers("GET /api/v1/tenants/t/credentials", `{"database_url":"`+external+`","internal_database_url":"`+internal+`","app_url":""}`)
		return c.Credentials(t.Context(), "t", secret.New(p.URL+"/api/v1/tenants/t/credentials"))
	}
	_, err := read(bad, good)
	require.ErrorIs(t, err, ErrDatabase)
	found, err := read(good, bad)
	require.NoError(t, err)
	require.Equal(t, good, found.InternalDatabaseURL.Reveal())
	require.True(t, found.DatabaseURL.Empty())
	require.ErrorIs(t, found.Refused, ErrDatabase)
	require.ErrorContains(t, found.Refused, c.Host()+" gave an external database URL that leads to a socket of this machine")
	found, err = read(good, good)
	require.NoError(t, err)
	require.NoError(t, found.Refused)

	for _, one := range []struct{ internal, external, takenInternal, takenExternal string }{
		{good, good, good, good}, {good, bad, good, ""}, {bad, good, "", good}, {bad, bad, "", ""}, {masked, good, "", good}, {good, "", good, ""}, {good, masked, good, masked},
	} {
		answers("POST /api/v1/tenants/t/rotate-credentials", `{"status":"rotated","internal_database_url":"`+one.internal+`","external_database_url":"`+one.external+`"}`)
		rotated, err := c.RotateCredentials(t.Context(), "t", "k", nil)
		require.NoError(t, err, "it has rotated")
		require.Equal(t, one.takenInternal, rotated.InternalDatabaseURL.Reveal())
		require.Equal(t, one.takenExternal, rotated.ExternalDatabaseURL.Reveal())
		require.Equal(t, one.takenInternal == "", errors.Is(rotated.InternalRefused, ErrDatabase))
		require.Equal(t, one.external == bad, errors.Is(rotated.ExternalRefused, ErrDatabase))
	}
}
