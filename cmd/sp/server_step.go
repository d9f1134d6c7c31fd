package main

import (
	"fmt"
	"strings"
)

// step tells, on a terminal, what is being done: the line stands there until the next one,
// or something else, is said.
func (a *app) step(what string) {
	if !a.showsProgress() || !a.mayDraw() {
		return
	}
	text := fmt.Sprintf("sp: %s: %s", strings.TrimPrefix(a.command, "sp "), what)
	_, _ = fmt.Fprintf(a.stderr, "\r%-*s", a.progress.width, text) // as advance
	a.progress.width = max(a.progress.width, len(text))
}
