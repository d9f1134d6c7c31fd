package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// TestEveryMemberIsShownAndEdited takes each member of the record through the commands
// that list them.
func TestEveryMemberIsShownAndEdited(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, m := range registry.Members {
		if m.Fixed {
			continue
		}
		tried++
		member := m.Name
		s := newSandbox(t)
		s.mustImport("2026-02-01T12:00:00Z", `{"id": "a", "name": "a", "tenant_type": "cloud", "x": 1}`)
		value, flag := "new-"+strings.ReplaceAll(member, "_", "-"), "--"+strings.ReplaceAll(member, "_", "-")
		var shown any = value
		switch {
		case m.Truth:
			value, shown = "yes", true
			s.must("tenant", "edit", "a", flag)
		case m.URL:
			value = "postgres://u:p@h/" + member
			shown = value
			s.must("tenant", "edit", "a", flag, value)
		default:
			s.must("tenant", "edit", "a", flag, value)
		}
		require.Equal(t, shown, s.member(member), "sp tenant show --json")
		require.Contains(t, s.must("tenant", "show", "a", "--reveal").stdout, "\t"+value+"\n", "sp tenant show")
		require.Contains(t, s.must("export", "-").stdout, fmt.Sprintf("%q: %s", member, mustMarshal(t, shown)), "sp export")
		if m.Optional {
			s.must("tenant", "edit", "a", "--clear", strings.TrimPrefix(flag, "--"))
			require.Nil(t, s.member(member), "sp tenant edit --clear")
			s.must("undo")
			require.Equal(t, shown, s.member(member), "sp undo")
			continue
		}
		s.must("undo")
		require.NotEqual(t, shown, s.member(member), "sp undo")
	}
	require.Equal(t, 9, tried)
}

// member is what sp tenant show says of a member of a.
func (s *sandbox) member(name string) any {
	s.t.Helper()
	var shown map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(s.must("tenant", "show", "a", "--json", "--reveal").stdout), &shown))
	return shown[name]
}

func mustMarshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// memberLists are the declarations in which three or more members of the record stand
// together, and why: the table, what the queries take and give, and what is no list of all
// of some kind.
var memberLists = map[string]string{
	"Members":     "the table",
	"Tenant":      "its fields",
	"CloudParams": "what the documents give a cloud tenant",
	"NewCloud":    "the same",
	"tenantOf":    "from a row of a query",
	"isText":      "the same",
	"rowOf":       "to a query",

	"createFlags":       "what can be given when a tenant is made",
	"newTenant":         "the same",
	"lookAtCredentials": "a remedy for each trouble",
	"tenantMembers":     "secrets.json has names of its own",
	"secretOrder":       "the same",
	"TenantSecrets":     "the same",
	"onlyConnection":    "the same",
	"url":               "which of two URLs, and whether it may be had",

	"tenantJSON": "what a control plane tells",
	"tenant":     "the same",

	"CloudTenant":    "what a control plane tells, as the registry takes it",
	"record":         "the same",
	"cloudMembers":   "the same; a test holds it against CloudTenant",
	"cloudTenantOf":  "the same",
	"fill":           "the credentials among it",
	"give":           "the same",
	"credentialsFor": "the same",
	"createAt":       "the same",
	"endDatabase":    "what was for the database alone, and ends with it",
	"unfinished":     "what is known before it told more",
	"secretsOf":      "secrets that no file may hold that is pushed",

	"shown":     "what spd tells of a tenant",
	"plan":      "what spd records of one",
	"versionOf": "what a version of one is",
}

// TestMembersAreListedInOneTable looks for other lists of the record's members, by name, by
// flag or by field: whoever adds a member would have to know of them.
func TestMembersAreListedInOneTable(t *testing.T) {
	t.Parallel()
	members := map[string]string{} // by how they are spelled
	fields := reflect.TypeFor[registry.Tenant]()
	for i, m := range registry.Members {
		members[m.Name], members[strings.ReplaceAll(m.Name, "_", "-")], members[fields.Field(i).Name] = m.Name, m.Name, m.Name
	}
	for _, everywhere := range []string{"id", "name", "ID", "Name", "Kind"} {
		delete(members, everywhere)
	}
	found := map[string]bool{}
	for _, s := range sources(t) {
		if s.measures() || s.pkg == "db/queries" {
			continue
		}
		for _, decl := range s.syntax.Decls {
			for name, node := range declared(decl) {
				if len(spelled(node, members)) >= 3 {
					if memberLists[name] == "" {
						t.Errorf("%s: %s lists %v: loop over registry.Members", s.path, name, slices.Sorted(maps.Keys(spelled(node, members))))
					}
					found[name] = true
				}
			}
		}
	}
	require.Len(t, found, len(memberLists), "some of the lists are gone")
}

// TestTenantsAreMadeByTheirConstructors, which are the documents': nobody else puts one
// together, but the reader of tenants.json, member by member.
func TestTenantsAreMadeByTheirConstructors(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if n.Type == nil || types.ExprString(n.Type) != "registry.Tenant" {
					return true
				}
				for _, member := range n.Elts {
					kind := types.ExprString(member.(*ast.KeyValueExpr).Key) == "Kind"
					require.False(t, kind && len(n.Elts) > 1, "%s puts a tenant together", s.path)
				}
			case *ast.SelectorExpr:
				used[n.Sel.Name] = used[n.Sel.Name] || s.pkg != "internal/registry"
			}
			return true
		})
	}
	require.True(t, used["NewLocal"] && used["NewLocalShared"], "nobody makes a tenant")
}

// declared are the parts of a declaration, by name.
func declared(decl ast.Decl) map[string]ast.Node {
	if f, ok := decl.(*ast.FuncDecl); ok {
		return map[string]ast.Node{f.Name.Name: f}
	}
	parts := map[string]ast.Node{}
	for _, spec := range decl.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			parts[spec.Name.Name] = spec
		case *ast.ValueSpec:
			parts[spec.Names[0].Name] = spec
		}
	}
	return parts
}

// spelled returns the members whose name, flag or field is in a piece of code.
func spelled(node ast.Node, members map[string]string) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			found[members[n.Name]] = true
		case *ast.BasicLit:
			for _, word := range regexp.MustCompile(`[\w-]+`).FindAllString(n.Value, -1) {
				found[members[word]] = true
			}
		}
		return true
	})
	delete(found, "")
	return found
}
