package exporter_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// setField gives a field of a tenant the nth of its values.
func setField(t *testing.T, tenant *registry.Tenant, field string, n int) {
	t.Helper()
	text := fmt.Sprint(field, n)
	switch f := reflect.ValueOf(tenant).Elem().FieldByName(field).Addr().Interface().(type) {
	case *registry.TenantID:
		*f = registry.TenantID(text)
	case *string:
		*f = text
	case **string:
		*f = &text
	case **secret.Secret:
		secret := secret.New(text)
		*f = &secret
	case *registry.Kind:
		*f = []registry.Kind{registry.Local, registry.Cloud}[n%2]
	case *bool:
		*f = n%2 == 1
	case *registry.Unknown:
		*f = registry.NewUnknown(fmt.Sprintf(`"x":%d`, n))
	default:
		t.Fatalf("%s is a %T, of which no values are known here", field, f)
	}
}

// TestEveryMemberIsWrittenAndReadAgain takes each field of Tenant through the file, and
// through the way from rows to bytes that makes no tenants.
func TestEveryMemberIsWrittenAndReadAgain(t *testing.T) {
	t.Parallel()
	var filled registry.Tenant
	fields := reflect.VisibleFields(reflect.TypeFor[registry.Tenant]())
	for _, f := range fields {
		setField(t, &filled, f.Name, 0)
	}
	for _, f := range fields {
		changed, lacking := filled, filled
		setField(t, &changed, f.Name, 1)
		optional := f.Type.Kind() == reflect.Pointer || f.Name == "Unknown"
		if optional {
			reflect.ValueOf(&lacking).Elem().FieldByName(f.Name).SetZero()
		}
		texts := map[string]bool{}
		for _, tenant := range []registry.Tenant{filled, changed, lacking} {
			text := mustEncode(t, file{tenants: []registry.Tenant{tenant}})
			texts[text] = true
			read := mustDecode(t, text).tenants
			require.Len(t, read, 1)
			require.Empty(t, tenant.Differing(read[0]), f.Name)

			h := mustHouse(t)
			h.mustImport(t, text)
			h.mustMess(t, "UPDATE tenants SET position = position + 100000") // where rows are read by several
			require.Equal(t, h.encoded(t), h.viewed(t, false), f.Name)
			require.Empty(t, tenant.Differing(mustDecode(t, h.viewed(t, false)).tenants[0]), f.Name)

			documented := mustDecode(t, mustEncodeDocumented(t, file{tenants: []registry.Tenant{tenant}})).tenants[0]
			tenant.Unknown = registry.Unknown{}
			require.Empty(t, tenant.Differing(documented), "%s: without what the record does not define", f.Name)
			require.Empty(t, tenant.Differing(mustDecode(t, h.viewed(t, true)).tenants[0]), f.Name)
		}
		if optional {
			require.Len(t, texts, 3, "%s: that, another one, and none", f.Name)
		} else {
			require.Len(t, texts, 2, f.Name)
		}
	}
}

// TestEveryMemberThatDiffersIsTold by a comparison of the file with the registry.
func TestEveryMemberThatDiffersIsTold(t *testing.T) {
	t.Parallel()
	var filled registry.Tenant
	fields := reflect.VisibleFields(reflect.TypeFor[registry.Tenant]())
	for _, f := range fields {
		setField(t, &filled, f.Name, 0)
	}
	h := mustHouse(t)
	h.mustImport(t, mustEncode(t, file{tenants: []registry.Tenant{filled}}))
	for _, f := range fields {
		changed := filled
		setField(t, &changed, f.Name, 1)
		text := mustEncode(t, file{tenants: []registry.Tenant{changed}})
		h.view(t, func(view *registry.View) {
			found, err := exporter.Differences(t.Context(), view, strings.NewReader(text), 9)
			require.NoError(t, err)
			if f.Name == "ID" {
				require.Len(t, found, 2, "each side has one that the other has not")
				return
			}
			require.Equal(t, []exporter.Difference{{ID: filled.ID, Members: filled.Differing(changed)}}, found)
		})
	}
}
