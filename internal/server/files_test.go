package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/registry"
)

func mustArchive(t *testing.T, pairs ...string) (text string, m archive.Manifest) {
	t.Helper()
	all := []archive.File{}
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, archive.File{Path: pairs[i], Text: []byte(pairs[i+1])})
	}
	var to bytes.Buffer
	require.NoError(t, archive.Write(&to, all))
	return to.String(), archive.ManifestOf(all)
}

// mustSync makes two tenants, and returns a client with the sync token of the first, and where the files
// of each are.
func mustSync(t *testing.T) (p *plane, syncing *client, mine, other string) {
	t.Helper()
	p = mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	shop, blog := anna.mustTenant("shop"), anna.mustTenant("blog")
	var token SyncToken
	anna.ask("POST", "/api/v1/tenants/"+shop.ID+"/rotate-sync-token", "").is(200, &token)
	return p, &client{plane: p, token: token.Token}, "/api/v1/tenants/" + shop.ID + "/files", "/api/v1/tenants/" + blog.ID + "/files"
}

func always(*rows.Queries) error { return nil }

func TestTheFilesOfATenantAreReplacedByWhoKnowsThem(t *testing.T) {
	t.Parallel()
	_, c, path, _ := mustSync(t)
	var shown Manifest
	a := c.ask("GET", path, "").is(200, &shown)
	require.Empty(t, shown.Files)
	empty := a.Header.Get("ETag")
	require.Equal(t, archive.Manifest{}.ETag(), empty)

	text, m := mustArchive(t, "services/a", "a", "profiles/prod/profile.yaml", "name: prod\n")
	put := []string{"Content-Type", "application/gzip", "If-Match", empty}
	a = c.ask("PUT", path, text, put...).is(200, &shown)
	require.Equal(t, m, shown.Files)
	require.Equal(t, m.ETag(), a.Header.Get("ETag"))
	shown = Manifest{}
	a = c.ask("GET", path, "", "Accept", "application/json").is(200, &shown)
	require.Equal(t, m, shown.Files)
	require.Equal(t, m.ETag(), a.Header.Get("ETag"))
	a = c.ask("GET", path, "", "Accept", "text/html, application/gzip;q=0.9").is(200)
	require.Equal(t, text, string(a.text))
	require.Equal(t, m.ETag(), a.Header.Get("ETag"))
	require.Equal(t, "application/gzip", a.Header.Get("Content-Type"))
	require.Empty(t, c.ask("GET", path, "", "If-None-Match", m.ETag()).is(304).text)

	c.ask("PUT", path, text, put...).refuses(412, "conflict")
	c.ask("PUT", path, text, "Content-Type", "application/gzip").refuses(428, "invalid")
}

func TestAWrongArchiveReplacesNothing(t *testing.T) {
	t.Parallel()
	_, c, path, _ := mustSync(t)
	empty := archive.Manifest{}.ETag()
	put := []string{"Content-Type", "application/gzip", "If-Match", empty}
	c.ask("PUT", path, "<html>", put...).refuses(422, "invalid")
	text, _ := mustArchive(t, "services/a", "a")
	c.ask("PUT", path, text[:len(text)-4], put...).refuses(422, "invalid")
	c.ask("PUT", path, text, "If-Match", empty).refuses(415, "unsupported") // as JSON
	c.ask("PUT", path, strings.Repeat(text, archive.MaxBytes/len(text)+1), put...).refuses(422, "invalid")
	c.ask("PUT", path, mustZip(t, make([]byte, 64<<20)), put...).refuses(413, "invalid")
	require.Equal(t, empty, c.ask("GET", path, "").is(200).Header.Get("ETag"))
}

// A sync token is good for the files of its tenant and for nothing else.
func TestASyncTokenIsGoodForItsOwnTenantAlone(t *testing.T) {
	t.Parallel()
	p, c, mine, other := mustSync(t)
	text, _ := mustArchive(t, "services/a", "canary-file")
	put := []string{"Content-Type", "application/gzip", "If-Match", archive.Manifest{}.ETag()}
	c.ask("GET", other, "").refuses(404, "not_found")
	c.ask("PUT", other, text, put...).refuses(404, "not_found")
	c.ask("GET", "/api/v1/tenants/nosuch/files", "").refuses(404, "not_found")
	root := p.mustUser("root", AdminRole)
	root.ask("GET", mine, "").refuses(403, "denied")
	root.ask("PUT", mine, text, put...).refuses(403, "denied")
	nobody := &client{plane: p}
	nobody.ask("PUT", mine, text, put...).refuses(401, "unauthenticated")
	c.ask("PUT", mine, text, put...).is(200)

	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 3})
	require.NoError(t, err)
	require.Equal(t, "files.put", acts[0].Action)
	require.Equal(t, "done", acts[0].Outcome)
	require.Contains(t, acts[0].User, "the sync token of tenant ")
	require.NotContains(t, p.log.String(), "canary-file")
}

// What is gone leaves no files to the next one.
func TestTheFilesGoWithTheirTenant(t *testing.T) {
	t.Parallel()
	p, c, path, _ := mustSync(t)
	text, _ := mustArchive(t, "services/a", "a")
	c.ask("PUT", path, text, "Content-Type", "application/gzip", "If-Match", archive.Manifest{}.ETag()).is(200)
	id := strings.Split(path, "/")[4]
	m, err := p.files.Manifest(t.Context(), id, always)
	require.NoError(t, err)
	require.Len(t, m, 1)
	require.NoError(t, p.forget(t.Context(), registry.TenantID(id)))
	m, err = p.files.Manifest(t.Context(), id, always)
	require.NoError(t, err)
	require.Empty(t, m)
	c.ask("GET", path, "").refuses(401, "unauthenticated")
}

func mustZip(t *testing.T, text []byte) string {
	t.Helper()
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	_, err := w.Write(text)
	require.NoError(t, errors.Join(err, w.Close()))
	return to.String()
}

func TestAnArchiveThatDoesNotComeWholeIsNobodysFaultHere(t *testing.T) {
	t.Parallel()
	_, c, path, _ := mustSync(t)
	for _, failure := range []error{os.ErrDeadlineExceeded, io.ErrUnexpectedEOF} {
		_, err := c.files.Replace(t.Context(), "a", "*", iotest.ErrReader(failure), always)
		require.Equal(t, 408, filesProblem(err).(*Problem).Status)
	}
	require.Equal(t, archive.Manifest{}.ETag(), c.ask("GET", path, "").is(200).Header.Get("ETag"))
	left, err := filepath.Glob(filepath.Join(c.Dir, ".push-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestAPushEndsWithItsTokenAndItsTenant, also one that has half come.
func TestAPushEndsWithItsTokenAndItsTenant(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *plane, anna *client, tenant string){
		"the token": func(_ *plane, anna *client, tenant string) { anna.ask("POST", tenant+"/rotate-sync-token", "").is(200) },
		"the tenant": func(p *plane, anna *client, tenant string) {
			anna.ask("DELETE", tenant, "").is(204)
			require.NoError(t, p.forget(t.Context(), idIn(tenant)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, c, path, _ := mustSync(t)
			anna := p.mustUser("root", AdminRole)
			text, _ := mustArchive(t, "services/a", "a")
			who, err := p.admit(t.Context(), "Bearer "+c.token, syncScheme, nil)
			require.NoError(t, err)
			tenant := strings.TrimSuffix(path, "/files")
			body, rest := io.Pipe()
			ctx := context.WithValue(context.WithValue(t.Context(), principalKey, who), bodyKey, io.Reader(body))
			came := make(chan error, 1)
			go func() {
				_, err := p.putFiles(ctx, idIn(tenant), archiveType, archive.Manifest{}.ETag())
				came <- err
			}()
			half := len(text) / 2
			_, err = io.WriteString(rest, text[:half])
			require.NoError(t, err)
			end(p, anna, tenant)
			_, err = io.WriteString(rest, text[half:])
			require.NoError(t, err)
			require.NoError(t, rest.Close())
			require.ErrorIs(t, <-came, errUnauthenticated)
			m, err := p.files.Manifest(t.Context(), string(idIn(tenant)), always)
			require.NoError(t, err)
			require.Empty(t, m)
		})
	}
}

// deadlined counts how often it is decided that a request took too long to come.
type deadlined struct {
	http.ResponseWriter
	late *atomic.Int32
}

func (d deadlined) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d deadlined) SetReadDeadline(at time.Time) error {
	if at.Unix() == 1 {
		d.late.Add(1)
	}
	return http.NewResponseController(d.ResponseWriter).SetReadDeadline(at)
}

// TestAPushHasItsTimeFromWhenItIsRead: the one before of its tenant may have taken long. One that does not come
// then is ended.
func TestAPushHasItsTimeFromWhenItIsRead(t *testing.T) {
	t.Parallel()
	var late atomic.Int32
	p := mustPlaneBehind(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(deadlined{w, &late}, r) })
	})
	p.patience = 20 * time.Millisecond
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	tenant := "/api/v1/tenants/" + anna.mustTenant("shop").ID
	var token SyncToken
	anna.ask("POST", tenant+"/rotate-sync-token", "").is(200, &token)
	require.NoError(t, p.pushes.wait(t.Context(), idIn(tenant)))
	release := sync.OnceFunc(func() { p.pushes.release(idIn(tenant)) })
	defer release()
	body, rest := io.Pipe()
	defer func() { _ = rest.Close() }()
	r, err := http.NewRequestWithContext(t.Context(), "PUT", p.http.URL+tenant+"/files", body)
	require.NoError(t, err)
	for name, value := range map[string]string{"Authorization": "Bearer " + token.Token, "Content-Type": archiveType, "If-Match": archive.Manifest{}.ETag()} {
		r.Header.Set(name, value)
	}
	came := make(chan int, 1)
	go func() {
		response, err := p.http.Client().Do(r)
		if assert.NoError(t, err) {
			_ = response.Body.Close()
			came <- response.StatusCode
		}
		close(came)
	}()
	_, err = io.WriteString(rest, "half of it")
	require.NoError(t, err, "it is under way")
	time.Sleep(10 * p.patience)
	require.Zero(t, late.Load(), "it waits for another one")
	release()
	require.Equal(t, 408, <-came)
	require.EqualValues(t, 1, late.Load())
}

// TestPushesOfOneTenantComeOneBehindTheOther: each may fill a file.
func TestPushesOfOneTenantComeOneBehindTheOther(t *testing.T) {
	t.Parallel()
	p, c, path, _ := mustSync(t)
	id := idIn(strings.TrimSuffix(path, "/files"))
	require.NoError(t, p.pushes.wait(t.Context(), id))
	text, _ := mustArchive(t, "services/a", "a")
	came := make(chan *answer, 1)
	go func() {
		came <- c.ask("PUT", path, text, "Content-Type", "application/gzip", "If-Match", archive.Manifest{}.ETag())
	}()
	select {
	case <-came:
		require.Fail(t, "it did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	p.pushes.release(id)
	(<-came).is(200)
}
