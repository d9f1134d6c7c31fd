package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

const canary = "canary-4711"

// holders are the ways in which a secret lies in something that is printed.
func holders() map[string]any {
	s := secret.New(canary)
	type hidden struct{ s secret.Secret }
	type hiddenPointer struct{ s *secret.Secret }
	type embedded struct{ secret.Secret }
	tenant := NewLocal("id", "name", s)
	tenant.SyncToken, tenant.InternalDatabaseURL = &s, &s
	tenant.Unknown = NewUnknown(`"a":"` + canary + `"`)
	return map[string]any{
		"value": s, "pointer": &s, "hidden field": hidden{s}, "hidden pointer": hiddenPointer{&s}, "pointer to hidden": &hidden{s},
		"embedded": embedded{s}, "slice": []secret.Secret{s}, "map": map[string]secret.Secret{"k": s}, "array": [1]hidden{{s}},
		"tenant": tenant, "pointer to tenant": &tenant, "members": tenant.Unknown, "document": Document{Unknown: tenant.Unknown},
		"state": State{Document: Document{Unknown: tenant.Unknown}}, "edit": TenantEdit{Set: values{"database_url": &s}},
		"request": NewTenant{Tenant: tenant}, "removed": Removed{Tenant: tenant}, "interface": any(s),
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	const verbs = "vTtbcdoOqxXUeEfFgGspw"
	for what, holder := range holders() {
		for _, verb := range verbs {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "20", ".3", "+#20.3"} {
				requireNoCanary(t, fmt.Sprintf("%"+flags+string(verb), holder), what+" %"+flags+string(verb))
			}
		}
		requireNoCanary(t, fmt.Sprint(holder)+fmt.Sprintln(holder), what)
		requireNoCanary(t, fmt.Errorf("%w %v", errors.New("x"), holder).Error(), what)
	}
	for _, verb := range []string{"%d", "%t", "%x", "%q", "%v", "%+v", "%#v", "%s"} {
		require.Equal(t, secret.Redacted, fmt.Sprintf(verb, secret.New(canary)), verb)
	}
	require.Equal(t, secret.Redacted, secret.New(canary).String())
}

func requireNoCanary(t *testing.T, text, how string) {
	t.Helper()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprint([]byte(canary)), fmt.Sprintf("% x", canary)} {
		if strings.Contains(text, form) {
			t.Fatalf("%s shows the secret: %s", how, text)
		}
	}
}

func TestASecretIsNotMarshalledOrLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	loggers := []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))}
	for what, holder := range holders() {
		text, err := json.Marshal(holder)
		require.NoError(t, err, what)
		requireNoCanary(t, string(text), what)
		for _, logger := range loggers {
			logger.Info("holder", "what", holder, slog.Group("g", "in", holder))
			logger.With("what", holder).Error("holder", slog.Any("again", holder))
		}
		requireNoCanary(t, log.String(), what)
		log.Reset()
	}
	text, err := json.Marshal(secret.New(canary))
	require.NoError(t, err)
	require.Equal(t, `"`+secret.Redacted+`"`, string(text))
}

func TestASecretThatGoesThroughAPanicIsNotPrinted(t *testing.T) {
	t.Parallel()
	defer func() { requireNoCanary(t, fmt.Sprint(recover()), "panic") }()
	panic(secret.New(canary))
}

func TestOnlyRevealTells(t *testing.T) {
	t.Parallel()
	require.Equal(t, canary, secret.New(canary).Reveal())
	require.Empty(t, secret.Secret{}.Reveal())
	require.True(t, secret.Secret{}.Empty())
	require.True(t, secret.New("").Empty())
	require.False(t, secret.New(" ").Empty())
}

func TestSecretsCompareByWhatTheyHold(t *testing.T) {
	t.Parallel()
	a, alsoA, b, none := sealed("a"), sealed("a"), sealed("b"), sealed("")
	require.True(t, a.Equal(*alsoA))
	require.False(t, a.Equal(*b))
	require.False(t, a.Equal(secret.New("aa")))
	require.True(t, secret.Secret{}.Equal(*none))
	require.True(t, secret.Equal(nil, nil))
	require.True(t, secret.Equal(a, alsoA))
	require.False(t, secret.Equal(a, b))
	require.False(t, secret.Equal(nil, none), "absent and empty differ")
	require.False(t, secret.Equal(none, nil))
}
