package provision

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNewNameHasWhatCanBeUsedOfTheTenants(t *testing.T) {
	t.Parallel()
	for tenant, want := range map[string]string{
		"acme":                          "sp_acme_abcdef",
		"Acme Inc. (test)":              "sp_acme_inc_test_abcdef",
		"  --x--  ":                     "sp_x_abcdef",
		"Ünïcode":                       "sp_n_code_abcdef",
		"日本":                            "sp_tenant_abcdef",
		"":                              "sp_tenant_abcdef",
		`"; DROP`:                       "sp_drop_abcdef",
		strings.Repeat("x", 50):         "sp_" + strings.Repeat("x", 40) + "_abcdef",
		strings.Repeat("x", 39) + " yz": "sp_" + strings.Repeat("x", 39) + "_abcdef",
		strings.Repeat("x", 38) + " yz": "sp_" + strings.Repeat("x", 38) + "_y_abcdef",
	} {
		name, err := NewName(tenant, bytes.NewReader([]byte{0, 1, 2, 3, 4, 252, 255, 5}))
		require.NoError(t, err)
		require.Equal(t, want, name)
	}
	_, err := NewName("acme", io.LimitReader(rand.Reader, 5))
	require.ErrorIs(t, err, io.EOF)
}

func TestNewNameLeavesRoomForTheRoles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name, err := NewName(rapid.String().Draw(t, "tenant"), rand.Reader)
		require.NoError(t, err)
		require.Regexp(t, `^sp_[a-z0-9]+(_[a-z0-9]+)*_[a-z0-9]{6}$`, name)
		require.LessOrEqual(t, len(name), 3+40+7)
		require.NoError(t, Database{Name: name, Tenant: "local_1"}.check())
	})
}

func TestLiteralsAndNamesAreQuoted(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"a""b"`, identifier(`a"b`))
	require.Equal(t, `'it''s'`, literal(`it's`))
	require.Equal(t, ` E'a\\''b'`, literal(`a\'b`))
	require.Equal(t, LoginB, other(LoginA))
	require.Equal(t, LoginA, other(LoginB))
}
