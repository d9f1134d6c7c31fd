package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

// spelled is a rendering that writes down all that a tenant holds, in either form.
var spelled = Rendering{
	Tenant: func(text []byte, t Tenant) []byte { return append(append(text, reveal(t)...), '\n') },
	Record: func(text []byte, r *Record) []byte {
		text = append(append(text, reveal(r.tenant())...), '\n')
		return text
	},
}

// tenant is the tenant that a record holds.
func (r *Record) tenant() Tenant {
	t := Tenant{Unknown: r.Unknown}
	for _, m := range Members {
		if text := r.Reveal(m); text != nil {
			_ = m.Set(&t, string(text))
		}
	}
	return t
}

// rendered is what Rendered streams, of which fast tenants came the fast way; what it
// streams the plain way is the same.
func rendered(t require.TestingT, v *View) (text string, fast int, err error) {
	join := func(v *View) (string, error) {
		counting := Rendering{Tenant: spelled.Tenant, Record: func(text []byte, r *Record) []byte {
			fast++
			return spelled.Record(text, r)
		}}
		var all strings.Builder
		for piece, err := range v.Rendered(context.Background(), counting) {
			if err != nil {
				return all.String(), err
			}
			all.Write(piece)
		}
		return all.String(), nil
	}
	text, err = join(v)
	plainly := *v
	plainly.file = nil
	counted := fast
	plain, failed := join(&plainly)
	require.Equal(t, counted, fast)
	require.Equal(t, failed == nil, err == nil)
	require.Equal(t, errors.Is(db.Explain(failed), db.ErrDamaged), errors.Is(db.Explain(err), db.ErrDamaged))
	if err == nil {
		require.Equal(t, plain, text)
	}
	return text, fast, err
}

// mustSpread moves tenants behind the position from which on they are read the fast way.
func mustSpread(t testing.TB, d *desk) {
	t.Helper()
	mustMess(t, d.path, "UPDATE tenants SET position = position + 2000")
}

// anyText has what texts of the record can have: quotes, controls, NUL, other planes.
var anyText = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\x00", "a\x00b", "\"\\/\b\f\n\r\t\x1f\x7f", "é\u2028😀\U0010ffff", strings.Repeat("x", 10000)}))

func TestRecordsAreTheTenantsThatTheyStandFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := mustDesk(t)
		some := rapid.StringMatching(`[a-z]{1,8}`)
		optional := func(name string) *string { return rapid.Ptr(anyText, true).Draw(rt, name) }
		var tenants []Tenant
		for _, id := range rapid.SliceOfNDistinct(some, 0, 20, rapid.ID[string]).Draw(rt, "ids") {
			tenants = append(tenants, Tenant{
				ID: TenantID(id), Name: some.Draw(rt, "name") + anyText.Draw(rt, "name"), AppID: optional("app_id"), Hostname: optional("hostname"),
				Region: optional("region"), DatabaseURL: secret.Optional(optional("url")), InternalDatabaseURL: secret.Optional(optional("internal")),
				Kind: rapid.SampledFrom([]Kind{Local, Cloud}).Draw(rt, "kind"), ExternalDBAccess: rapid.Bool().Draw(rt, "access"),
				SyncToken: secret.Optional(optional("token")), SharedContainerDB: optional("shared"),
				Unknown: NewUnknown(rapid.SampledFrom([]string{"", `"a":1`, `"b":{"c":[1,"\u0000"]},"é":null`}).Draw(rt, "unknown")),
			})
		}
		d.mustImport(t, file(tenants...))
		mustSpread(t, d)
		text, fast, err := rendered(rt, d.mustView(t))
		require.NoError(rt, err)
		require.Equal(rt, len(tenants), fast)
		want := ""
		for _, tenant := range tenants {
			want += reveal(tenant) + "\n"
		}
		require.Equal(rt, want, text)
	})
}

// Of a row that makes no sense the plain way tells, and nothing before it is lost.
func TestRenderedReadsOnWhereTheFastWayEnds(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var tenants []Tenant
	for i := range 3000 {
		tenants = append(tenants, local(TenantID(fmt.Sprintf("t%04d", i))))
	}
	d.mustImport(t, file(tenants...))
	v := d.mustView(t)
	whole, fast, err := rendered(t, v)
	require.NoError(t, err)
	require.Equal(t, 3000, fast)
	v.Close()
	position := 2500
	for _, mess := range []string{
		"UPDATE tenants SET external_db_access = 2",
		"UPDATE tenants SET tenant_type = 'other'",
		"UPDATE tenants SET unknown_members = 'x'",
		"UPDATE tenants SET region = CAST(x'ff' AS TEXT)",
	} {
		mustMess(t, d.path, "PRAGMA ignore_check_constraints = 1", fmt.Sprintf("%s WHERE position = %d", mess, position))
		endsAt(t, d, position, whole)
		position -= 200 // before what the last one spoiled
	}
	mustMess(t, d.path, "PRAGMA writable_schema = 1", "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '') WHERE name = 'tenants'", "PRAGMA writable_schema = RESET")
	for _, mess := range []string{
		"UPDATE tenants SET external_db_access = 'yes'",
		"UPDATE tenants SET external_db_access = 0.5",
		"UPDATE tenants SET external_db_access = NULL",
		"UPDATE tenants SET unknown_members = NULL",
		"UPDATE tenants SET name = NULL",
	} {
		mustMess(t, d.path, "PRAGMA ignore_check_constraints = 1", fmt.Sprintf("%s WHERE position = %d", mess, position))
		endsAt(t, d, position, whole)
		position -= 200
	}
}

// endsAt checks that both ways meet the row at position, the first of 3000 that makes no sense.
func endsAt(t *testing.T, d *desk, position int, whole string) {
	t.Helper()
	v := d.mustView(t)
	defer v.Close()
	text, fast, err := rendered(t, v)
	require.ErrorIs(t, db.Explain(err), db.ErrDamaged)
	require.Equal(t, position-1, fast)
	require.True(t, strings.HasPrefix(whole, text))
	require.Greater(t, len(text)+100<<10, len(whole)*position/3000, "a last piece that was not full is not yielded")
}

func TestRenderedEndsWithItsContext(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(local("a"), local("b")))
	mustSpread(t, d)
	v := d.mustView(t)
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("told to"))
	for _, err := range v.Rendered(ctx, spelled) {
		require.ErrorIs(t, err, context.Canceled)
	}
	n := 0
	for _, err := range v.Rendered(t.Context(), spelled) {
		require.NoError(t, err)
		n++
		break
	}
	require.Equal(t, 1, n)
}

// What a change wrote only its own transaction sees, so it renders the plain way.
func TestAChangeOfTenantsIsRenderedAsItLeftThem(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustImport(t, file(local("a"), local("b")))
	mustSpread(t, d)
	var seen []string
	for _, change := range []func(r *Registry) error{
		func(r *Registry) error {
			_, _, err := r.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"name": sealed("renamed")}})
			return err
		},
		func(*Registry) error { return nil },
	} {
		tx, err := d.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, tx.Do(t.Context(), change))
		text, fast, err := rendered(t, tx.View())
		require.NoError(t, err)
		seen = append(seen, fmt.Sprint(fast > 0, strings.Count(text, "\n"), strings.Contains(text, "renamed")))
		_, err = tx.Commit()
		require.NoError(t, err)
		require.NoError(t, tx.Close())
	}
	require.Equal(t, []string{"false 2 true", "true 2 true"}, seen)
}

// A record holds secrets, and shows none.
func TestRecordRedactsItself(t *testing.T) {
	t.Parallel()
	r := Record{text: [][]byte{[]byte("hunter2")}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		require.Equal(t, secret.Redacted, fmt.Sprintf(verb, r))
		require.Equal(t, secret.Redacted, fmt.Sprintf(verb, &r))
	}
}
