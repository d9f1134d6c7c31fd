package cli

import (
	"context"
	"fmt"
)

// Later returns a command that is not offered yet; why says the reason. It accepts any arguments and
// flags, and always fails.
func Later(name, usage, why string) *Command {
	return &Command{
		Name:  name,
		Usage: usage + " (not offered yet)",
		Args:  []Arg{{Name: "ARGUMENT", Optional: true, Repeated: true}},
		loose: true,
		Run: func(_ context.Context, c *Context) (Answer, error) {
			return Answer{}, fmt.Errorf("%s: %w: %s", c.Command, ErrUnsupported, why)
		},
	}
}
