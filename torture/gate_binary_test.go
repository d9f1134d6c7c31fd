package torture

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxProgram bounds the program in bytes. It has 19 075 234: a good part of that is TLS, for
// databases on other machines, and 1.8 million are the client of a control plane. The size costs one thing only: the first start after a boot reads
// the program from the disk.
const maxProgram = 19100000

// TestTheProgramIsSmallAndPlain: as `make build` makes it, it is not position-independent,
// which would cost every start an eighth, and needs no other library.
func TestTheProgramIsSmallAndPlain(t *testing.T) {
	sized(t, 1, 1)
	p := newGate(t)
	program, err := elf.Open(p.SP)
	require.NoError(t, err)
	defer func() { _ = program.Close() }()
	require.Equal(t, elf.ET_EXEC, program.Type, "position-independent")
	require.Nil(t, program.Section(".interp"), "linked dynamically")
	require.Nil(t, program.Section(".symtab"), "not stripped")
	built, err := buildinfo.ReadFile(p.SP)
	require.NoError(t, err)
	settings := map[string]string{}
	for _, s := range built.Settings {
		settings[s.Key] = s.Value
	}
	require.Equal(t, "0", settings["CGO_ENABLED"])
	require.Equal(t, "true", settings["-trimpath"])
	require.Equal(t, "exe", settings["-buildmode"])

	info, err := os.Stat(p.SP)
	require.NoError(t, err)
	t.Logf("%d bytes", info.Size())
	require.LessOrEqual(t, info.Size(), int64(maxProgram))
}
