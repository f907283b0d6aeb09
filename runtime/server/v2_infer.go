package server

import (
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"livelab/runtime/oip"
)

// inference is memory that one inference uses and the next one uses again.
type inference struct {
	scratch
	request       oip.Request
	classes       []int64
	probabilities []float64
}

var inferences = sync.Pool{New: func() any { return new(inference) }}

// mostKept is how large a request may be to leave its memory to the next, in
// bytes. Batches are what this protocol is for, so it is more than elsewhere.
const mostKept = 256 << 10

func (m *inference) free() {
	if m.body.Cap() <= mostKept && cap(m.question.values)*8 <= mostKept && cap(m.x)*8 <= mostKept {
		inferences.Put(m)
	}
}

// v2Infer answers POST /v2/models/{model}/infer.
func (s *Server) v2Infer(c *gin.Context) error {
	at := s.now().UTC()
	if err := refuseBinary(c.Request.Header); err != nil {
		return err
	}
	m := inferences.Get().(*inference)
	defer m.free()
	if err := s.readBody(c, &m.body); err != nil {
		return err
	}
	v, err := s.named(c)
	if err != nil {
		return err
	}
	if err := s.askTensors(v, m); err != nil {
		return err
	}
	if _, err := s.forecasts(c.Request.Context(), v, &m.scratch); err != nil {
		return err
	}
	id := requestID(c)
	s.recordAll(&m.scratch, at, id)
	m.write(v, id)
	return send(c, m.answer)
}

// askTensors reads the request's tensors into the question.
func (s *Server) askTensors(v *served, m *inference) error {
	limits := oip.Limits{
		Tensors:  len(v.schema.columns) + 1, // one more, to name what is not a column
		Elements: s.cfg.MaxInstances * len(v.schema.columns),
	}
	if errs := oip.Decode(m.body.Bytes(), limits, &m.request); len(errs) > 0 {
		return invalid(fieldErrors(errs))
	}
	t := tensorReader{schema: v.schema, inputs: m.request.Inputs, question: &m.question, most: s.cfg.MaxInstances}
	t.read()
	t.checkOutputs(m.request.Outputs)
	if errs := t.all(); len(errs) > 0 {
		return invalid(errs)
	}
	return nil
}

// write encodes the answer.
func (m *inference) write(v *served, requestID string) {
	r := oip.Response{ModelName: v.Model.Name, ModelVersion: v.Version, ID: requestID, Parameters: m.parameters(v, requestID)}
	if m.request.HasID {
		r.ID = m.request.ID
	}
	outputs := m.request.Outputs
	if len(outputs) == 0 {
		outputs = allOutputs
	}
	for _, name := range outputs {
		r.Outputs = append(r.Outputs, m.output(name))
	}
	m.answer = r.Append(m.answer[:0])
}

var allOutputs = []string{outputClass, outputProbability}

// output gives a tensor by its name, which is known.
func (m *inference) output(name string) oip.Output {
	if name == outputClass {
		m.classes = slices.Grow(m.classes[:0], len(m.forecasts))
		for i := range m.forecasts {
			m.classes = append(m.classes, int64(class(m.forecasts[i].positive)))
		}
		return oip.Output{Name: name, Ints: m.classes}
	}
	m.probabilities = slices.Grow(m.probabilities[:0], len(m.forecasts))
	for i := range m.forecasts {
		m.probabilities = append(m.probabilities, m.forecasts[i].probability)
	}
	return oip.Output{Name: name, Floats: m.probabilities}
}

// parameters say what the classic answer says beside the prediction. The
// protocol has no lists in them, so that names are parted by commas, and only
// a single row's ID in the log has a place.
func (m *inference) parameters(v *served, requestID string) []oip.Parameter {
	ps := []oip.Parameter{
		{Name: "threshold", Value: v.Model.Threshold},
		{Name: "horizon_minutes", Value: v.Model.Task.HorizonMinutes},
		{Name: "model_digest", Value: v.Digest},
		{Name: "imputed", Value: strings.Join(m.imputed(), ",")},
		{Name: "request_id", Value: requestID},
	}
	if len(m.forecasts) == 1 && m.forecasts[0].id != "" {
		ps = append(ps, oip.Parameter{Name: "prediction_id", Value: m.forecasts[0].id})
	}
	return ps
}

// imputed names what was missing in any row and stood in for.
func (m *inference) imputed() []string {
	var all, last []string
	for i := range m.forecasts {
		names := m.forecasts[i].imputed
		if slices.Equal(names, last) { // as it is in nearly every row
			continue
		}
		last = names
		for _, name := range names {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
