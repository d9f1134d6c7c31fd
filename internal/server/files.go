package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/server/files"
)

// Manifest lists the files of a tenant's configuration.
type Manifest struct {
	Files archive.Manifest `json:"files" nullable:"false"`
}

// filesAnswer is a manifest or an archive.
type filesAnswer struct {
	Status      int
	ETag        string `header:"ETag"`
	Vary        string `header:"Vary"`
	ContentType string `header:"Content-Type"`
	Body        []byte
}

const archiveType = "application/gzip"

// configuration are the operations on the files of a tenant, for who has its sync token.
func (s *Server) configuration(api huma.API) {
	const path = "/api/v1/tenants/{id}/files"
	sync := func(id, method, summary string, statuses ...int) huma.Operation {
		o := operation(id, method, path, summary, "", append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, statuses...)...)
		o.Security = []map[string][]string{{syncScheme: {}}}
		return o
	}
	etag := map[string]*huma.Param{"ETag": {Schema: &huma.Schema{Type: "string"}}}
	manifest := &huma.MediaType{Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Manifest](), true, "Manifest")}
	binary := &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}

	get := sync("files", http.MethodGet, "the manifest or, with Accept: application/gzip, the archive; the ETag is the manifest's")
	get.Responses = map[string]*huma.Response{
		"200": {Description: "OK", Headers: etag, Content: map[string]*huma.MediaType{"application/json": manifest, archiveType: binary}},
		"304": {Description: "nothing changed"},
	}
	huma.Register(api, get, func(ctx context.Context, in *struct {
		TenantPath
		Accept      string `header:"Accept" hidden:"true"`
		IfNoneMatch string `header:"If-None-Match"`
	},
	) (*filesAnswer, error) {
		answer, err := s.readFiles(ctx, registry.TenantID(in.ID), accepts(in.Accept, archiveType))
		if err == nil && files.Matches(in.IfNoneMatch, answer.ETag) {
			answer = &filesAnswer{Status: http.StatusNotModified, ETag: answer.ETag, Vary: answer.Vary}
		}
		return answer, s.refused(ctx, err)
	})

	put := sync("putFiles", http.MethodPut, "a whole new state: plain files under services/, and profiles/*/profile.yaml; 16 MiB, 10,000 files",
		http.StatusRequestTimeout, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusPreconditionRequired)
	put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{archiveType: binary}}
	put.Responses = map[string]*huma.Response{"200": {Description: "OK", Headers: etag, Content: map[string]*huma.MediaType{"application/json": manifest}}}
	put.Middlewares = huma.Middlewares{s.handBody}
	huma.Register(api, put, func(ctx context.Context, in *struct {
		TenantPath
		ContentType string `header:"Content-Type" hidden:"true"`
		IfMatch     string `header:"If-Match" doc:"the state that the archive was made from"`
	},
	) (*filesAnswer, error) {
		answer, err := s.putFiles(ctx, registry.TenantID(in.ID), in.ContentType, in.IfMatch)
		return answer, s.refused(ctx, s.noted(ctx, act{action: "files.put", tenant: registry.TenantID(in.ID)}, err))
	})
}

// patience is how long an archive may take to come: others of its tenant have to wait meanwhile.
const patience = time.Minute

// handBody hands on the body of a request, for an operation that reads it bit by bit. Its time begins when
// it is read: before, it may have to wait for another one.
func (s *Server) handBody(c huma.Context, next func(huma.Context)) {
	var late *time.Timer
	body := &startedReader{Reader: c.BodyReader(), start: func() {
		late = time.AfterFunc(s.patience, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // which is over
	}}
	next(huma.WithValue(c, bodyKey, body))
	if late != nil {
		late.Stop()
	}
}

// startedReader calls start once, before it is read.
type startedReader struct {
	io.Reader
	start func()
}

func (r *startedReader) Read(b []byte) (int, error) {
	if r.start != nil {
		r.start()
		r.start = nil
	}
	return r.Reader.Read(b)
}

// accepts tells whether a kind of content is named. */* names none: it is everybody's.
func accepts(header, kind string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if named, _, err := mime.ParseMediaType(one); err == nil && named == kind {
			return true
		}
	}
	return false
}

func (s *Server) readFiles(ctx context.Context, id registry.TenantID, asArchive bool) (*filesAnswer, error) {
	if err := s.checkTenant(ctx, id); err != nil {
		return nil, err
	}
	if asArchive {
		text, etag, err := s.files.Archive(ctx, string(id), s.theirs(ctx, id))
		return &filesAnswer{Status: http.StatusOK, ETag: etag, Vary: "Accept", ContentType: archiveType, Body: text}, err
	}
	m, err := s.files.Manifest(ctx, string(id), s.theirs(ctx, id))
	if err != nil {
		return nil, err
	}
	return manifestAnswer(m)
}

// theirs is mustBeTheirs, for a look or a change that begins elsewhere.
func (s *Server) theirs(ctx context.Context, id registry.TenantID) func(*rows.Queries) error {
	return func(q *rows.Queries) error { return s.mustBeTheirs(ctx, q, id) }
}

func manifestAnswer(m archive.Manifest) (*filesAnswer, error) {
	text, err := json.Marshal(Manifest{m})
	return &filesAnswer{Status: http.StatusOK, ETag: m.ETag(), Vary: "Accept", ContentType: "application/json", Body: text}, err
}

// checkTenant refuses a tenant that is another's than the token, or is no more.
func (s *Server) checkTenant(ctx context.Context, id registry.TenantID) error {
	return s.read(ctx, func(view *registry.View) error {
		_, err := s.tenant(ctx, view, id)
		return err
	})
}

// checkStays refuses one that is being deleted, too.
func (s *Server) checkStays(ctx context.Context, id registry.TenantID) error {
	return s.read(ctx, func(view *registry.View) error {
		if _, err := s.tenant(ctx, view, id); err != nil {
			return err
		}
		return mustStay(ctx, view, id)
	})
}

func (s *Server) putFiles(ctx context.Context, id registry.TenantID, contentType, ifMatch string) (*filesAnswer, error) {
	if err := s.checkStays(ctx, id); err != nil {
		return nil, err
	}
	if !accepts(contentType, archiveType) {
		return nil, problem(http.StatusUnsupportedMediaType, "unsupported", "an archive has the Content-Type %s", archiveType)
	}
	if err := s.pushes.wait(ctx, id); err != nil { // each may fill a file
		return nil, err
	}
	defer s.pushes.release(id)
	m, err := s.files.Replace(ctx, string(id), ifMatch, ctx.Value(bodyKey).(io.Reader), s.theirs(ctx, id)) // which has no token once it goes
	if err != nil {
		return nil, filesProblem(err)
	}
	return manifestAnswer(m)
}

// filesProblem says why a state was not replaced.
func filesProblem(err error) error {
	switch {
	case errors.Is(err, files.ErrUnconditional):
		return problem(http.StatusPreconditionRequired, "invalid", "%s", err)
	case errors.Is(err, files.ErrStale):
		return problem(http.StatusPreconditionFailed, "conflict", "%s", err)
	case errors.Is(err, archive.ErrTooLarge):
		return problem(http.StatusRequestEntityTooLarge, "invalid", "%s", err)
	case errors.Is(err, archive.ErrRefused):
		return problem(http.StatusUnprocessableEntity, "invalid", "%s", err)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.ErrUnexpectedEOF):
		return problem(http.StatusRequestTimeout, "invalid", "the archive did not come whole within %s", patience)
	}
	return err
}
