package jsontext

// Fields takes values out of an object and remembers the first that is not as it should be.
type Fields struct {
	Object
	// Why says what is wrong; empty for nothing.
	Why string
}

// Fail notes what is wrong, unless something was before.
func (f *Fields) Fail(why string) {
	if f.Why == "" {
		f.Why = why
	}
}

// Text returns a member that has to be a string.
func (f *Fields) Text(name string) string {
	value := f.Value(name)
	text, ok := Text(value)
	switch {
	case value == "":
		f.Fail("it has no " + name)
	case !ok:
		f.Fail(name + " is not a string")
	}
	return text
}

// Optional returns nil where the member is absent or null.
func (f *Fields) Optional(name string) *string {
	if value := f.Value(name); value == "" || value == "null" {
		return nil
	}
	text := f.Text(name)
	return &text
}
