package server

import (
	"github.com/gin-gonic/gin"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
)

// modelAnswer is what GET /model says.
type modelAnswer struct {
	Version  string   `json:"version"`
	Features []string `json:"features"` // what a client may give, the required ones first
	Required []string `json:"required"`

	Name           string          `json:"name"`
	Digest         string          `json:"digest"`
	Family         string          `json:"family"`          // logistic or trees
	Trees          int             `json:"trees,omitempty"` // how many there are
	Threshold      float64         `json:"threshold"`
	HorizonMinutes int             `json:"horizon_minutes"`
	TargetRule     string          `json:"target_rule"`
	Target         features.Target `json:"target"`
	Verdict        loader.Verdict  `json:"verdict"` // of the gate
	Metrics        metrics.Report  `json:"metrics"`
	Metadata       model.Metadata  `json:"metadata"`
	LoadedAt       *string         `json:"loaded_at"`
}

// model answers GET /model.
func (s *Server) model(c *gin.Context) error {
	v, err := s.served()
	if err != nil {
		return err
	}
	return reply(c, modelAnswer{
		Version:        v.Version,
		Features:       v.schema.names(v.schema.order()),
		Required:       v.schema.names(v.schema.required),
		Name:           v.Model.Name,
		Digest:         v.Digest,
		Family:         v.Model.Family.String(),
		Trees:          treesOf(v.Model),
		Threshold:      v.Model.Threshold,
		HorizonMinutes: v.Model.Task.HorizonMinutes,
		TargetRule:     v.Metadata.TargetRule,
		Target:         v.Model.Task.Target,
		Verdict:        v.Verdict,
		Metrics:        v.Report,
		Metadata:       v.Metadata,
		LoadedAt:       stamp(v.LoadedAt),
	})
}

// treesOf counts the trees of a model, 0 where its family has none.
func treesOf(m *model.Model) int {
	if m.Trees == nil {
		return 0
	}
	return len(m.Trees.Trees)
}

// reload answers POST /reload_model.
func (s *Server) reload(c *gin.Context) error {
	now, changed, err := s.deps.Models.Reload(c.Request.Context())
	if err != nil {
		return s.reloadProblem(err)
	}
	return reply(c, struct {
		Status  string `json:"status"`
		Version string `json:"version"`
		Changed bool   `json:"changed"`
		Digest  string `json:"digest"`
	}{"ok", now.Version, changed, now.Digest})
}

// reloadProblem says why a reload failed and what serves on.
func (s *Server) reloadProblem(err error) *Problem {
	current := s.deps.Models.Current()
	loaded := current != nil
	p := reloadFailed.problem("%v; no model is loaded", err).because(err)
	if loaded {
		p.Detail = err.Error() + "; version " + current.Version + " serves on"
		p.Version = current.Version
	}
	p.ModelLoaded = &loaded
	return p
}
