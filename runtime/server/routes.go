package server

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"livelab/runtime/jsonscan"
)

// handler answers a request or returns the error to answer with.
type handler func(c *gin.Context) error

// routes is the whole surface of the server.
func (s *Server) routes() *gin.Engine {
	// The mode is Gin's only global, and atomic. Its other modes print to
	// stdout, which is for results.
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // redirects would go past the middleware
	e.ForwardedByClientIP = false   // what a client says about itself is not logged as a fact
	e.Use(s.identify, s.observe, s.rescue, secure, s.admit)
	if len(s.cfg.CORSOrigins) > 0 {
		e.Use(s.cors)
	}

	s.get(e, "/health", s.health)
	s.get(e, "/model", s.model)
	s.get(e, "/plugins", s.plugins)
	s.get(e, "/metrics", s.scrape())
	s.get(e, "/openapi.json", s.contract)
	e.POST("/predict", s.with(s.predict))
	e.POST("/explain", s.with(s.explainAllowed), s.with(s.explain))
	s.change(e, "/reload_model", s.reload)

	s.get(e, "/", redirect("/dashboard"))
	s.get(e, "/dashboard", s.dashboard)
	s.get(e, "/assets/:name", asset)
	s.get(e, "/api/status", s.status)
	s.get(e, "/api/predictions", s.predictions)
	s.get(e, "/api/stations", s.stations)
	s.get(e, "/api/stations/:station", s.oneStation)
	s.v2(e)

	if len(s.cfg.CORSOrigins) > 0 {
		s.preflights(e)
	}
	e.NoRoute(s.with(func(c *gin.Context) error {
		return notFound.problem("there is no %s; GET /dashboard shows where to go", jsonscan.Printable(c.Request.URL.Path))
	}))
	e.NoMethod(s.with(func(c *gin.Context) error {
		return wrongMethod.problem("%s takes %s, not %s", jsonscan.Printable(c.Request.URL.Path), c.Writer.Header().Get("Allow"), jsonscan.Printable(c.Request.Method))
	}))
	return e
}

// get registers a handler for GET and for HEAD, which health checks like.
func (s *Server) get(e *gin.Engine, path string, h handler) {
	e.GET(path, s.with(h))
	e.HEAD(path, s.with(h))
}

// change registers what changes the models: it needs the admin token, is closed
// to the pages of browsers, and is logged.
func (s *Server) change(e *gin.Engine, path string, h handler) {
	s.guarded[path] = true
	e.POST(path, s.with(s.sameSite), s.with(s.adminAllowed), s.with(h))
}

// with answers with a handler's error where it returns one.
func (s *Server) with(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

func redirect(to string) handler {
	return func(c *gin.Context) error {
		c.Redirect(http.StatusFound, to)
		return nil
	}
}

// scrape shows the metrics. Where there are none to show, its error is a
// problem like any other.
func (s *Server) scrape() handler {
	options := promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, // one broken collector must not hide the others
		Registry:      s.deps.Registerer,
	}
	return func(c *gin.Context) error {
		families, err := s.deps.Gatherer.Gather()
		if err != nil && len(families) == 0 {
			return fmt.Errorf("gather metrics: %w", err)
		}
		gathered := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, err })
		promhttp.HandlerFor(gathered, options).ServeHTTP(c.Writer, c.Request)
		return nil
	}
}
