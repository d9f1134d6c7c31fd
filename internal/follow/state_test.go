package follow

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (o *office) state() (State, error) {
	o.t.Helper()
	view, err := o.reg.View(o.t.Context())
	require.NoError(o.t, err)
	defer view.Close()
	return StateOf(o.t.Context(), o.directory(), view)
}

func TestHowTheSmallFilesStandIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change                   func(o *office)
		behind, changed, missing []string
	}{
		"written just now":       {func(o *office) { o.must(o.use("p")) }, nil, nil, nil},
		"settled":                {func(o *office) { o.settle() }, nil, nil, nil},
		"stopped":                {func(o *office) { o.stop(o.url("a", "postgres://u:second@h/a"), true) }, []string{SecretsPath("p")}, nil, nil},
		"stopped in a rename":    {func(o *office) { o.stop(o.rename("p", "z"), true) }, []string{"profiles/p", ProfilePath("p")}, nil, nil},
		"stopped in a deletion":  {func(o *office) { o.stop(o.delete("p"), true) }, []string{SecretsPath("p"), ProfilePath("p")}, nil, nil},
		"deleted":                {func(o *office) { o.must(o.delete("p")) }, nil, nil, nil},
		"a secret added":         {func(o *office) { o.settle(); o.write(SecretsPath("p"), `{"github": "x"}`) }, nil, []string{SecretsPath("p")}, nil},
		"a secret added at once": {func(o *office) { o.write(SecretsPath("p"), `{"github": "x"}`) }, nil, []string{SecretsPath("p")}, nil},
		"a secret's file gone":   {func(o *office) { o.settle(); require.NoError(o.t, os.Remove(o.Full(SecretsPath("p")))) }, nil, nil, []string{SecretsPath("p")}},
		"a profile edited":       {func(o *office) { o.settle(); o.write(ProfilePath("p"), "# mine\n"+o.configuration("p")) }, nil, nil, nil},
		"a profile linked elsewhere": {func(o *office) {
			o.settle()
			o.write(ProfilePath("p"), strings.Replace(o.configuration("p"), "tenant_id: a", "tenant_id: z", 1))
		}, nil, []string{ProfilePath("p")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			c.change(o)
			before := o.texts()
			s, err := o.state()
			require.NoError(t, err)
			require.Equal(t, append([]string{}, c.behind...), s.Behind)
			require.Equal(t, append([]string{}, c.changed...), s.Changed)
			require.Equal(t, append([]string{}, c.missing...), s.Missing)
			require.Equal(t, before, o.texts(), "it only looks")
		})
	}
}

func TestHowUnusableFilesStandIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.settle()
	mustMkdir(t, replaced(t, o.Full(SecretsPath("p"))))
	_, err := o.state()
	require.ErrorIs(t, err, ErrUnusable)
}
