package follow

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

func TestTenantOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"cloud:\n  tenant_id: local_1\n":                                     "local_1",
		"cloud: {tenant_id: 'a b', validation: strict}":                      "a b",
		"cloud:\n  tenant_id: 0123\n":                                        "0123",
		"cloud:\n  tenant_id: ${TENANT}\n":                                   "${TENANT}",
		"x: &c {tenant_id: t}\ncloud: *c":                                    "t",
		"x: &t shared\ncloud: {tenant_id: *t}":                               "shared",
		"\uFEFFcloud: {tenant_id: t}":                                        "t",
		"---\ncloud: {tenant_id: t}\n...\n":                                  "t",
		"tenant_id: no\n? [cloud]\n: {tenant_id: no}\ncloud: {tenant_id: y}": "y",
		"cloud: {tenant_id: ''}":                                             "",
	} {
		tenant, err := TenantOf([]byte(text))
		require.NoError(t, err, text)
		require.NotNil(t, tenant, text)
		require.Equal(t, registry.TenantID(want), *tenant, text)
	}
	for _, text := range []string{
		"", "# only a comment\n", "---\n", "~", "name: x\n", "cloud:\n", "cloud: {}", "cloud: {tenant_id: }", "cloud: {tenant_id: null}",
		"cloud: ~", "Cloud: {tenant_id: x}", "x: {cloud: {tenant_id: x}}", "x: &cloud k\n*cloud : {tenant_id: x}",
	} {
		tenant, err := TenantOf([]byte(text))
		require.NoError(t, err, text)
		require.Nil(t, tenant, text)
	}
}

func TestHostileYAMLIsRefusedAndNotQuoted(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [canary,canary,canary,canary,canary,canary,canary,canary,canary]\n"
	for c := 'b'; c <= 'i'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 8), c-1)
	}
	for name, text := range map[string]string{
		"bomb":            bomb,
		"bomb in cloud":   bomb + "cloud: {tenant_id: x, y: *i}\n",
		"loop":            "canary: &a [*a]\n",
		"loop in cloud":   "cloud: &a {tenant_id: *a}\n",
		"unknown alias":   "cloud: *canary\n",
		"malformed":       "cloud: [canary\nx: }",
		"tabs":            "cloud:\n\tcanary: x",
		"list":            "- canary",
		"scalar":          "canary",
		"cloud is a list": "cloud: [canary]",
		"cloud is text":   "cloud: canary",
		"id is a list":    "cloud: {tenant_id: [canary]}",
		"id is a mapping": "cloud: {tenant_id: {canary: x}}",
		"cloud twice":     "cloud: {tenant_id: canary}\ncloud: {tenant_id: y}",
		"id twice":        "cloud: {tenant_id: canary, tenant_id: y}",
		"two documents":   "cloud: {tenant_id: canary}\n---\ncloud: {tenant_id: y}",
		"trailing":        "cloud: {tenant_id: canary}\n...\n}",
		"not UTF-8":       "cloud: {tenant_id: canary\xff}",
		"UTF-16":          "\xff\xfec\x00:\x00",
		"NUL":             "cloud: {tenant_id: canary\x00}",
		"escape":          "cloud: {tenant_id: canary\x1b}",
		"deep":            strings.Repeat("[", maxYAML),
		"deep block":      strings.Repeat("- ", maxYAML/2),
	} {
		start := time.Now()
		_, err := TenantOf([]byte(text))
		require.ErrorIs(t, err, registry.ErrInvalid, name)
		require.NotContains(t, err.Error(), "canary", name)
		require.Less(t, time.Since(start), 5*time.Second, name)
	}
	_, err := TenantOf([]byte("a: b\nc: d\ne: [\n"))
	require.ErrorContains(t, err, "near line")
}

func TestManyKeysAreReadQuickly(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 90_000 {
		fmt.Fprintf(&text, "k%d: x\n", i)
	}
	text.WriteString("cloud: {tenant_id: last}\n")
	start := time.Now()
	tenant, err := TenantOf([]byte(text.String()))
	require.NoError(t, err)
	require.Equal(t, registry.TenantID("last"), *tenant)
	require.Less(t, time.Since(start), 5*time.Second)
}

func FuzzTenantOf(f *testing.F) {
	for _, seed := range []string{"cloud: {tenant_id: x}", "a: &a [*a]", "<<: &b {cloud: *b}", "? [a]\n: b", "%YAML 1.1\n---\n!!map {}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		id, err := TenantOf(text)
		if err != nil {
			require.ErrorIs(t, err, registry.ErrInvalid)
			require.Nil(t, id)
			require.Regexp(t, `^[a-zA-Z0-9 :,._-]+$`, err.Error(), "in words of our own")
			require.Less(t, len(err.Error()), 120)
		}
	})
}
