// Package jsontext is JSON text as serde_json writes it: reading it strictly, with the
// place of what is refused, and writing it so that equal values are equal bytes.
//
// Compact text is a value, or the members of an object without the braces around them,
// without white space, its strings escaped as serde_json escapes them. Numbers keep
// their spelling.
package jsontext

import "fmt"

// Place is a position in a JSON text; lines and columns count from 1, columns in bytes.
type Place struct{ Line, Column int }

// String says the place as messages do.
func (p Place) String() string { return fmt.Sprintf("line %d column %d", p.Line, p.Column) }

// FormatError is the refusal of a text. It quotes nothing of the text, for that may be
// secret.
type FormatError struct {
	// Place is where the offending token starts, or where the text ends too early.
	Place Place
	// Problem says what is wrong.
	Problem string
}

// Error says where and what.
func (e *FormatError) Error() string { return fmt.Sprintf("%s: %s", e.Place, e.Problem) }
