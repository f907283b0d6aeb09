package server

import (
	"errors"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/publish"
	"livelab/runtime/loader"
	"livelab/runtime/oip"
)

// v2Index answers POST /v2/repository/index.
func (s *Server) v2Index(c *gin.Context) error {
	var b body
	if err := s.readBody(c, &b); err != nil {
		return err
	}
	ready, errs := oip.DecodeIndex(b.Bytes())
	if len(errs) > 0 {
		return invalid(fieldErrors(errs))
	}
	entries, err := s.index(c)
	if err != nil {
		return repositoryAway.problem("what can be served cannot be listed at the moment; try again").because(err)
	}
	list := []oip.RepositoryEntry{}
	for _, e := range entries {
		switch {
		case e.Ready:
			list = append(list, oip.RepositoryEntry{Name: e.Name, Version: e.Version, State: oip.Ready})
		case !ready:
			list = append(list, oip.RepositoryEntry{Name: e.Name, Version: e.Version, State: oip.Unavailable, Reason: withoutPaths(errors.New(e.Reason))})
		}
	}
	return reply(c, list)
}

// index lists what can be served: without a repository the default model
// alone.
func (s *Server) index(c *gin.Context) ([]loader.Entry, error) {
	if s.deps.Repository != nil {
		return s.deps.Repository.Index(c.Request.Context())
	}
	if l := s.deps.Models.Current(); l != nil {
		return []loader.Entry{{Name: l.Model.Name, Version: l.Version, Ready: true}}, nil
	}
	return nil, nil
}

// v2Load answers POST /v2/repository/models/{model}/load. The parameter
// version puts that one in service beside what is there; without it the model
// follows its champion.
func (s *Server) v2Load(c *gin.Context) error {
	name, version, err := s.choice(c)
	if err != nil {
		return err
	}
	now, err := s.deps.Repository.Load(c.Request.Context(), name, version)
	switch {
	case errors.Is(err, publish.ErrNotFound):
		return notFound.problem("there is nothing to load: %s", withoutPaths(err)).because(err)
	case err != nil:
		return reloadFailed.problem("%s", withoutPaths(err)).because(err)
	}
	return reply(c, oip.RepositoryEntry{Name: name, Version: now.Version, State: oip.Ready})
}

// v2Unload answers POST /v2/repository/models/{model}/unload: of all
// versions of a model, or of the one that the parameter version names.
func (s *Server) v2Unload(c *gin.Context) error {
	name, version, err := s.choice(c)
	if err != nil {
		return err
	}
	err = s.deps.Repository.Unload(c.Request.Context(), name, version)
	switch {
	case errors.Is(err, loader.ErrNotLoaded):
		return notInService(name, version)
	case err != nil:
		return err
	}
	return reply(c, oip.RepositoryEntry{Name: name, Version: version, State: oip.Unavailable, Reason: loader.ErrUnloaded.Error()})
}

// choice reads what is to be loaded or unloaded.
func (s *Server) choice(c *gin.Context) (name, version string, err error) {
	if s.deps.Repository == nil {
		return "", "", notFound.problem("this server has one model alone; POST /reload_model loads it anew")
	}
	var b body
	if err := s.readBody(c, &b); err != nil {
		return "", "", err
	}
	version, errs := oip.DecodeChoice(b.Bytes())
	if len(errs) > 0 {
		return "", "", invalid(fieldErrors(errs))
	}
	name = c.Param("model")
	if err := publish.CheckName(name, version); err != nil {
		return "", "", badRequest.problem("%v", err)
	}
	return name, version, nil
}
