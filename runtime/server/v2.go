package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"livelab/runtime/jsonscan"
	"livelab/runtime/loader"
	"livelab/runtime/oip"
)

// v2Path is where the Open Inference Protocol has its routes.
const v2Path = "/v2"

// v2 registers the routes of the Open Inference Protocol, version 2, and of its
// extension for model repositories. Its errors have the protocol's member
// "error" beside those of a problem.
func (s *Server) v2(e *gin.Engine) {
	for _, path := range []string{v2Path, v2Path + "/"} { // the protocol's texts have both
		s.get(e, path, s.v2Server)
	}
	s.get(e, v2Path+"/health/live", s.v2Live)
	s.get(e, v2Path+"/health/ready", s.v2Ready)
	for _, model := range []string{v2Path + "/models/:model", v2Path + "/models/:model/versions/:version"} {
		s.get(e, model, s.v2Model)
		s.get(e, model+"/ready", s.v2ModelReady)
		e.POST(model+"/infer", s.with(s.v2Infer))
	}
	e.POST(v2Path+"/repository/index", s.with(s.v2Index))
	s.change(e, v2Path+"/repository/models/:model/load", s.v2Load)
	s.change(e, v2Path+"/repository/models/:model/unload", s.v2Unload)
}

// isV2 reports whether a path is the protocol's, known or not.
func isV2(path string) bool { return path == v2Path || strings.HasPrefix(path, v2Path+"/") }

// v2Message is a problem as the protocol's clients show it: one text.
func v2Message(p *Problem) string {
	if len(p.Errors) < 2 {
		return p.Detail
	}
	const most = 3
	var text []string
	for _, e := range p.Errors[:min(most, len(p.Errors))] {
		text = append(text, strings.TrimSpace(e.Field+" "+e.Detail))
	}
	if len(p.Errors) > most {
		text = append(text, "…")
	}
	return p.Detail + ": " + strings.Join(text, "; ")
}

// v2Server answers GET /v2.
func (s *Server) v2Server(c *gin.Context) error {
	extensions := []string{}
	if s.deps.Repository != nil {
		extensions = append(extensions, "model_repository")
	}
	return reply(c, oip.ServerMetadata{Name: service, Version: s.cfg.Version, Extensions: extensions})
}

// v2Live answers GET /v2/health/live: who answers is alive.
func (s *Server) v2Live(c *gin.Context) error { return reply(c, oip.ServerLive{Live: true}) }

// v2Ready answers GET /v2/health/ready. The server is ready when its default
// model is in service, which it is after it has answered for itself; until
// then, and while the server ends, this is 503.
func (s *Server) v2Ready(c *gin.Context) error {
	if _, err := s.served(); err != nil {
		return err
	}
	if s.draining.Load() {
		return ending.problem("the server was told to end; ask another one")
	}
	return reply(c, oip.ServerReady{Live: true, Ready: true})
}

// v2ModelReady answers GET /v2/models/{model}/ready.
func (s *Server) v2ModelReady(c *gin.Context) error {
	v, err := s.named(c)
	if err != nil {
		return err
	}
	return reply(c, oip.ModelReady{Name: v.Model.Name, Ready: true})
}

// named gives the model in service that the path names. It is a *Problem where
// there is none.
func (s *Server) named(c *gin.Context) (*served, error) {
	name, version := c.Param("model"), c.Param("version")
	l, err := s.find(name, version)
	switch {
	case err == nil:
		return s.servedOf(l), nil
	case !errors.Is(err, loader.ErrNotLoaded):
		return nil, err
	case s.deps.Models.Current() == nil:
		return nil, s.noModel()
	}
	return nil, notInService(name, version)
}

func notInService(name, version string) *Problem {
	what := "the model " + jsonscan.Printable(name)
	if version != "" {
		what = "version " + jsonscan.Printable(version) + " of " + what
	}
	return notFound.problem("%s is not in service; POST %s/repository/index lists what is", what, v2Path)
}

// find gives a model in service. Without a repository there is the default
// one alone.
func (s *Server) find(name, version string) (*loader.Loaded, error) {
	if s.deps.Repository != nil {
		return s.deps.Repository.Find(name, version)
	}
	if l := s.deps.Models.Current(); l != nil && l.Model.Name == name && (version == "" || l.Version == version) {
		return l, nil
	}
	return nil, loader.ErrNotLoaded
}

// fieldErrors are a message's errors as a problem has them.
func fieldErrors(errs []oip.Error) []FieldError {
	fs := make([]FieldError, 0, len(errs))
	for _, e := range errs {
		fs = append(fs, FieldError{e.Path, e.Detail})
	}
	return slices.Clip(fs)
}

// binaryHeader announces tensors in binary after the JSON.
const binaryHeader = "Inference-Header-Content-Length"

// refuseBinary refuses tensors that are not in the JSON.
func refuseBinary(h http.Header) error {
	if h.Get(binaryHeader) == "" {
		return nil
	}
	return wrongMedia.problem("the header %s announces binary tensors, which are not read; send the elements as JSON, in data", binaryHeader)
}
