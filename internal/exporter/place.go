package exporter

import "fmt"

// Place is a position in a JSON text; lines and columns count from 1, columns in bytes.
type Place struct{ Line, Column int }

// String says the place as messages do.
func (p Place) String() string { return fmt.Sprintf("line %d column %d", p.Line, p.Column) }

// FormatError is the refusal of a text that is not a tenants.json. It names
// members of the record and never what else the text holds, for that may be secret.
type FormatError struct {
	// Place is where the offending token starts, or where the text ends too early.
	Place Place
	// Tenant is the index of the tenant that the problem is in, or -1.
	Tenant int
	// Problem says what is wrong.
	Problem string
}

// Error says where, in which tenant and what.
func (e *FormatError) Error() string {
	if e.Tenant < 0 {
		return fmt.Sprintf("%s: %s", e.Place, e.Problem)
	}
	return fmt.Sprintf("%s: tenants[%d]: %s", e.Place, e.Tenant, e.Problem)
}
