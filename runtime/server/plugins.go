package server

import (
	"github.com/gin-gonic/gin"

	"livelab/pipeline/features"
	"livelab/runtime/wasm/catalogue"
)

// Plugins lists the transforms that are known, offered or not.
type Plugins interface {
	List() catalogue.Listing
}

var _ Plugins = (*catalogue.Catalogue)(nil)

// pluginsAnswer is what GET /plugins says.
type pluginsAnswer struct {
	catalogue.Listing
	Models []pluginModel `json:"models"` // those in service
}

// pluginModel is a model with the transforms that it carries.
type pluginModel struct {
	Model      string             `json:"model"`
	Version    string             `json:"version"`
	Transforms []carriedTransform `json:"transforms"`
}

// carriedTransform is one that a model was trained with and answers with,
// whatever is in the plugins folder.
type carriedTransform struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Digest  string   `json:"digest"`
	State   string   `json:"state"`   // always "carried"
	Offered bool     `json:"offered"` // whether the same bytes are among the plugins, too
	Inputs  []string `json:"inputs"`
	Outputs []string `json:"outputs"`
}

// plugins answers GET /plugins.
func (s *Server) plugins(c *gin.Context) error {
	a := pluginsAnswer{
		Listing: catalogue.Listing{Plugins: []catalogue.Entry{}},
		Models:  []pluginModel{},
	}
	if s.deps.Plugins != nil {
		a.Listing = s.deps.Plugins.List()
	}
	if current := s.deps.Models.Current(); current != nil {
		m := pluginModel{Model: current.Model.Name, Version: current.Version, Transforms: []carriedTransform{}}
		for _, spec := range current.Model.Transforms {
			m.Transforms = append(m.Transforms, carried(spec, a.Plugins))
		}
		a.Models = append(a.Models, m)
	}
	return reply(c, a)
}

func carried(spec features.TransformSpec, plugins []catalogue.Entry) carriedTransform {
	t := carriedTransform{
		Name: spec.Name, Version: spec.Version, Digest: spec.Digest, State: "carried",
		Inputs: spec.Inputs, Outputs: spec.Outputs,
	}
	for _, p := range plugins {
		t.Offered = t.Offered || p.Digest == spec.Digest
	}
	return t
}
