package cli

import (
	"context"
	"fmt"
)

// OfApplication returns a command of the documents that belongs to the application. It accepts any
// arguments and flags, and always fails with advice on what does the work.
func OfApplication(name, usage string, instead Advice) *Command {
	return &Command{
		Name:  name,
		Usage: usage + " (not part of sp)",
		Args:  []Arg{{Name: "ARGUMENT", Optional: true, Repeated: true}},
		loose: true,
		Run: func(_ context.Context, c *Context) (Answer, error) {
			err := fmt.Errorf("%s: %w: it belongs to the application", c.Command, ErrUnsupported)
			return Answer{}, HintAt(err, instead)
		},
	}
}
