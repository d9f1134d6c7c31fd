package main

import (
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// profileStep is what an import does with a profile, in JSON.
type profileStep struct {
	Action  registry.Action   `json:"action"`
	Name    string            `json:"name"`
	Tenant  registry.TenantID `json:"tenant_id"`
	Secrets []string          `json:"secrets,omitempty"`
	Left    []string          `json:"left,omitempty"`
}

// sessionStep is what an import does with a session, in JSON.
type sessionStep struct {
	Action  registry.Action   `json:"action"`
	Tenant  registry.TenantID `json:"tenant_id"`
	Profile string            `json:"profile,omitempty"`
	Why     string            `json:"why,omitempty"`
}

// linesOf warns of ambiguous words, and says what becomes of the profiles and sessions of
// a directory, and what of it has no place in the registry.
func linesOf(p registry.Plan, left []string) (lines []string) {
	for _, id := range p.Ambiguous {
		lines = append(lines, fmt.Sprintf("warning: %s is the id of one tenant and the name of another; id:%s means the first", id, id))
	}
	for _, s := range p.Profiles {
		lines = append(lines, describeProfile(s))
	}
	for _, s := range p.Sessions {
		lines = append(lines, describeSession(s))
	}
	for _, what := range left {
		lines = append(lines, "left: "+what)
	}
	return lines
}

func describeProfile(s registry.ProfileStep) string {
	text := fmt.Sprintf("%s profile %s of tenant %s", s.Action, s.Name, s.Tenant)
	if len(s.Secrets) > 0 {
		text += ": " + strings.Join(s.Secrets, ", ")
	}
	if len(s.Left) > 0 {
		text += "; left: " + strings.Join(s.Left, "; ")
	}
	return text
}

func describeSession(s registry.SessionStep) string {
	text := fmt.Sprintf("%s session of tenant %s", s.Action, s.Tenant)
	if s.Action == registry.Select {
		text = fmt.Sprintf("select tenant %s", s.Tenant)
	}
	if s.Profile != "" {
		text += " (profile " + s.Profile + ")"
	}
	if s.Why != "" {
		text += ": " + s.Why
	}
	return text
}

// noteLines reports the first of some lines.
func (a *app) noteLines(lines []string) {
	for i, line := range lines {
		if i == maxNoted {
			a.note("and %d more", len(lines)-i)
			return
		}
		a.note("%s", line)
	}
}
