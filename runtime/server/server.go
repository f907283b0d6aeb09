// Package server answers over HTTP: predictions with their explanations, the
// model in service, health and metrics, and the dashboard. It maps every error
// to one problem document and knows nothing of training.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

// Config says how a Server behaves. Zero fields take their default.
type Config struct {
	// Version is the program's own version, as /health shows it.
	Version string

	// AdminToken is the bearer token that /reload_model needs. Empty lets
	// everybody in.
	AdminToken string

	// ExplainToken is the token that /explain needs. Empty lets everybody in.
	ExplainToken string

	// MaxBody and MaxHeader bound a request, in bytes. Default 1 MiB each.
	MaxBody   int64
	MaxHeader int

	// ReadHeaderTimeout (default 5 s), ReadTimeout (15 s) and WriteTimeout
	// (30 s) bound one request, IdleTimeout (120 s) the time between two.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	// StoreTimeout bounds how long a request waits for stored data. Default
	// 10 s.
	StoreTimeout time.Duration

	// DrainTimeout bounds how long requests may go on after Run was told to
	// end. Default 10 s.
	DrainTimeout time.Duration
}

const mebibyte = 1 << 20

func (c *Config) setDefaults() {
	c.Version = cmp.Or(c.Version, "unknown")
	c.MaxBody = cmp.Or(c.MaxBody, mebibyte)
	c.MaxHeader = cmp.Or(c.MaxHeader, mebibyte)
	c.ReadHeaderTimeout = cmp.Or(c.ReadHeaderTimeout, 5*time.Second)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, 15*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 30*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 120*time.Second)
	c.StoreTimeout = cmp.Or(c.StoreTimeout, 10*time.Second)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 10*time.Second)
}

// What the program wires in.
var (
	_ Models = (*loader.Loader)(nil)
	_ Rows   = (*dataset.Live)(nil)
	_ Log    = (*predlog.Writer)(nil)
	_ Recent = predlog.Store(nil)
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
	Log        Log                          // nil logs no predictions
	Shadow     Shadow                       // nil has none
	Recent     Recent                       // nil has none to show
	Status     func(context.Context) Status // of the source and the store

	Plugins Plugins // nil knows none

	Logger     *slog.Logger     // nil logs nothing
	Now        func() time.Time // nil is time.Now
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
	return nil
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	cfg      Config
	deps     Deps
	log      *slog.Logger
	now      func() time.Time
	metrics  *serverMetrics
	prepared servedModels
	ids      requestIDs
	engine   *gin.Engine
}

// New makes a server and registers its metrics.
func New(cfg Config, deps Deps) (*Server, error) {
	cfg.setDefaults()
	if err := deps.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, deps: deps, log: deps.Logger, now: deps.Now, ids: newRequestIDs()}
	var err error
	if s.metrics, err = newServerMetrics(deps, cfg.StoreTimeout); err != nil {
		return nil, fmt.Errorf("server: register metrics: %w", err)
	}
	s.engine = s.routes()
	return s, nil
}

// Handler gives the routes with all that goes around them.
func (s *Server) Handler() http.Handler { return s.engine }

// Run answers on l until ctx ends. Then it takes no new connections, lets
// the requests under way finish within the drain timeout and closes. It returns
// nil when all of them did.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s.engine,
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTimeout)
	defer cancel()
	if err := h.Shutdown(drain); err != nil {
		_ = h.Close() // its error is of the listener, which Shutdown has closed
		return fmt.Errorf("requests were still under way after %v and were cut off: %w", s.cfg.DrainTimeout, err)
	}
	return nil
}
