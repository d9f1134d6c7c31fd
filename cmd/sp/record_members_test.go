package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestEveryMemberIsShownAndEdited takes each member of the record, as the fields of
// registry.Tenant have them, through the commands that list them: a new one that is
// forgotten in one of these turns this red.
func TestEveryMemberIsShownAndEdited(t *testing.T) {
	t.Parallel()
	members := map[string]string{ // by field
		"Name": "name", "AppID": "app_id", "Hostname": "hostname", "Region": "region", "DatabaseURL": "database_url",
		"InternalDatabaseURL": "internal_database_url", "ExternalDBAccess": "external_db_access", "SyncToken": "sync_token",
		"SharedContainerDB": "shared_container_db",
	}
	fixed := map[string]bool{"ID": true, "Kind": true, "Unknown": true} // which nobody edits
	for _, f := range reflect.VisibleFields(reflect.TypeFor[registry.Tenant]()) {
		if fixed[f.Name] {
			continue
		}
		member := members[f.Name]
		require.NotEmpty(t, member, "%s is not known here", f.Name)
		s := newSandbox(t)
		s.mustImport("2026-02-01T12:00:00Z", `{"id": "a", "name": "a", "tenant_type": "cloud", "x": 1}`)
		value, flag := "new-"+strings.ReplaceAll(member, "_", "-"), "--"+strings.ReplaceAll(member, "_", "-")
		var shown any = value
		switch f.Type {
		case reflect.TypeFor[bool]():
			value, shown = "yes", true
			s.must("tenant", "edit", "a", flag)
		case reflect.TypeFor[*secret.Secret]():
			if strings.HasSuffix(member, "url") {
				value = "postgres://u:p@h/" + f.Name
				shown = value
			}
			s.must("tenant", "edit", "a", flag, value)
		default:
			s.must("tenant", "edit", "a", flag, value)
		}
		require.Equal(t, shown, s.member(member), "sp tenant show --json")
		require.Contains(t, s.must("tenant", "show", "a", "--reveal").stdout, "\t"+value+"\n", "sp tenant show")
		require.Contains(t, s.must("export", "-").stdout, fmt.Sprintf("%q: %s", member, mustMarshal(t, shown)), "sp export")
		if f.Type.Kind() == reflect.Pointer {
			s.must("tenant", "edit", "a", "--clear", strings.TrimPrefix(flag, "--"))
			require.Nil(t, s.member(member), "sp tenant edit --clear")
			s.must("undo")
			require.Equal(t, shown, s.member(member), "sp undo")
			continue
		}
		s.must("undo")
		require.NotEqual(t, shown, s.member(member), "sp undo")
	}
}

// member is what sp tenant show says of a member of a.
func (s *sandbox) member(name string) any {
	s.t.Helper()
	var shown map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(s.must("tenant", "show", "a", "--json", "--reveal").stdout), &shown))
	return shown[name]
}

func mustMarshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
