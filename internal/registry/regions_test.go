package registry

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// regions opens the registry anew and returns the codes and names of its regions.
func (d *desk) regions(t *testing.T) (regions []string) {
	t.Helper()
	d.mustReopen(t)
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	all, err := view.Regions(t.Context())
	require.NoError(t, err)
	for _, s := range all {
		regions = append(regions, *s.Region+" "+s.Name)
	}
	return regions
}

// region returns the server that is a region, nil if none is.
func (d *desk) region(t *testing.T, code string) *Server {
	t.Helper()
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	region, err := view.Region(t.Context(), code)
	require.NoError(t, err)
	return region
}

func at(address string) Server {
	return Server{Name: address, Provider: Elsewhere, Admin: secret.New("postgres://admin:pw@" + address + "/postgres")}
}

func TestARegionIsAServerWithACode(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("b:5432")))
	require.NoError(t, d.AddRegion(t.Context(), "fra-2", at("c:5432")))
	require.NoError(t, d.setServer(t.Context(), theLocal))
	require.NoError(t, d.AddRegion(t.Context(), "here", theLocal))
	require.NoError(t, d.setServer(t.Context(), at("d:5432")))
	require.Equal(t, []string{"fra-2 c:5432", "here local", "iad b:5432"}, d.regions(t), "in order of code")

	require.Equal(t, LocalPrograms, d.region(t, "here").Provider)
	require.Nil(t, d.region(t, "d"))
}

func TestARegionTakesAnotherLoginOfTheSameServer(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("b:5432")))
	other := at("b:5432")
	other.Admin = secret.New("postgres://admin:other@b:5432/postgres")
	require.NoError(t, d.AddRegion(t.Context(), "iad", other))
	require.Equal(t, []string{"iad b:5432"}, d.regions(t))
	require.True(t, d.region(t, "iad").Admin.Equal(other.Admin))

	require.NoError(t, d.setServer(t.Context(), theLocal))
	changed := theLocal
	changed.Admin = other.Admin
	require.NoError(t, d.AddRegion(t.Context(), "here", changed))
	require.True(t, d.region(t, "here").Admin.Equal(theLocal.Admin), "the password of a server that sp runs is the one that is known")
}

func TestWhatIsNoRegionIsRefused(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("b:5432")))
	for _, code := range []string{"", "IAD", "1ad", "-iad", "i_d", "i d", "é", "iad\n", strings.Repeat("a", 33)} {
		d.mustRefuse(t, ErrInvalid, func() error { return d.AddRegion(t.Context(), code, at("c:5432")) })
	}
	d.mustRefuse(t, ErrExists, func() error { return d.AddRegion(t.Context(), "iad", at("c:5432")) })
	d.mustRefuse(t, ErrExists, func() error { return d.AddRegion(t.Context(), "fra", at("b:5432")) })
	nowhere := at("c:5432")
	nowhere.Admin = secret.New("postgres://")
	require.Error(t, d.AddRegion(t.Context(), "fra", nowhere))
	d.mustRefuse(t, ErrNotFound, func() error { return d.RemoveRegion(t.Context(), "fra") })
	require.Equal(t, []string{"iad b:5432"}, d.regions(t))
	require.NoError(t, d.AddRegion(t.Context(), strings.Repeat("a", 32), at("c:5432")))

	require.NoError(t, d.setServer(t.Context(), theLocal))
	require.NoError(t, d.WithholdServers(t.Context(), true))
	d.mustRefuse(t, ErrInUse, func() error { return d.AddRegion(t.Context(), "here", theLocal) })
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("b:5432")))
	require.Empty(t, d.region(t, "iad").Withheld, "who gives its URL has named it")
}

func TestARegionIsRemovedAfterItsLastDatabase(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	require.NoError(t, d.AddRegion(t.Context(), "iad", theServer))
	d.mustRefuse(t, ErrInUse, func() error {
		err := d.RemoveRegion(t.Context(), "iad")
		require.ErrorContains(t, err, "region iad: 1 database is on its server")
		return err
	})
	_, err := d.DeleteTenant(t.Context(), Deletion{ID: "a", Dropped: true})
	require.NoError(t, err)
	require.Equal(t, []string{"iad h:5432"}, d.regions(t), "a region stays without databases")
	require.NoError(t, d.RemoveRegion(t.Context(), "iad"))
	require.Empty(t, d.regions(t))
	_, _, servers := standing(t, d)
	require.Empty(t, servers)

	require.NoError(t, d.setServer(t.Context(), theLocal))
	require.NoError(t, d.AddRegion(t.Context(), "here", theLocal))
	require.NoError(t, d.RemoveRegion(t.Context(), "here"))
	_, _, servers = standing(t, d)
	require.Len(t, servers, 1, "a server that sp runs stays")
	require.Nil(t, servers[0].Region)
}

// TestAServerStaysARegionWhateverElseIsRecorded: of it, in any other way.
func TestAServerStaysARegionWhateverElseIsRecorded(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.NoError(t, d.setServer(t.Context(), theLocal))
	require.NoError(t, d.AddRegion(t.Context(), "here", theLocal))
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("b:5432")))
	chosen := at("b:5432")
	chosen.Chosen = true
	for what, do := range map[string]func() error{
		"chosen":     func() error { return d.UpdateServer(t.Context(), chosen) },
		"not chosen": func() error { return d.ChooseNoServer(t.Context()) },
		"planned":    func() error { _, err := d.PlanServer(t.Context(), at("b:5432")); return err },
		"moved":      func() error { _, err := d.MoveServer(t.Context(), "local", at("127.0.0.1:20009").Admin); return err },
		"placed":     func() error { _, err := d.PlaceServer(t.Context(), "local", "aaaaaaaaaaaaaaaa-p", nil); return err },
		"withheld":   func() error { return d.WithholdServers(t.Context(), false) },
		"named": func() error {
			return errors.Join(d.NameServer(t.Context(), "local"), d.NameServer(t.Context(), "b:5432"))
		},
		"a container": func() error { _, err := d.RecordContainer(t.Context(), "local", ContainerFiles{}, nil); return err },
	} {
		require.NoError(t, do(), what)
		require.Equal(t, []string{"here local", "iad b:5432"}, d.regions(t), what)
	}
}

func TestARestoreKeepsTheRegionsSinceTheBackup(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("a:5432")))
	source := mustBackup(t, d)
	require.NoError(t, d.RemoveRegion(t.Context(), "iad"))
	require.NoError(t, d.AddRegion(t.Context(), "iad", at("b:5432")))
	require.NoError(t, d.AddRegion(t.Context(), "fra", at("c:5432")))
	_, err := restore(t, d.path, d.options(), source)
	require.NoError(t, err)
	require.Equal(t, []string{"fra c:5432", "iad a:5432"}, d.regions(t), "a code of the backup means what it meant there")
	server, err := d.mustView(t).Server(t.Context(), "b:5432")
	require.NoError(t, err)
	require.Nil(t, server.Region)
}
