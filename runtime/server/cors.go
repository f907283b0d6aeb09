package server

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

// cors lets the pages of the configured origins read answers. It never lets
// them send a visitor's credentials, and what changes the models stays closed
// to all pages: whoever looks after those has a command line.
func (s *Server) cors(c *gin.Context) {
	h := c.Writer.Header()
	h.Add("Vary", "Origin") // also where there is none: caches must know
	origin := c.Request.Header.Get("Origin")
	if origin == "" || s.guarded[c.FullPath()] || !slices.Contains(s.cfg.CORSOrigins, origin) {
		return
	}
	if c.Request.Method == http.MethodOptions && c.FullPath() == "" {
		return // asks about a route that has no preflight
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", requestIDHeader)
}

// preflights answers what a browser asks before it lets a page send JSON. It
// comes after all other routes.
func (s *Server) preflights(e *gin.Engine) {
	methods := make(map[string]string)
	for _, r := range e.Routes() {
		if s.guarded[r.Path] {
			continue
		}
		if methods[r.Path] != "" {
			methods[r.Path] += ", "
		}
		methods[r.Path] += r.Method
	}
	for path, allowed := range methods {
		e.OPTIONS(path, func(c *gin.Context) {
			h := c.Writer.Header()
			h.Set("Allow", allowed+", OPTIONS")
			h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
			if h.Get("Access-Control-Allow-Origin") != "" {
				h.Set("Access-Control-Allow-Methods", allowed)
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, "+requestIDHeader+", "+explainTokenHeader)
				h.Set("Access-Control-Max-Age", "600") // seconds
			}
			c.Status(http.StatusNoContent)
		})
	}
}
