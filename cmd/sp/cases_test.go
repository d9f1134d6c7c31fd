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
