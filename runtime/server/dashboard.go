package server

import (
	"bytes"
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/runtime/jsonscan"
	"livelab/runtime/loader"
	"livelab/web"
)

// shownPredictions is how many of the last predictions the page lists.
const shownPredictions = 15

// dashboard answers GET /dashboard. What cannot be had is shown as absent: the
// page is where people look when something is wrong.
func (s *Server) dashboard(c *gin.Context) error {
	page := s.page(c.Request.Context(), c.Query("network"))
	var body bytes.Buffer
	if err := web.Render(&body, page); err != nil {
		return err
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", body.Bytes())
	return nil
}

func (s *Server) page(ctx context.Context, network string) web.Page {
	st := s.currentStatus(ctx)
	p := web.Page{
		Now:        s.now().UTC(),
		Program:    s.cfg.Version,
		Source:     st.Source,
		StoreDown:  st.Store != nil,
		LastIngest: st.LastIngest,
	}
	if network == "" {
		network = s.homeNetwork(st)
	}
	for _, n := range st.Networks {
		p.Networks = append(p.Networks, web.Network{
			ID: n.ID, Name: n.Name, NewestBikes: n.NewestBikes, NewestWeather: n.NewestWeather,
			Current: n.ID == network,
		})
	}
	s.addForecast(ctx, &p, network)
	p.Stations = s.stationsInShort(network)
	s.addPredictions(ctx, &p)
	if current := s.deps.Models.Current(); current != nil {
		p.Model = webModel(current)
	}
	return p
}

// homeNetwork is the network that the model was trained on where the store
// has it, else the first.
func (s *Server) homeNetwork(st Status) string {
	current := s.deps.Models.Current()
	for _, n := range st.Networks {
		if current != nil && n.ID == current.Metadata.Network {
			return n.ID
		}
	}
	if len(st.Networks) > 0 {
		return st.Networks[0].ID
	}
	return ""
}

// addForecast answers for the newest data. The answer is nobody's request: it
// is neither logged nor counted.
func (s *Server) addForecast(ctx context.Context, p *web.Page, network string) {
	m := scratches.Get().(*scratch)
	defer m.free()
	v, err := s.served()
	if err != nil {
		p.NoForecast = "There is no forecast without a model."
		return
	}
	if v.Model.Task.Entity == features.EntityStation {
		p.NoForecast = "The model in service is about stations."
		return
	}
	m.question.reset(len(v.schema.columns))
	m.question.network = network
	f, err := s.forecast(ctx, v, &m.question)
	if err != nil {
		p.NoForecast = problemOf(err).Detail
		return
	}
	p.Forecast = &web.Forecast{
		Network:     f.network,
		Short:       f.positive,
		Probability: f.probability,
		Threshold:   v.Model.Threshold,
		Horizon:     v.Model.Task.Horizon(),
		AsOf:        f.asOf,
		WeatherAt:   f.weatherAt,
		Imputed:     f.imputed,
	}
}

// shownStations is how many of the stations most at risk the page lists.
const shownStations = 10

// stationsInShort is nil where there is no forecast.
func (s *Server) stationsInShort(network string) *web.Stations {
	if s.deps.Stations == nil {
		return nil
	}
	f, _, err := s.deps.Stations.Current(network)
	if err != nil {
		return nil
	}
	short := &web.Stations{AsOf: f.AsOf, Stale: f.Stale(s.deps.DataNow()), Total: len(f.Stations), Answered: f.Answered}
	if f.By != nil {
		short.Version, short.Horizon = f.By.Version, f.By.Model.Task.Horizon()
	}
	for rank, i := range f.ByRisk {
		st := &f.Stations[i]
		if st.Short {
			short.Short++
		}
		if rank < shownStations {
			short.Riskiest = append(short.Riskiest, web.Station{
				ID: st.ID, Name: st.Name, FreeBikes: int(st.FreeBikes), Probability: st.Probability, Short: st.Short,
			})
		}
	}
	return short
}

func (s *Server) addPredictions(ctx context.Context, p *web.Page) {
	ps, err := s.recent(ctx, shownPredictions)
	if err != nil {
		p.StoreDown = true
		return
	}
	for _, r := range ps {
		p.Predictions = append(p.Predictions, web.Prediction{
			At: r.At, Network: r.Network, Short: r.Positive,
			Probability: r.Probability, Threshold: r.Threshold, Version: r.Version,
		})
	}
}

func webModel(l *loader.Loaded) *web.Model {
	r := l.Report
	return &web.Model{
		Name:       l.Model.Name,
		Version:    l.Version,
		Digest:     l.Digest,
		TargetRule: l.Metadata.TargetRule,
		TrainedAt:  l.Metadata.TrainedAt,
		TrainedOn:  l.Metadata.Data(),
		LoadedAt:   l.LoadedAt,
		Verdict:    l.Verdict.Result,
		Conclusion: l.Verdict.Conclusion,
		TestFrom:   r.Test.From,
		TestTo:     r.Test.To,
		Scores: []web.Scores{
			scores("F1", false, r.Scores, r.Baselines, func(s metrics.Scores) metrics.Score { return s.F1 }),
			scores("PR-AUC", false, r.Scores, r.Baselines, func(s metrics.Scores) metrics.Score { return s.PRAUC }),
			scores("ROC-AUC", false, r.Scores, r.Baselines, func(s metrics.Scores) metrics.Score { return s.ROCAUC }),
			scores("Brier score", true, r.Scores, r.Baselines, func(s metrics.Scores) metrics.Score { return s.Brier }),
			scores("Calibration error", true, r.Scores, r.Baselines, func(s metrics.Scores) metrics.Score { return s.ECE }),
			scores("PR-AUC of onsets", false, r.Onset, r.OnsetBaselines, func(s metrics.Scores) metrics.Score { return s.PRAUC }),
		},
	}
}

func scores(measure string, lower bool, ours metrics.Scores, rivals metrics.Forecasters, of func(metrics.Scores) metrics.Score) web.Scores {
	return web.Scores{
		Measure:       measure,
		LowerIsBetter: lower,
		Model:         float64(of(ours)),
		Persistence:   float64(of(rivals.Persistence)),
		Climatology:   float64(of(rivals.Climatology)),
	}
}

// asset answers GET /assets/:name. The page asks for a version of it, which
// never changes.
func asset(c *gin.Context) error {
	body, contentType, ok := web.Asset(c.Param("name"))
	if !ok {
		return notFound.problem("there is no asset %s", jsonscan.Printable(c.Param("name")))
	}
	if c.Query("v") != "" {
		c.Header("Cache-Control", "public, max-age=31536000, immutable")
	}
	c.Data(http.StatusOK, contentType, body)
	return nil
}
