package server

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// openAPI is the contract of the whole surface, OpenAPI 3.1. It is written by
// hand, and served as it is, so that a change of the contract is a change of
// this file; tests hold it to the routes and to what they answer.
//
//go:embed openapi.json
var openAPI []byte

// openAPITag is the document's ETag.
var openAPITag = func() string {
	sum := sha256.Sum256(openAPI)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}()

// contract answers GET /openapi.json. Whoever has it may keep it, and asks
// whether it is still the same.
func (s *Server) contract(c *gin.Context) error {
	c.Header("Etag", openAPITag)
	c.Header("Cache-Control", "no-cache")
	if names(c.Request.Header.Values("If-None-Match"), openAPITag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	return send(c, openAPI)
}

// names reports whether the values of an If-None-Match header name an ETag
// (RFC 9110, 13.1.2).
func names(values []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
