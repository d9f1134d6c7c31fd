package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/harness"
)

// exitsWith runs `exits N PROGRAM ARGUMENT...`: it must end with that very code. Of sp
// it also asks what holds for every failure: stdout is empty or, with --json, one
// document with an error; stderr speaks as sp.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	harness.Exits(ts, neg, args)
	if args[1] != "sp" {
		return
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	before := args
	if end := slices.Index(args, "--"); end >= 0 {
		before = args[:end]
	}
	asJSON := slices.Contains(before, "--json") || slices.Contains(before, "--json=true")
	// Their tables are the answer all the same.
	answers := slices.Contains(args, "doctor") || slices.Contains(args, "check") && slices.Contains(args, "--all")
	if asJSON {
		ts.Check(checkDocument(stdout, args[0] != "0" && !answers))
	}
	if !asJSON && args[0] != "0" && args[0] != "8" && stdout != "" && !answers {
		ts.Fatalf("a failure wrote to stdout")
	}
	ts.Check(checkNotes(stderr))
}

// checkDocument tells whether text is exactly one JSON document; that of a failure
// is an error with a code and a message.
func checkDocument(text string, failed bool) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	var document any
	if err := decoder.Decode(&document); err != nil {
		return fmt.Errorf("stdout is not a JSON document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("stdout holds more than one JSON document")
	}
	if !strings.HasSuffix(text, "\n") {
		return errors.New("stdout does not end with a newline")
	}
	if failed && (harness.Member(document, "error.code") == nil || harness.Member(document, "error.message") == nil) {
		return errors.New("stdout holds no error")
	}
	return nil
}

// questions are those that were asked before in the same line; nothing else begins with a capital,
// or with the flag of a secret.
var questions = regexp.MustCompile(`^(?:(?:[A-Z][^:\n]*|(?:[a-z-]+-)?(?:url|token)|server): )+`)

// checkNotes tells whether every line beside the answer says who speaks, but for questions, and for what
// goes on in the next line of a terminal.
func checkNotes(stderr string) error {
	for line := range strings.Lines(stderr) {
		if _, after, asked := strings.Cut(line, "[y/N] "); asked {
			line = strings.TrimPrefix(after, "\n")
		}
		line = strings.TrimPrefix(questions.ReplaceAllString(line, ""), "\n")
		if line != "" && !strings.HasPrefix(line, "sp: ") && !strings.HasPrefix(line, "    ") {
			return fmt.Errorf("stderr: a line that does not start with sp: %q", line)
		}
	}
	return nil
}

// isDocument checks that a file or stdout is exactly one JSON document and, with
// `json FILE MEMBER VALUE`, that it says so at that dotted path.
func isDocument(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: json file [member value]")
	}
	ts.Check(checkDocument(ts.ReadFile(args[0]), false))
	if len(args) == 3 {
		harness.Document(ts, neg, args)
	}
}

// sameExport is cmp for what sp exports, which ends without the newline that every
// file of a script has: `exported FILE EXPECTED`.
func sameExport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exported file expected")
	}
	got, want := ts.ReadFile(args[0]), strings.TrimSuffix(ts.ReadFile(args[1]), "\n")
	if got != want {
		ts.Fatalf("%s is not what is expected but\n%s", args[0], got)
	}
}
