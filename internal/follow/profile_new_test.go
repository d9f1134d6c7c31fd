package follow

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func TestDisplayName(t *testing.T) { // C13
	t.Parallel()
	for name, want := range map[string]string{
		"dev": "Development", "DEV": "Development", "development": "Development", "prod": "Production", "Production": "Production",
		"staging": "Staging", "stage": "Staging", "test": "Test", "testing": "Test", "local": "Local Development", "LOCAL": "Local Development",
		"cloud": "Cloud", "custom": "Custom", "my-thing": "My-thing", "éa": "Éa", "": "",
	} {
		require.Equal(t, want, displayName(name), name)
	}
}

// C15, but for the case without a header, which sp never writes.
func TestANewProfileIsWrittenWhole(t *testing.T) {
	t.Parallel()
	local := registry.NewLocal("local_19bff27604c", "my-project", secret.New("postgres://u:canary@h/d"))
	require.Equal(t, mustRead(t, "testdata/profile-local.yaml"), string(profileYAML("dev", local)))
	internal, token := secret.New("postgres://u:canary@i/d"), secret.New("canary")
	cloud := registry.NewCloud(registry.CloudParams{ID: "999bc654-9a64-49bc-98be-db976fc84e76", Name: "n", AppID: "sp-1", Hostname: "999bc6549a64.systemprompt.io", InternalDatabaseURL: &internal, SyncToken: &token})
	cloud.ExternalDBAccess = true
	require.Equal(t, mustRead(t, "testdata/profile-cloud.yaml"), string(profileYAML("prod", cloud)))
	for _, tenant := range []registry.Tenant{local, cloud} {
		text := string(profileYAML("x", tenant))
		require.NotContains(t, text, "canary")
		require.NotContains(t, text, "tenants_path")
		require.NotContains(t, text, "credentials_path")
	}
	cloud.Hostname = nil
	require.Contains(t, string(profileYAML("prod", cloud)), "api_external_url: https://cloud.systemprompt.io\n")
}

func TestANewProfileReadsBackWhateverTheTenantIsCalled(t *testing.T) {
	t.Parallel()
	for _, id := range []registry.TenantID{"local_1", "123", "null", "true", "a: b # c", "- x", "it's \"so\"", "é😀", "two\nlines", "*x", "&y", "{", "@", "0x1F", "1e3", " pad ", "~"} {
		tenant := registry.NewCloud(registry.CloudParams{ID: id, Hostname: "h: #" + string(id)})
		text := profileYAML("123", tenant)
		read, err := TenantOf(text)
		require.NoError(t, err, id)
		require.Equal(t, id, *read)
		var all struct {
			Name, Target string
			Server       struct {
				External string `yaml:"api_external_url"`
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &all))
		require.Equal(t, "123 cloud", all.Name+" "+all.Target)
		require.Equal(t, "https://h: #"+string(id), all.Server.External)
		edited, err := editYAML(text, []YAMLEdit{{[]string{"cloud", "tenant_id"}, "local_2"}})
		if id != "two\nlines" {
			require.NoError(t, err, id)
			read, err = TenantOf(edited)
			require.NoError(t, err)
			require.Equal(t, registry.TenantID("local_2"), *read)
		}
	}
}
