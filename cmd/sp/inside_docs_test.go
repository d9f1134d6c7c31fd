package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// The limits of a page that somebody reads.
const (
	maxProse = 120 // characters in a line
	maxCell  = 25  // words in a cell of a table
)

// insidePages are the pages for those who work on sp, and the reference.
func insidePages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/inside/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	return append(pages, reference, "../../SECURITY.md", "../../CONTRIBUTING.md")
}

// TestInsidePagesKeepTheLimits: short lines of prose, short cells.
func TestInsidePagesKeepTheLimits(t *testing.T) {
	t.Parallel()
	for _, page := range insidePages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for i, line := range strings.Split(string(text), "\n") {
			if reason := beyondLimits(line); reason != "" {
				t.Errorf("%s:%d: %s", page, i+1, reason)
			}
		}
	}
}

// TestLimitsAreSeen: the test above can fail.
func TestLimitsAreSeen(t *testing.T) {
	t.Parallel()
	require.Empty(t, beyondLimits("| short | "+strings.Repeat("word ", maxCell)+"|"))
	require.NotEmpty(t, beyondLimits("| short | "+strings.Repeat("word ", maxCell+1)+"|"))
	require.NotEmpty(t, beyondLimits(strings.Repeat("ä", maxProse+1)))
	require.Empty(t, beyondLimits(strings.Repeat("ä", maxProse)))
}

// beyondLimits says what is too long in a line, "" if nothing is.
func beyondLimits(line string) string {
	if !strings.HasPrefix(line, "|") {
		if utf8.RuneCountInString(line) > maxProse {
			return "a line of prose is too long: " + line
		}
		return ""
	}
	for cell := range strings.SplitSeq(strings.ReplaceAll(line, `\|`, ""), "|") {
		if len(strings.Fields(cell)) > maxCell {
			return "a cell has too many words:" + cell
		}
	}
	return ""
}
