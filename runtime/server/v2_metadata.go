package server

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/features"
	"livelab/runtime/oip"
)

// project is before the family in what a model is to the protocol,
// <project>_<format>.
const project = "livelab_"

// The outputs of every model.
const (
	outputClass       = "predict"
	outputProbability = "predict_proba"
)

// v2Model answers GET /v2/models/{model}.
func (s *Server) v2Model(c *gin.Context) error {
	v, err := s.named(c)
	if err != nil {
		return err
	}
	anySize := []int{-1}
	inputs := []oip.TensorMetadata{}
	for _, column := range v.schema.order() {
		inputs = append(inputs, oip.TensorMetadata{Name: v.schema.columns[column], Datatype: oip.FP64, Shape: anySize})
	}
	return reply(c, oip.ModelMetadata{
		Name:     v.Model.Name,
		Versions: s.versionsInService(c, v),
		Platform: project + v.Model.Family.String(),
		Inputs:   inputs,
		Outputs: []oip.TensorMetadata{
			{Name: outputClass, Datatype: oip.Int64, Shape: anySize},
			{Name: outputProbability, Datatype: oip.FP64, Shape: anySize},
		},
		Properties: v.properties(s.cfg.MaxInstances),
	})
}

// versionsInService lists the versions of a model that requests may name, the
// one asked about first.
func (s *Server) versionsInService(c *gin.Context, v *served) []string {
	versions := []string{v.Version}
	if s.deps.Repository == nil {
		return versions
	}
	all, err := s.deps.Repository.Index(c.Request.Context())
	if err != nil { // what is known is enough to go on with
		_ = c.Error(err)
		return versions
	}
	for _, e := range all {
		if e.Ready && e.Name == v.Model.Name && e.Version != v.Version {
			versions = append(versions, e.Version)
		}
	}
	return versions
}

// properties say what the protocol has no place for. All are text.
func (v *served) properties(most int) map[string]string {
	names := func(columns []int) string { return strings.Join(v.schema.names(columns), ",") }
	required, all := v.schema.required, v.schema.order()
	p := map[string]string{
		"model_digest":    v.Digest,
		"dataset_digest":  v.Model.Dataset,
		"threshold":       number(v.Model.Threshold),
		"horizon_minutes": strconv.Itoa(v.Model.Task.HorizonMinutes),
		"target_rule":     v.Metadata.TargetRule,
		"required":        names(required),
		"features":        names(all),
		"max_rows":        strconv.Itoa(most),
		"doc": fmt.Sprintf("Inputs: either one tensor for each column, named like it, of shape [n] or [n, 1], where only the columns in required must be there; "+
			"or one tensor of any other name and of shape [n, %d] with the columns in required, in their order, or [n, %d] with those in features; [%d] and [%d] are one row. "+
			"Elements are converted; null in FP64 or FP32 is missing, which columns that are not required may be. "+
			"Outputs, of shape [n]: %s is 1 where a shortage is forecast, else 0; %s is the probability of a shortage, which is forecast from threshold on.",
			len(required), len(all), len(required), len(all), outputClass, outputProbability),
	}
	for _, spec := range v.Model.Transforms {
		p["transform."+spec.Name] = spec.Digest
	}
	for _, column := range all {
		v.schema.describe(column, p)
	}
	return p
}

// describe says what is known of a column.
func (sc *schema) describe(column int, p map[string]string) {
	name := sc.columns[column]
	about := "input." + name
	p[about+".required"] = strconv.FormatBool(sc.isRequired(column))
	if least, greatest := sc.least[column], sc.greatest[column]; !math.IsInf(least, 0) && !math.IsInf(greatest, 0) {
		p[about+".min"], p[about+".max"] = number(least), number(greatest)
	}
	catalogue := features.Catalogue()
	if i := slices.IndexFunc(catalogue, func(f features.Feature) bool { return f.Name == name }); i >= 0 {
		p[about+".unit"], p[about+".doc"] = catalogue[i].Unit, catalogue[i].Doc
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
