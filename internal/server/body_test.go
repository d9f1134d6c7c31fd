package server

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"
)

// TestABodyCostsLittle, whatever stands in it: who has a token can't have the process run out of memory. It
// counts what the whole process allocates, so nothing runs beside it.
func TestABodyCostsLittle(t *testing.T) {
	p := mustPlaneBehind(t, func(next http.Handler) http.Handler { return next })
	p.mustRegion("iad", "db.example.org")
	anna, root := p.mustUser("anna", MemberRole), p.mustUser("root", AdminRole)
	list := func(one string, size int) string {
		return strings.TrimSuffix(strings.Repeat(one+",", size/(len(one)+1)), ",")
	}
	deep := strings.Repeat("[", 8_000)
	for body, long := range map[string]bool{
		`{"name":"x","scopes":["read"],"tenants":[` + list("0", 1<<20-100) + `]}`:     false,
		`{"name":"x","scopes":["read"],"tenants":[` + list("0", smallBody-100) + `]}`: false,
		`{"name":"x","scopes":[` + list(`"read"`, smallBody-100) + `]}`:               false,
		`{"name":"x","scopes":[` + list("{}", smallBody-100) + `]}`:                   false,
		`{"name":"x","scopes":[` + list("[]", smallBody-100) + `]}`:                   false,
		`{"name":` + deep + strings.Repeat("]", len(deep)) + `}`:                      false,
		`{"role":"reader","tenants":[` + list("0", longBody-100) + `]}`:               true,
		`{"role":"reader","tenants":[` + list("0", 20_000) + `]}`:                     true,
		`{"role":"reader","tenants":[` + list(`""`, longBody-100) + `]}`:              true,
		`{"role":"reader","tenants":[` + list("{}", longBody-100) + `]}`:              true,
		`{"role":"reader",` + list(`"":0`, longBody-100) + `}`:                        true,
	} {
		method, path, who := "POST", "/api/v1/tokens", anna
		if long {
			method, path, who = "PATCH", "/api/v1/users/"+anna.user.ID, root
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status := who.ask(method, path, body).StatusCode
		runtime.ReadMemStats(&after)
		require.Contains(t, []int{400, 413, 422}, status, body[:60])
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), body[:60])
	}
}

// TestABodyIsReadAsItIsWritten: no member has another name than described, or stands there twice, and no text
// becomes another one.
func TestABodyIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, root := p.mustUser("anna", MemberRole), p.mustUser("root", AdminRole)
	shop := "/api/v1/tenants/" + anna.mustTenant("shop").ID
	for _, c := range []struct {
		who                         *client
		method, path, body, pointer string
	}{
		{anna, "POST", shop + "/rotate-credentials", `{"grace_seconds":5,"Grace_Seconds":31536000}`, "/Grace_Seconds"},
		{anna, "POST", shop + "/rotate-credentials", `{"grace_seconds":5,"grace_seconds":0}`, "/grace_seconds"},
		{root, "PATCH", "/api/v1/users/" + anna.user.ID, `{"role":"reader","ROLE":"superadmin"}`, "/ROLE"},
		{root, "PATCH", "/api/v1/users/" + anna.user.ID, `{"Active":false}`, "/Active"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"EXPIRES_IN":-5}`, "/EXPIRES_IN"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"SCOPES":[]}`, "/SCOPES"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"NAME":"y"}`, "/NAME"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","\u006eame":"y","scopes":["read"]}`, "/name"},
		{anna, "POST", "/api/v1/tokens", "{\"name\":\"\xff\",\"scopes\":[\"read\"]}", "/name"},
		{anna, "POST", "/api/v1/tokens", `{"name":"\ud800","scopes":["read"]}`, "/name"},
		{anna, "POST", "/api/v1/tokens", "{\"name\":\"x\",\"scopes\":[\"read\"],\"\xff\":0}", "/\uFFFD"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":["read","read"]}`, "/scopes"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":[{"a":1}]}`, "/scopes/0"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":[["read"]]}`, "/scopes/0"},
		{anna, "POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"tenants":["a","a"]}`, "/tenants"},
	} {
		refused := c.who.ask(c.method, c.path, c.body).refuses(422, "invalid")
		require.Equal(t, c.pointer, refused.Errors[0].Pointer, c.body)
	}
	var made data[NewToken]
	anna.ask("POST", "/api/v1/tokens", `{"name":"\ufffd \ud83d\ude00 `+"\uFFFD"+`","scopes":["read"]}`).is(201, &made)
	require.Equal(t, "\uFFFD \U0001F600 \uFFFD", made.Data.Name)
}

// TestEveryListThatIsSentIsBounded, has nothing twice, and holds nothing but single values, which the library
// can compare.
func TestEveryListThatIsSentIsBounded(t *testing.T) {
	t.Parallel()
	described := (&Server{}).API()
	schemas, lists := described.Components.Schemas, 0
	var look func(where string, s *huma.Schema)
	look = func(where string, s *huma.Schema) {
		for s.Ref != "" {
			s = schemas.SchemaFromRef(s.Ref)
		}
		for name, member := range s.Properties {
			look(where+"/"+name, member)
		}
		if s.Type != huma.TypeArray {
			return
		}
		lists++
		require.NotNil(t, s.MaxItems, where)
		require.LessOrEqual(t, *s.MaxItems, maxItems, where)
		require.True(t, s.UniqueItems, where)
		require.NotContains(t, []string{huma.TypeArray, huma.TypeObject, ""}, s.Items.Type, where)
	}
	for path, item := range described.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if o == nil {
				continue
			}
			for _, param := range o.Parameters {
				look(fmt.Sprint(o.Method, " ", path, " ", param.Name), param.Schema)
			}
			if o.RequestBody != nil {
				for _, content := range o.RequestBody.Content {
					look(fmt.Sprint(o.Method, " ", path), content.Schema)
				}
			}
		}
	}
	require.Equal(t, 3, lists)
}
