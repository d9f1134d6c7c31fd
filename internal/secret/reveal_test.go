package secret

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// revealers are the files in which a secret is told; one that joins them is
// looked at. In registry: comparing, cutting and storing.
var revealers = []string{
	"internal/cli/control/serve.go", // prints join codes, once
	"internal/cli/control/user.go",
	"internal/cli/session/token.go", // reads what a JWT says of itself
	"internal/cli/task/client.go",   // gives it to psql
	"internal/cli/task/shown.go",
	"internal/cli/work/environment.go", // gives it to a command, or prints it
	"internal/cli/work/resolve.go",
	"internal/cloud/api.go",          // compares a secrets_url
	"internal/cloud/client.go",       // sends a token
	"internal/cloud/login.go",        // sends a code
	"internal/cloud/login_file.go",   // stores a login
	"internal/cloud/oauth.go",        // revokes a token
	"internal/cloud/problem.go",      // takes it out of a message
	"internal/cloud/refresh.go",      // sends a refresh token
	"internal/configuration/leak.go", // looks whether a file holds it
	"internal/exporter/encode.go",
	"internal/exporter/encode_view.go",
	"internal/follow/index.go",
	"internal/follow/secrets.go", // tells what was written before by digests
	"internal/follow/secrets_text.go",
	"internal/pgtest/pgtest.go",
	"internal/pgtest/pooler.go",
	"internal/pgurl/harm.go", // looks for parameters that load code
	"internal/pgurl/make.go",
	"internal/pgurl/secret.go",
	"internal/pgurl/url.go",
	"internal/postgres/url.go",
	"internal/provision/password.go",   // makes what the server keeps of it
	"internal/registry/cloud_calls.go", // checks what it takes
	"internal/registry/databases.go",
	"internal/registry/image.go",
	"internal/registry/import_new.go", // counts its bytes
	"internal/registry/member.go",
	"internal/registry/rows.go",
	"internal/registry/secrets.go",   // likewise
	"internal/registry/selection.go", // likewise
	"internal/registry/servers.go",
	"internal/registry/tenant_change.go", // likewise
	"internal/registry/writes.go",
	"internal/secret/secret.go",
	"internal/server/credentials.go", // answers with them who has the scope secrets
	"internal/server/mark.go",        // hashes the registry's id
	"internal/server/tokens.go",      // makes what is kept of them
}

func TestSecretsAreRevealedInTheseFilesOnly(t *testing.T) {
	t.Parallel()
	const root = "../.."
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && reveals(t, path) {
			name, err := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	require.NoError(t, err)
	slices.Sort(found)
	require.Equal(t, revealers, found)
}

// reveals tells whether a file mentions a Reveal of something, called or not.
func reveals(t *testing.T, path string) (found bool) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(tree, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok && selector.Sel.Name == "Reveal" {
			found = true
		}
		return true
	})
	return found
}
