package torture

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // reads a registry as sp left it

	"github.com/sp-registry/sp/internal/harness"
)

// dump checks that a database is whole and returns all that is in it, a value a
// line, in an order that does not depend on what the values are.
func dump(path string) (text string, err error) {
	conn, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro"}).String())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	whole, err := harness.Column(conn, "SELECT integrity_check FROM pragma_integrity_check")
	if err != nil {
		return "", err
	}
	broken, err := harness.Column(conn, "SELECT \"table\" FROM pragma_foreign_key_check")
	if err != nil {
		return "", err
	}
	if said := strings.Join(whole, "; "); said != "ok" || len(broken) > 0 {
		return "", fmt.Errorf("the database is damaged: %s; rows without what they refer to: %v", said, broken)
	}
	tables, err := harness.Column(conn, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, table := range tables {
		if err := dumpTable(conn, table, &b); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func dumpTable(conn *sql.DB, table string, b *strings.Builder) (err error) {
	rows, err := conn.Query(`SELECT * FROM "` + table + `"`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for row := 0; rows.Next(); {
		values := make([]any, len(names))
		for i := range values {
			values[i] = &values[i]
		}
		if err := rows.Scan(values...); err != nil {
			return err
		}
		if table == "files" && isSmall(fmt.Sprint(values[slices.Index(names, "path")])) {
			continue // whether one is due, too; that the files show what they should is looked at for itself
		}
		for i, name := range names {
			// What stood in a file's place before depends on whether a command was stopped.
			if name != "previous" {
				fmt.Fprintf(b, "%s %d %s %T %q\n", table, row, name, values[i], fmt.Sprint(values[i]))
			}
		}
		row++
	}
	return rows.Err()
}

// isSmall tells a small file that follows the registry, by its path there, from tenants.json
// and copies of it.
func isSmall(path string) bool { return !filepath.IsAbs(path) && strings.Contains(path, "/") }

// pattern is a text as it has to be found again. A line that differed between two
// runs of the same commands tells the time or is chance: it may be anything.
type pattern struct {
	lines []string
	loose map[int]bool
}

func newPattern(once, again string) (pattern, error) {
	p := pattern{lines: strings.Split(once, "\n"), loose: map[int]bool{}}
	other := strings.Split(again, "\n")
	if len(other) != len(p.lines) {
		return p, fmt.Errorf("the same commands left %d lines, then %d", len(p.lines), len(other))
	}
	for i := range p.lines {
		p.loose[i] = p.lines[i] != other[i]
	}
	return p, nil
}

func (p pattern) matches(text string) bool { return p.difference(text) == "" }

// difference shows the first line that is not as it has to be.
func (p pattern) difference(text string) string {
	lines := strings.Split(text, "\n")
	for i := range min(len(lines), len(p.lines)) {
		if lines[i] != p.lines[i] && !p.loose[i] {
			return fmt.Sprintf("line %d is %q, not %q", i+1, lines[i], p.lines[i])
		}
	}
	if len(lines) != len(p.lines) {
		return fmt.Sprintf("%d lines, not %d", len(lines), len(p.lines))
	}
	return ""
}
