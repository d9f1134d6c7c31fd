package registry

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesThatPeopleCantTellApartHaveOneLikeness(t *testing.T) {
	t.Parallel()
	for _, twins := range [][]string{
		{"prod", "Prod", "PROD", "ｐｒｏｄ", "pr\u200bod", "\u0440rod", "рrоd"}, // the last two with Cyrillic letters
		{"café", "cafe\u0301", "CAFÉ"},
		{"paypal", "раураl"},
		{"KIOTO", "КІОТО", "ΚΙΟΤΟ", "kioto"},
		{"", "\u200b\u202e"},
	} {
		for _, name := range twins {
			require.Equal(t, LikenessOf(twins[0]), LikenessOf(name), "%+q", name)
		}
	}
	seen := map[string]string{}
	for _, name := range []string{"prod", "prod1", "prod2", "café", "a b", "ab", "日本", "日木", "мир", "mир2", "🙂", "🙃", "\xff"} {
		require.NotContains(t, seen, LikenessOf(name), "%q", name)
		seen[LikenessOf(name)] = name
	}
}

func TestAlphabetsThatNoWordMixes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"p\u0440od", "sh\u03bfp", "Ａ\u0430"} {
		require.True(t, MixesAlphabets(name), "%+q", name)
	}
	for _, name := range []string{"", "prod", "émoji 🙂", "мир-2", "κόσμος", "日本 shop", "5 µm"} {
		require.False(t, MixesAlphabets(name), "%+q", name)
	}
}
