package registry

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

func TestAPlaceEndsInTheNameOfTheProjectMadeHarmless(t *testing.T) {
	t.Parallel()
	for project, want := range map[string]string{
		"my-project": "-my-project", "My Project!": "-my-project", "../../etc": "-etc", ".": "", "": "", "Ä": "", "x\n\x00y": "-x-y",
		strings.Repeat("a", 300): "", "a " + strings.Repeat("b ", 300): "-a" + strings.Repeat("-b", 19),
	} {
		place, err := NewPlace(project, bytes.NewReader(make([]byte, 10)))
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("a", 16)+want, place, project)
		require.True(t, IsPlace(place))
	}
	_, err := NewPlace("p", bytes.NewReader(nil))
	require.Error(t, err)
	for _, wrong := range []string{"", ".", "..", "a", "aaaaaaaaaaaaaaaa/..", "aaaaaaaaaaaaaaaa-", "aaaaaaaaaaaaaaaa.new", "aaaaaaaaaaaaaaaa\n", "AAAAAAAAAAAAAAAA"} {
		require.False(t, IsPlace(wrong), wrong)
	}
}

func TestWhereTheDataOfAServerAreIsRecorded(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.NoError(t, d.setServer(t.Context(), theLocal))
	place, identity := "aaaaaaaaaaaaaaaa-p", "1:2"
	_, err := d.PlaceServer(t.Context(), "local", place, nil)
	require.NoError(t, err)
	_, err = d.PlaceServer(t.Context(), "local", place, &identity)
	require.NoError(t, err)
	_, err = d.PlaceServer(t.Context(), "local", "../p", &identity)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = d.PlaceServer(t.Context(), "nobody", place, &identity)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = d.MoveServer(t.Context(), "local", secret.New("postgres://sp_admin:pw@127.0.0.1:20001/postgres"))
	require.NoError(t, err)
	_, _, servers := standing(t, d)
	require.Equal(t, []*string{&place, &identity}, []*string{servers[0].Place, servers[0].Identity})
}

// TestABackupDoesNotSayWhereDataAre: they may have been moved, or made anew, since.
func TestABackupDoesNotSayWhereDataAre(t *testing.T) {
	t.Parallel()
	old, now, one := "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "1:2"
	at := func(place, identity *string, password string) Server {
		return Server{Name: "local", Admin: secret.New(password), Place: place, Identity: identity, Chosen: true}
	}
	require.False(t, at(&now, nil, "").since(nil).Chosen)
	for _, c := range []struct {
		backup, current, want Server
	}{
		{at(nil, nil, "a"), at(&now, &one, "b"), at(&now, &one, "a")},
		{at(&now, nil, "a"), at(&now, &one, "b"), at(&now, &one, "a")},
		{at(&old, &one, "a"), at(&now, nil, "b"), at(&now, nil, "b")},
		{at(&old, &one, "a"), at(nil, nil, "b"), at(&old, &one, "a")},
	} {
		got := c.current.since(&c.backup)
		require.Equal(t, []*string{c.want.Place, c.want.Identity}, []*string{got.Place, got.Identity})
		require.True(t, got.Admin.Equal(c.want.Admin))
	}
}
