package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// named is a test or a script as a document names it, a subtest of it too.
var named = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*|[a-z0-9_]+\\.txt)(?:/[^`]*)?`")

// namedFile is a file of Go as a document names it.
var namedFile = regexp.MustCompile("`([a-z0-9_]+(?:/[a-z0-9_]+)*\\.go)`")

// documents are those that name tests and files of the tree.
var documents = []string{
	"../../SECURITY.md", "../../CONTRIBUTING.md", "../../docs/cloud.md", "../../docs/control-plane.md",
	"../../docs/inside/architecture.md", "../../docs/inside/write-path.md", "../../docs/inside/merge.md", "../../docs/inside/history.md",
	"../../docs/inside/guarantees.md", "../../docs/inside/performance.md",
}

// TestTheDocumentsNameTestsThatExist: a promise whose test is gone is a promise no more.
func TestTheDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	tests := testsOfTheTree(t)
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		found := named.FindAllStringSubmatch(string(text), -1)
		if strings.HasSuffix(document, "SECURITY.md") || strings.HasSuffix(document, "guarantees.md") {
			require.NotEmpty(t, found, document)
		}
		for _, name := range found {
			if !tests[name[1]] {
				t.Errorf("%s names %s, which is no test", filepath.Base(document), name[1])
			}
		}
	}
}

// TestTheDocumentsNameFilesThatExist: who looks for a file by a document finds it.
func TestTheDocumentsNameFilesThatExist(t *testing.T) {
	t.Parallel()
	var files []string
	require.NoError(t, filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".go") {
			files = append(files, filepath.ToSlash(path))
		}
		return err
	}))
	found := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, name := range namedFile.FindAllStringSubmatch(string(text), -1) {
			found++
			if !slices.ContainsFunc(files, func(file string) bool { return strings.HasSuffix(file, "/"+name[1]) }) {
				t.Errorf("%s names %s, which is no file", filepath.Base(document), name[1])
			}
		}
	}
	require.Greater(t, found, 30, "are these all?")
}

// TestEveryActorHasATest reads the threat model: of each actor that is kept out, a test
// says so.
func TestEveryActorHasATest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../SECURITY.md")
	require.NoError(t, err)
	actors := regexp.MustCompile(`(?m)^\| (A[1-9]) \|.*$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, actors, 9)
	for _, row := range actors {
		promised := !strings.Contains(row[0], "**Nothing.**")
		require.Equal(t, promised, named.MatchString(row[0]), row[1])
		require.Equal(t, row[1] != "A9", promised, row[1])
	}
}

// testsOfTheTree returns the names of all tests, fuzz targets, benchmarks and scripts.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == "script" {
			found[entry.Name()] = true
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, name := range function.FindAllStringSubmatch(string(text), -1) {
			found[name[1]] = true
		}
		return err
	}))
	require.Greater(t, len(found), 300, "are these all?")
	return found
}
