package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// The limits of a page for users.
const (
	readmeWords = 700
	proseColumn = 120 // characters in a line of prose
	cellWords   = 25  // words in a cell of a table
)

// notPasted stands before a block of README.md that this machine may be unable to run.
const notPasted = "<!-- not pasted: needs "

func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.LessOrEqual(t, len(strings.Fields(string(text))), readmeWords)
}

func TestPagesKeepTheLimits(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		text, err := os.ReadFile("../../" + page)
		require.NoError(t, err)
		for _, trouble := range overLimit(string(text)) {
			t.Errorf("%s:%s", page, trouble)
		}
	}
}

// TestOverLimitSeesEachKind: the test above can fail.
func TestOverLimitSeesEachKind(t *testing.T) {
	t.Parallel()
	long, cell := strings.Repeat("ä", proseColumn+1), strings.Repeat("word ", cellWords)
	for _, fine := range []string{
		long[2:], "```\n" + long + "\n```", "| a | " + cell + "|", "- [x](" + long + ")", "[x]: " + long,
	} {
		require.Empty(t, overLimit(fine), fine)
	}
	for _, wrong := range []string{long, "```\n```\n" + long, "| a | " + cell + "word |", "see [x](" + long + ")"} {
		require.Len(t, overLimit(wrong), 1, wrong)
	}
}

func TestLinksOfPagesLeadToFiles(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	found := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile("../../" + page)
		require.NoError(t, err)
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target, _, _ := strings.Cut(match[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			found++
			require.FileExists(t, filepath.Join("../..", filepath.Dir(page), target), page)
		}
	}
	require.Greater(t, found, 20, "are these all?")
}

// TestReadmePastes runs the blocks of README.md as somebody does who pastes them, one after
// the other, into a shell in a directory with a tenants.json.
func TestReadmePastes(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	pasted, left := shellBlocks(string(readme))
	require.GreaterOrEqual(t, len(pasted), 3)
	require.LessOrEqual(t, len(left), 3, "too many blocks are not pasted")

	dir, home := t.TempDir(), t.TempDir()
	sample, err := os.ReadFile("../../demo/tenants.json")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tenants.json"), sample, 0o600))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, bash, "-euxo", "pipefail", "-c", strings.Join(pasted, "\n"))
	cmd.Dir = dir
	cmd.Env = harness.Environment(home, "SP_OFFLINE=1", "SP_DATA_DIR="+home)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// pages are all pages, from the root of the tree.
func pages(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/inside/*.md"} {
		found, err := filepath.Glob("../../" + pattern)
		require.NoError(t, err)
		for _, page := range found {
			all = append(all, strings.TrimPrefix(page, "../../"))
		}
	}
	require.Greater(t, len(all), 15)
	return all
}

// overLimit are the lines and cells of a page that are too long, each with its number.
// Blocks of code and lines of nothing but a link can't be broken.
func overLimit(text string) (troubles []string) {
	onlyLink := regexp.MustCompile(`^\s*(?:[-*] )?(?:\[[^\]]*\]\([^)]*\)|\[[^\]]*\]: \S+|<?https?://\S+)$`)
	inCode := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inCode = !inCode
		}
		switch {
		case inCode || onlyLink.MatchString(line):
		case strings.HasPrefix(line, "|"):
			for cell := range strings.SplitSeq(strings.ReplaceAll(line, `\|`, ""), "|") {
				if words := len(strings.Fields(cell)); words > cellWords {
					troubles = append(troubles, fmt.Sprintf("%d: %d words in a cell: %s", i+1, words, cell))
				}
			}
		case utf8.RuneCountInString(line) > proseColumn:
			troubles = append(troubles, fmt.Sprintf("%d: a line of prose is too long: %s", i+1, line))
		}
	}
	return troubles
}

// shellBlocks are the ```sh blocks of a page: those to paste, and those that say why not.
func shellBlocks(text string) (pasted, left []string) {
	before := "" // the last line with something in it
	var block []string
	inBlock := false
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case !inBlock && line == "```sh":
			inBlock, block = true, nil
		case inBlock && line == "```":
			inBlock = false
			if strings.HasPrefix(before, notPasted) {
				left = append(left, strings.Join(block, "\n"))
			} else {
				pasted = append(pasted, strings.Join(block, "\n"))
			}
			before = ""
		case inBlock:
			block = append(block, line)
		case strings.TrimSpace(line) != "":
			before = line
		}
	}
	return pasted, left
}
