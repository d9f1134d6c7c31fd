package gen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Profile is the name of the profile of tenant i in a directory.
func Profile(i int) string { return fmt.Sprintf("profile-%06d", i) }

// WriteDirectory makes a .systemprompt directory as the original tool leaves one: the
// tenants of Write and for each of them a profile with profile.yaml and secrets.json, and a
// session, of which the first is active. What stood there is gone.
func WriteDirectory(dir string, n int) error {
	var text bytes.Buffer
	if err := Write(&text, n); err != nil {
		return err
	}
	var file struct {
		Tenants []tenant `json:"tenants"`
	}
	if err := json.Unmarshal(text.Bytes(), &file); err != nil {
		return err
	}
	files := map[string]string{".gitignore": "*\n", "tenants.json": text.String(), "sessions/index.json": index(dir, file.Tenants)}
	for i, t := range file.Tenants {
		files["profiles/"+Profile(i)+"/profile.yaml"] = configuration(i, t)
		files["profiles/"+Profile(i)+"/secrets.json"] = secrets(i, t)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// tenant is what the other files show of one.
type tenant struct {
	ID       string `json:"id"`
	Type     string `json:"tenant_type"`
	URL      string `json:"database_url"`
	Internal string `json:"internal_database_url"`
	Token    string `json:"sync_token"`
}

// configuration is about as long as those that the original makes.
func configuration(i int, t tenant) string {
	return fmt.Sprintf(`# systemprompt.io Profile: %[1]s

name: %[1]s
display_name: %[1]s
target: %[2]s
site:
  name: %[1]s
  github_link: null
database:
  type: postgres
  external_db_access: false
server:
  host: 127.0.0.1
  port: 8080
  api_server_url: http://localhost:8080
  api_internal_url: http://localhost:8080
  api_external_url: http://localhost:8080
  use_https: false
  cors_allowed_origins:
    - http://localhost:8080
security:
  jwt_issuer: systemprompt-local
  jwt_access_token_expiration: 2592000
  jwt_audiences: [web, api, a2a, mcp]
rate_limits:
%[3]sruntime:
  environment: development
  log_level: verbose
cloud:
  tenant_id: %[4]s
  validation: warn
secrets:
  secrets_path: ./secrets.json
  validation: warn
  source: file
`, Profile(i), t.Type, strings.Repeat("  # so many a second\n", 20), t.ID)
}

// secrets has what is the tenant's and two keys of the profile's own.
func secrets(i int, t tenant) string {
	url := t.URL
	if url == "" {
		url = t.Internal
	}
	text := fmt.Sprintf("{\n  \"jwt_secret\": \"%064d\",\n  \"database_url\": %q,\n  \"gemini\": null,\n  \"anthropic\": \"sk-ant-%d\",\n  \"openai\": null", i, url, i)
	if t.Internal != "" {
		text += fmt.Sprintf(",\n  \"internal_database_url\": %q,\n  \"sync_token\": %q", t.Internal, t.Token)
	}
	return text + "\n}"
}

// index has the sessions in the order of their keys' tenants, which readers may not rely on.
func index(dir string, tenants []tenant) string {
	var out strings.Builder
	out.WriteString("{\n  \"version\": 1,\n  \"sessions\": {")
	for i, t := range tenants {
		if i > 0 {
			out.WriteString(",")
		}
		fmt.Fprintf(&out, `
    "tenant_%[1]s": {
      "version": 4,
      "tenant_key": "%[1]s",
      "profile_name": "%[2]s",
      "profile_path": %[3]q,
      "session_token": "token-%064[4]d",
      "session_id": "sess_%[4]d",
      "context_id": "6f0c4a7e-0000-4000-8000-%012[4]d",
      "user_id": "user_%[4]d",
      "user_email": "dev@example.com",
      "user_type": "admin",
      "created_at": "2026-02-01T11:00:00Z",
      "expires_at": "2099-02-02T11:00:00Z",
      "last_used": "2026-02-01T12:00:00Z"
    }`, t.ID, Profile(i), filepath.Join(dir, "profiles", Profile(i), "profile.yaml"), i)
	}
	active := "null"
	if len(tenants) > 0 {
		active = fmt.Sprintf("\"tenant_%s\",\n  \"active_profile_name\": %q", tenants[0].ID, Profile(0))
	}
	fmt.Fprintf(&out, "\n  },\n  \"active_key\": %s,\n  \"updated_at\": \"2026-02-01T12:00:00Z\"\n}", active)
	return out.String()
}
