package pgurl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

func TestLoginsThatAreTheSameOrMayBe(t *testing.T) {
	t.Parallel()
	const one = "postgres://u:pw@h/d"
	for _, pair := range []struct {
		a, b string
		want Likeness
	}{
		{one, "postgresql://u:other@H.:5432/e?schema=x", Same},
		{one, "postgresql+asyncpg://u@h/d", Same},
		{one, "postgres://u:pw@a,h/d", Same},
		{"postgres://u:pw@a:1,b:2/d", "postgres://u:other@b:2,c:3/d", Same},
		{"postgres://u:pw@localhost/d", "postgres://u:other@[::1]/d", Same},
		{"postgres://u:pw@127.0.0.1:6/d", "postgres://u@localhost:6/d", Same},
		{"postgres://u:a@/d?host=/run/postgresql", "postgres://u:b@/d?host=/var/run/postgresql/", Same},
		{"postgres:///d?host=h&user=u", one, Same},
		{"postgres://u:a@localhost/d", "postgres://u:b@/d?host=/run/postgresql", Perhaps},
		{"postgres://u:a@localhost/d", "postgres://u:b@127.0.0.1:6432/d", Perhaps},
		{one, "postgres://u:pw@pooler:6432/d", Perhaps},
		{one, "postgres://u:pw@10.0.0.1/d", Perhaps},
		{one, "postgres://u@pooler/d", Perhaps},
		{"postgres://u@h/d", "postgres://u@pooler/d", Perhaps},
		{one, "postgres://u:other@pooler/d", Different},
		{one, "postgres://v:pw@h/d", Different},
		{one, "postgres://U:pw@h/d", Different},
		{"postgres://h/d", "postgres://h/d", Different},
		{one, "mysql://u:pw@h/d", Different},
		{one, "", Different},
	} {
		a, b := secret.New(pair.a), secret.New(pair.b)
		require.Equal(t, pair.want, SameLogin(a, b), "%s %s", pair.a, pair.b)
		require.Equal(t, pair.want, SameLogin(b, a), "%s %s", pair.b, pair.a)
		require.True(t, pair.want == Different || SameRole(a, b))
	}
	require.True(t, SameRole(secret.New(one), secret.New("postgres://u:x@elsewhere/e")))
	require.False(t, SameRole(secret.New(one), secret.New("postgres://v:pw@h/d")))
}
