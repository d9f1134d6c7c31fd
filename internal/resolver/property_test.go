package resolver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
)

var (
	tenantIDs    = []registry.TenantID{"t0", "t1", "t2", "t3"}
	profileNames = []string{"p0", "p1", "p2", "p3"}
	// someName may well be missing: p4 always is.
	someName = rapid.SampledFrom(append(slices.Clone(profileNames), "p4"))
	someID   = rapid.SampledFrom(tenantIDs)
	someURL  = rapid.SampledFrom([]*secret.Secret{
		nil, secretURL("h"), secretURL("h"), secretURL("h"),
		new(secret.New("")), new(secret.New("postgres://u:***@h/db")),
	})
)

// drawWorld draws any world, also such as no schema could hold.
func drawWorld(t *rapid.T) *world {
	w := &world{
		tenants:  map[registry.TenantID]registry.Tenant{},
		profiles: rapid.MapOf(rapid.SampledFrom(profileNames), someID).Draw(t, "profiles"),
	}
	for _, id := range rapid.SliceOfNDistinct(someID, 2, 4, rapid.ID).Draw(t, "tenants") {
		w.tenants[id] = registry.Tenant{
			ID: id, Kind: rapid.SampledFrom([]registry.Kind{registry.Local, registry.Cloud}).Draw(t, "kind"),
			DatabaseURL: someURL.Draw(t, "url"), InternalDatabaseURL: someURL.Draw(t, "internal"),
			ExternalDBAccess: rapid.Bool().Draw(t, "access"),
		}
	}
	w.deleted = rapid.IntRange(0, 4).Draw(t, "deleted") == 0
	if !w.deleted {
		w.selected = rapid.Ptr(someID, true).Draw(t, "selected")
	}
	drawSessions(t, w)
	drawDefault(t, w)
	return w
}

func drawSessions(t *rapid.T, w *world) {
	w.sessions = rapid.MapOf(someID, someName).Draw(t, "sessions")
}

func drawDefault(t *rapid.T, w *world) {
	w.standing = rapid.Ptr(someName, true).Draw(t, "default")
}

// drawValue draws a flag or a variable; a path is `./NAME` or `./NAME@TENANT`.
func drawValue(t *rapid.T, label string) *string {
	switch rapid.IntRange(0, 5).Draw(t, label) {
	case 0, 1:
		return nil
	case 2:
		return new("")
	case 3:
		return new("./" + someName.Draw(t, label))
	case 4:
		return new("./" + someName.Draw(t, label) + "@" + string(someID.Draw(t, label)))
	default:
		return new(someName.Draw(t, label))
	}
}

func readDrawn(path string) (string, *registry.TenantID, error) {
	name, tenant, found := strings.Cut(strings.TrimPrefix(path, "./"), "@")
	if !found {
		return name, nil, nil
	}
	return name, new(registry.TenantID(tenant)), nil
}

func drawRequest(t *rapid.T) resolver.Request {
	req := resolver.Request{Env: drawValue(t, "variable"), ReadProfile: readDrawn}
	if rapid.IntRange(0, 9).Draw(t, "by tenant") == 0 {
		req.Tenant = new(someID.Draw(t, "tenant"))
	} else {
		req.Flag = drawValue(t, "flag")
	}
	if rapid.IntRange(0, 3).Draw(t, "external") == 0 {
		req.Network = resolver.ExternalNetwork
	}
	return req
}

func anyWorldObeysTheRules(t *rapid.T) {
	w, req := drawWorld(t), drawRequest(t)
	require.Equal(t, specified(w, req), resolve(t, w, req))
}

func TestAnyWorldObeysTheRules(t *testing.T) { rapid.Check(t, anyWorldObeysTheRules) }

// FuzzResolve is the same, led by what the fuzzer finds: an unusable source is an
// error in every world, and never a way to a weaker one.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"", "\x00", strings.Repeat("\xff", 400), strings.Repeat("sixteen bytes of", 40)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(rapid.MakeFuzz(anyWorldObeysTheRules))
}

func TestAWeakerSourceNeverChangesWhatAStrongerDecided(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, req := drawWorld(t), drawRequest(t)
		before := resolve(t, w, req)
		e, err := resolver.Explain(ctx, w, req)
		require.NoError(t, err)
		decided := slices.IndexFunc(e.Sources, func(f resolver.Finding) bool { return f.Decided })
		if decided < 0 {
			t.Skip("nothing decided")
		}
		switch e.Sources[decided].Source {
		case resolver.FromTenant, resolver.FromFlag:
			req.Env = drawValue(t, "other variable")
			fallthrough
		case resolver.FromEnvironment:
			w.selected, w.deleted = rapid.Ptr(someID, true).Draw(t, "other selected"), rapid.Bool().Draw(t, "other deleted")
			drawSessions(t, w)
			fallthrough
		case resolver.FromSession:
			drawDefault(t, w)
		}
		require.Equal(t, before, resolve(t, w, req))
	})
}

// TestAFileIsReadOnlyForThePathThatDecides holds the promise of Request.ReadProfile.
func TestAFileIsReadOnlyForThePathThatDecides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, req := drawWorld(t), drawRequest(t)
		var read []string
		req.ReadProfile = func(path string) (string, *registry.TenantID, error) {
			read = append(read, path)
			return readDrawn(path)
		}
		_, _ = resolver.Resolve(ctx, w, req)
		var want []string
		for _, value := range []*string{req.Flag, req.Env} {
			if req.Tenant == nil && value != nil && (*value != "" || value == req.Flag) {
				if strings.HasPrefix(*value, "./") {
					want = []string{*value}
				}
				break
			}
		}
		require.Equal(t, want, read)
	})
}
