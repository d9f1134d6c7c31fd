package live

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// Of the environment of `make schemathesis`: the program, and for how long it asks.
const (
	schemathesisVariable = "SP_SCHEMATHESIS"
	durationVariable     = "SP_SCHEMATHESIS_DURATION"
)

// TestSchemathesis has a program that is not ours read the description of the API, and ask a control
// plane what that allows and what it forbids, with a token and without one. Nothing is answered that
// is not described, and nothing with 5xx.
func TestSchemathesis(t *testing.T) {
	program := os.Getenv(schemathesisVariable)
	if program == "" {
		t.Skip("make schemathesis runs it")
	}
	whole, err := time.ParseDuration(os.Getenv(durationVariable))
	require.NoError(t, err)
	h := newHost(t, "schemathesis")
	h.addClosedRegion("down")
	h.addRegion("iad", h.admin)
	root, rita := h.user("root", "admin", "read,write,secrets,admin"), h.user("rita", "reader", "read")
	mia := h.user("mia", "member", "read,write,secrets")
	h.start()
	tenants := []string{h.ready(root, "one"), h.ready(root, "two"), h.ready(mia, "three"), h.ready(mia, "four")}
	tokens := []string{h.command("token", "create", "rita", "--scopes", "read", "--json").member("id")}
	users := []string{rita.id, h.user("bert", "member", "read").id, "nobody"}
	syncing := h.ask(root, 200, "POST", "/api/v1/tenants/"+tenants[0]+"/rotate-sync-token", "").member("sync_token")
	config, hooks := filepath.Join(h.root, "schemathesis.toml"), filepath.Join(h.root, "hooks.py")
	require.NoError(t, os.WriteFile(hooks, []byte("import schemathesis\n\nschemathesis.serializer.alias('application/gzip', 'application/octet-stream')\n"), 0o600))
	require.NoError(t, os.WriteFile(config, []byte(asks(hooks, tenants, tokens, users)), 0o600))
	for _, part := range []struct {
		name, token, only string
		within            time.Duration
	}{
		{"with a sync token", syncing, "/files$", whole / 10},
		{"with a member's token", mia.token, ".", whole / 4},
		{"with an administrator's", root.token, ".", whole * 9 / 20},
		{"without one", "", ".", whole / 5},
	} {
		h.schemathesis(program, config, part.name, part.token, part.only, part.within)
		require.True(t, h.runs(), "spd has ended: %s", h.plane.said)
	}
	require.NotContains(t, h.plane.said.String(), "level=ERROR")
}

// asks is what schemathesis is told of this control plane: things that are there, so that not every
// request is about something that is not. A tenant in the region iad gets a real database, which takes
// room; most go where nobody answers. Who asks is not to lock himself out.
func asks(hooks string, tenants, tokens, users []string) string {
	list := func(words []string) string { return `["` + strings.Join(words, `", "`) + `"]` }
	return fmt.Sprintf(`
hooks = "%s"

[dictionaries]
tenants = { values = %s }
tokens = { values = %s }
users = { values = %s }
regions = { values = ["iad", "down", "down", "down", "down", "down", "down", "down", "down", "down"] }

[parameters]
"body.region" = { dictionary = "regions", probability = 0.8 }
"path.id" = { dictionary = "tenants", probability = 0.5 }

[[operations]]
include-operation-id = "deleteToken"
parameters = { "path.id" = { dictionary = "tokens" } }
phases = { stateful = { enabled = false }, coverage = { extra-data-sources = { responses = false } }, fuzzing = { extra-data-sources = { responses = false } } }

[[operations]]
include-operation-id = "audit" # it names no tenant where an act was about none
phases = { stateful = { enabled = false } }

[[operations]]
include-operation-id = "tenantEvents"
max-stream-events = 1

[[operations]]
include-operation-id = "editUser"
parameters = { "path.id" = { dictionary = "users" } }
phases = { stateful = { enabled = false }, coverage = { extra-data-sources = { responses = false } }, fuzzing = { extra-data-sources = { responses = false } } }
`, hooks, list(tenants), list(tokens), list(users))
}

// checks are what has to be so of every answer. Left out are guesses at the meaning of a description:
// that what it allows is accepted (a region has to exist, too), and that what was just made is there.
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance," +
	"response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,ignored_auth"

// schemathesis runs it once, and wants it to find nothing.
func (h *host) schemathesis(program, config, name, token, only string, within time.Duration) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), within+10*time.Minute)
	defer cancel()
	args := []string{
		"--config-file", config, "run", filepath.Join(os.Getenv(homeVariable), "openapi.yaml"), "--url", h.plane.url,
		"--max-time", fmt.Sprint(int(within.Seconds())), "--checks", checks, "--continue-on-failure",
		"--no-color", "--generation-database", "none", "--no-shrink", "--include-path-regex", only,
	}
	if token != "" {
		args = append(args, "--header", "Authorization:Bearer "+token)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = h.root, append(os.Environ(), "HOME="+h.root)
	said, err := cmd.CombinedOutput()
	h.t.Logf("%s:\n%s", name, said)
	require.NoError(h.t, err)
}

// addClosedRegion adds a region whose server lets its administrator in no more. It has to be the first of
// its server: then nobody sees that it is the same as another's.
func (h *host) addClosedRegion(code string) {
	h.t.Helper()
	name := "live_" + h.name + "_closed"
	admin, err := makeAdmin(h.super, name)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { require.NoError(h.t, dropAll(h.super, name)) })
	port := strings.NewReplacer("127.0.0.1", "localhost").Replace(admin.Reveal()) // another server, to a registry
	h.addRegion(code, secret.New(port))
	pgtest.Exec(h.t, h.super, `ALTER ROLE `+name+` NOLOGIN`)
}
