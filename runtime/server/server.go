// Package server answers over HTTP: predictions with their explanations, the
// model in service, health and metrics, and the dashboard. It maps every error
// to one problem document and knows nothing of training.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	batch "livelab/runtime/forecast"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
	"livelab/runtime/shadow"
)

// Config says how a Server behaves. Zero fields take their default.
type Config struct {
	// Version is the program's own version, as /health shows it.
	Version string

	// AdminToken is the bearer token that loading, unloading and reloading
	// models needs. Empty lets everybody in.
	AdminToken string

	// ExplainToken is the bearer token that /explain needs. Empty lets everybody
	// in.
	ExplainToken string

	// MaxBody and MaxHeader bound a request, in bytes. Default 1 MiB and 64 KiB.
	MaxBody   int64
	MaxHeader int

	// MaxInstances bounds the rows of one request. Default 10,000.
	MaxInstances int

	// MaxBodies bounds all large bodies that are under way, in bytes: a body
	// beyond 16 KiB counts as long as it may become. Default 64 times MaxBody.
	MaxBodies int64

	// MaxConnections bounds the connections. A new one beyond it takes the
	// place of the one that has waited longest without a request. Default 4096.
	MaxConnections int

	// ReadHeaderTimeout (default 5 s), ReadTimeout (15 s) and WriteTimeout
	// (30 s) bound one request, IdleTimeout (120 s) the time between two.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	// StoreTimeout bounds how long a request waits for stored data. Default
	// 10 s.
	StoreTimeout time.Duration

	// DrainDelay is how long Run goes on answering, not ready any more, after
	// it was told to end: whoever spreads requests over servers has that long
	// to see it. Default 0.
	DrainDelay time.Duration

	// DrainTimeout bounds how long requests may go on after that. Default
	// 10 s.
	DrainTimeout time.Duration

	// TLS encrypts all connections. Nil encrypts none.
	TLS *tls.Config

	// CORSOrigins are the origins whose pages may read answers, each as a
	// browser writes it, such as https://example.org. Default none.
	CORSOrigins []string

	// AccessLog says which requests are logged. Default AccessErrors.
	AccessLog AccessLog
}

const (
	kibibyte = 1 << 10
	mebibyte = 1 << 20
)

func (c *Config) setDefaults() {
	c.Version = cmp.Or(c.Version, "unknown")
	c.MaxBody = cmp.Or(c.MaxBody, mebibyte)
	c.MaxInstances = cmp.Or(c.MaxInstances, 10_000)
	c.MaxHeader = cmp.Or(c.MaxHeader, 64*kibibyte)
	c.MaxBodies = max(c.MaxBody, cmp.Or(c.MaxBodies, 64*c.MaxBody))
	c.MaxConnections = cmp.Or(c.MaxConnections, 4096)
	c.ReadHeaderTimeout = cmp.Or(c.ReadHeaderTimeout, 5*time.Second)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, 15*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 30*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 120*time.Second)
	c.StoreTimeout = cmp.Or(c.StoreTimeout, 10*time.Second)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 10*time.Second)
	c.AccessLog = cmp.Or(c.AccessLog, AccessErrors)
}

// What the program wires in.
var (
	_ Models     = (*loader.Set)(nil)
	_ Repository = (*loader.Set)(nil)
	_ Rows       = (*dataset.Live)(nil)
	_ Stations   = (*batch.Keeper)(nil)
	_ Shadow     = (*shadow.Shadow)(nil)
	_ Log        = (*predlog.Writer)(nil)
	_ Recent     = predlog.Store(nil)
)

// Models is where the model in service comes from.
type Models interface {
	// Current is nil while there is none.
	Current() *loader.Loaded
	// Failure of the last reload is nil where it went well.
	Failure() *loader.Failure
	Reload(ctx context.Context) (now loader.Loaded, changed bool, err error)
}

// Repository gives models beside the one that the classic surface answers
// with. An empty version stands for the one that a model answers with by
// itself.
type Repository interface {
	// Find gives a model in service. The error wraps loader.ErrNotLoaded where
	// there is none.
	Find(name, version string) (*loader.Loaded, error)

	// Index lists every version of every model there is, in service or not,
	// by name, the newest version first.
	Index(ctx context.Context) ([]loader.Entry, error)

	// Load puts a model in service, or has it follow its champion again. The
	// error wraps publish.ErrNotFound where there is none.
	Load(ctx context.Context, name, version string) (loader.Loaded, error)

	// Unload takes a model, or one version of it, out of service. Requests
	// that have it go on with it. The error wraps loader.ErrNotLoaded.
	Unload(ctx context.Context, name, version string) error
}

// Rows gives the newest stored row of a network. An empty network stands for
// the only one.
type Rows interface {
	Newest(ctx context.Context, task features.Task, network string) (dataset.Row, error)
}

// Log takes every prediction before its answer leaves.
type Log interface {
	// Add gives each prediction its ID and returns once they are safe. It
	// borrows them until then.
	Add(ps []predlog.Prediction)
}

// Shadow has a challenger answer beside the model in service.
type Shadow interface {
	// Offer gives it what was asked and answered, without making the client
	// wait. It copies what it keeps of p. Row has all stored values where the
	// prediction is about stored data, else it is nil; it is not changed.
	Offer(p *predlog.Prediction, row map[string]float64)
}

// Recent lists the newest logged predictions, newest first.
type Recent interface {
	RecentPredictions(ctx context.Context, limit int) ([]predlog.Prediction, error)
}

// Deps are what a server works with.
type Deps struct {
	Models     Models
	Repository Repository // nil has the model of Models alone
	Rows       Rows
	Stations   Stations                     // nil has no forecast of stations
	Log        Log                          // nil logs no predictions
	Shadow     Shadow                       // nil has none
	Recent     Recent                       // nil has none to show
	Explainer  Explainer                    // nil explains by the template
	Plugins    Plugins                      // nil knows none
	Status     func(context.Context) Status // of the source and the store

	Logger     *slog.Logger     // nil logs nothing
	Now        func() time.Time // nil is time.Now
	DataNow    func() time.Time // the time at the source, which for a replay is in the past; nil is Now
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer // what /metrics shows
}

func (d *Deps) check() error {
	if d.Models == nil || d.Rows == nil || d.Status == nil {
		return errors.New("server: models, rows and status are needed")
	}
	if d.Registerer == nil || d.Gatherer == nil {
		return errors.New("server: a metrics registry is needed")
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.DataNow == nil {
		d.DataNow = d.Now
	}
	return nil
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	cfg      Config
	deps     Deps
	log      *slog.Logger
	now      func() time.Time
	prepared servedModels
	ids      requestIDs
	tokens   tokens

	engine  *gin.Engine
	guarded map[string]bool // paths of what changes the models

	metrics   *serverMetrics
	conns     *connectionMetrics
	observed  map[string]*observed // by path
	unmatched *observed

	bodies   atomic.Int64 // bytes of the large bodies under way
	draining atomic.Bool  // told to end: not ready any more
}

// New makes a server and registers its metrics.
func New(cfg Config, deps Deps) (*Server, error) {
	cfg.setDefaults()
	if err := deps.check(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, deps: deps, log: deps.Logger, now: deps.Now, ids: newRequestIDs(), tokens: newTokens(cfg),
		unmatched: &observed{endpoint: unmatched}, guarded: make(map[string]bool),
	}
	var err error
	if s.metrics, err = newServerMetrics(deps); err != nil {
		return nil, fmt.Errorf("server: register metrics: %w", err)
	}
	if s.conns, err = newConnectionMetrics(deps.Registerer); err != nil {
		return nil, fmt.Errorf("server: register metrics: %w", err)
	}
	s.engine = s.routes()
	s.observed = observedRoutes(s.engine)
	return s, nil
}

// Handler gives the routes with all that goes around them.
func (s *Server) Handler() http.Handler { return s.engine }
