package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// scratch is memory that one request uses and the next one uses again.
type scratch struct {
	body     bytes.Buffer
	question question
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// free gives the memory back, unless a large body made it large.
func (m *scratch) free() {
	if m.body.Cap() <= 64<<10 {
		scratches.Put(m)
	}
}

// ask reads the request's question to the model in service.
func (s *Server) ask(c *gin.Context, m *scratch, language bool) (*served, error) {
	if err := s.readBody(c, &m.body); err != nil {
		return nil, err
	}
	v, err := s.served()
	if err != nil {
		return nil, err
	}
	if errs := decode(m.body.Bytes(), v.schema, language, &m.question); len(errs) > 0 {
		return nil, invalid(errs)
	}
	return v, nil
}

// readBody reads a JSON body within the limit. An empty body may have any
// type.
func (s *Server) readBody(c *gin.Context, into *bytes.Buffer) error {
	into.Reset()
	r := c.Request
	if r.ContentLength > s.cfg.MaxBody {
		c.Header("Connection", "close") // rather than read what is refused
		return s.bodyTooLarge()
	}
	if _, err := into.ReadFrom(http.MaxBytesReader(c.Writer, r.Body, s.cfg.MaxBody)); err != nil {
		if tooMuch := new(http.MaxBytesError); errors.As(err, &tooMuch) {
			return s.bodyTooLarge()
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return badRequest.problem("the body ends before its announced length").because(err)
		}
		return badRequest.problem("the body could not be read").because(err)
	}
	if into.Len() == 0 {
		return nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return wrongMedia.problem("the body is encoded as %q; send it plain", coding)
	}
	return checkMediaType(r.Header.Get("Content-Type"))
}

func (s *Server) bodyTooLarge() error {
	return tooLarge.problem("the body is larger than %d bytes", s.cfg.MaxBody)
}

// checkMediaType accepts JSON, and a type that is missing.
func checkMediaType(header string) error {
	if header == "" || header == "application/json" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return wrongMedia.problem("the content type is %q; send application/json", header)
	}
	return nil
}
