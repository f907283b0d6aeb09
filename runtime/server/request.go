package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"livelab/runtime/predlog"
)

// scratch is memory that one request uses and the next one uses again.
type scratch struct {
	body     body
	question question

	// For each row of the question; x is the models' inputs, one row after
	// another.
	forecasts   []forecast
	predictions []predlog.Prediction
	x           []float64

	answer []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// mostRowsKept is how many rows' memory one request leaves to the next.
const mostRowsKept = 256

// free gives the memory back, unless a large request made it large.
func (m *scratch) free() {
	m.question.of = stationRow{} // it would keep an old forecast alive
	if m.body.Cap() <= 64<<10 && cap(m.answer) <= 64<<10 && cap(m.forecasts) <= mostRowsKept && m.question.rows <= mostRowsKept {
		scratches.Put(m)
	}
}

// body is what a client sent.
type body struct {
	bytes.Buffer
	limited io.LimitedReader
}

// read reads all of r, or the first most+1 bytes where there are more.
func (b *body) read(r io.Reader, most int64) error {
	b.Reset()
	b.limited = io.LimitedReader{R: r, N: most + 1}
	_, err := b.ReadFrom(&b.limited)
	b.limited.R = nil
	return err
}

// ask reads the request's question, and finds the model that can answer it.
func (s *Server) ask(c *gin.Context, m *scratch, language bool) (*served, error) {
	if err := s.readBody(c, &m.body); err != nil {
		return nil, err
	}
	v, noModel := s.served()
	if noModel != nil {
		alone := s.stationModel() // which can answer what is asked about stations
		if alone == nil {
			return nil, noModel
		}
		v = s.servedOf(alone)
	}
	f := form{language: language}
	if !language {
		f.instances = s.cfg.MaxInstances
	}
	if errs := decode(m.body.Bytes(), v.schema, f, &m.question); len(errs) > 0 {
		return nil, invalid(errs)
	}
	if noModel != nil && m.question.station == "" {
		return nil, noModel
	}
	return s.answering(v, &m.question)
}

// readBody reads a JSON body within the limit. An empty body may have any
// type.
func (s *Server) readBody(c *gin.Context, into *body) error {
	r := c.Request
	if r.ContentLength > s.cfg.MaxBody {
		return s.bodyTooLarge(c)
	}
	if err := into.read(r.Body, s.cfg.MaxBody); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return badRequest.problem("the body ends before its announced length").because(err)
		}
		return badRequest.problem("the body could not be read").because(err)
	}
	switch {
	case int64(into.Len()) > s.cfg.MaxBody:
		return s.bodyTooLarge(c)
	case into.Len() == 0:
		return nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return wrongMedia.problem("the body is encoded as %q; send it plain", clip(coding))
	}
	return checkMediaType(r.Header.Get("Content-Type"))
}

// bodyTooLarge also closes the connection, rather than read what is refused.
func (s *Server) bodyTooLarge(c *gin.Context) error {
	c.Header("Connection", "close")
	return tooLarge.problem("the body is larger than %d bytes", s.cfg.MaxBody)
}

// checkMediaType accepts JSON, and a type that is missing.
func checkMediaType(header string) error {
	if header == "" || header == "application/json" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return wrongMedia.problem("the content type is %q; send application/json", clip(header))
	}
	return nil
}
