package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The test cases of the original are numbered: T for tenants, K and E for keys and
// entries of sessions, S for their store, I for isolation, C for the command line, P for
// paths and credentials, S1s to S8s and H for whole runs of it. A test that proves one
// says its number in a comment or a message, and why where sp differs on purpose.

// numbers are the series, and how many cases each has.
var numbers = []struct {
	series string
	count  int
	suffix string
}{
	{"T", 36, ""}, {"K", 7, ""}, {"E", 20, ""}, {"S", 25, ""}, {"I", 17, ""}, {"C", 19, ""}, {"P", 14, ""}, {"S", 8, "s"}, {"H", 37, ""},
}

// TestEveryCaseOfTheOriginalHasATestOrAReason, and no case has both.
func TestEveryCaseOfTheOriginalHasATestOrAReason(t *testing.T) {
	t.Parallel()
	cited, elsewhere := citedCases(t), map[string]bool{}
	for _, group := range notHere {
		require.NotEmpty(t, group.why)
		for id := range strings.FieldsSeq(group.cases) {
			require.False(t, elsewhere[id], "%s is in two groups", id)
			elsewhere[id] = true
		}
	}
	known, forgotten := map[string]bool{}, []string(nil)
	for _, series := range numbers {
		for i := range series.count {
			id := fmt.Sprintf("%s%d%s", series.series, i+1, series.suffix)
			known[id] = true
			if cited[id] == "" && !elsewhere[id] {
				forgotten = append(forgotten, id)
			}
			require.False(t, cited[id] != "" && elsewhere[id], "%s is not here, but %s cites it", id, cited[id])
		}
	}
	require.Empty(t, forgotten, "no test proves them, and notHere does not say why")
	for id := range elsewhere {
		require.True(t, known[id], "there is no %s", id)
	}
}

// aCase is a number that stands alone: T1 is not in T15, nor in a test's name.
var aCase = regexp.MustCompile(`(?:^|[^\w%])([TKESICPH][1-9][0-9]?s?)\b`)

// citedCases tells of each number where a test or a script of sp's own code cites it. What
// measures and torments sp has other numbers of that form.
func citedCases(t *testing.T) map[string]string {
	t.Helper()
	cited := map[string]string{}
	for _, root := range []string{"../../internal", "."} {
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			test := strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(entry.Name(), "cases_")
			script := strings.HasPrefix(path, filepath.Join("testdata", "script")) && strings.HasSuffix(path, ".txt")
			if err != nil || entry.IsDir() || !test && !script {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range aCase.FindAllStringSubmatch(string(text), -1) {
				cited[match[1]] = path
			}
			return err
		}))
	}
	return cited
}

func TestACaseIsCitedOnlyByAWholeNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"// T1.": "T1", "\"T15 x\"": "T15", "(S6s)": "S6s", "T36": "T36", "I5: x": "I5",
		"T100": "", "TestT1": "", "_T1": "", "T1_": "", "é%C3%A9": "", "T0": "", "S6S": "", "T1a": "",
	} {
		got := ""
		if match := aCase.FindStringSubmatch(text); match != nil {
			got = match[1]
		}
		require.Equal(t, want, got, text)
	}
}

// notHere are the cases of the original that no test of sp's cites, and why.
var notHere = []struct{ cases, why string }{
	{"T9 T18 T29", "they read answers of the control plane, to which this sp does not talk; what a file says of a known tenant is T30 to T32"},
	{"T27", "nothing of sp's asks whether a tenant shares a container: shared_container_db is kept and shown"},
	{"T28", "the look-up that takes internal_database_url for a local tenant is no more: a local tenant has database_url and nothing else"},
	{"K5 K7", "the text form `tenant:ID` and the tagged form of a key stand in no file; sp has no type for a key, only the name of an entry"},
	{"S5", "nothing of sp's changes a session in place: a login replaces what authenticates it, in the same context"},
	{"S12", "sp prunes nothing, and neither does the original's command line: what has expired is told, until a login or a logout ends it"},
	{"C9", "an execution on another machine has no place in a registry"},
	{"C16", "sp maps no environment to a configuration: it has no colour, no editor and one form of answer; what it reads is one variable a flag"},
	{"C17 C18 H9 H37", "Docker and compose are the business of provisioning, which is not there yet"},
	{"C19", "which secrets an application needs to start is for the application to say; sp doctor looks at the registry and its files"},
	{"P2", "no configuration can name other files: --dir and SP_DIR name the directory, and tenants_path of a profile.yaml is not needed"},
	{"P12", "its texts are about an account at the control plane; which exit and hint a refusal has is the table of exits"},
	{"P13 P14", "no secret of a profile becomes a variable of the environment yet"},
	{"H1 H2 H3 H5 H10 H11 H12 H22 H23 H24 H25 H26 H29 H30", "they need the control plane: login, sync, rotation and deletion there"},
	{"H20 H31", "sp has no menus: a command without its subcommand is wrong usage, and a name that is taken is refused"},
	{"H18 H19", "sp tenant create connects to nothing yet: it registers the database that there is"},
	{"H36", "sp scaffolds no application: sp init makes the registry alone"},
}
