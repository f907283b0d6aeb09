package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// explainTokenHeader is the classic way to send the token of /explain.
const explainTokenHeader = "X-Explain-Token"

// tokens are digests of what is asked for; nil asks for nothing.
type tokens struct{ admin, explain *[sha256.Size]byte }

func newTokens(cfg Config) tokens {
	digest := func(token string) *[sha256.Size]byte {
		if token == "" {
			return nil
		}
		d := sha256.Sum256([]byte(token))
		return &d
	}
	return tokens{admin: digest(cfg.AdminToken), explain: digest(cfg.ExplainToken)}
}

func (s *Server) adminAllowed(c *gin.Context) error {
	return s.allowed(c, s.tokens.admin, bearer(c.Request))
}

func (s *Server) explainAllowed(c *gin.Context) error {
	token := bearer(c.Request)
	if token == "" {
		token = c.Request.Header.Get(explainTokenHeader)
	}
	return s.allowed(c, s.tokens.explain, token)
}

// allowed compares the tokens in a time that tells nothing about them.
func (s *Server) allowed(c *gin.Context, want *[sha256.Size]byte, got string) error {
	if want == nil {
		return nil
	}
	digest := sha256.Sum256([]byte(got))
	if subtle.ConstantTimeCompare(want[:], digest[:]) == 1 {
		return nil
	}
	c.Header("WWW-Authenticate", `Bearer realm="livelab"`)
	if got == "" {
		return unauthorized.problem("send the header Authorization: Bearer <token>")
	}
	return unauthorized.problem("the token is not the right one")
}

// bearer is the request's bearer token, empty where there is none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

var crossOriginProtection http.CrossOriginProtection

// sameSite refuses what a page of another site has a visitor's browser send:
// without a token configured, that page could otherwise change things here.
func (s *Server) sameSite(c *gin.Context) error {
	if err := crossOriginProtection.Check(c.Request); err != nil {
		return crossOrigin.problem("this cannot be asked for by a page of another site")
	}
	if s.tokens.admin == nil && namedPage(c.Request) {
		return crossOrigin.problem("without a token, this cannot be asked for by a page that was opened by a name: open it by its address, or set LIVELAB_ADMIN_TOKEN")
	}
	return nil
}

// namedPage reports whether a page sends this that was opened by a name, without
// TLS. Whoever owns a name can have it lead here once its page is loaded, and the
// browser then takes this server for the page's own. Browsers send an origin
// with each POST; other programs send none, and may use any name.
func namedPage(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || u.Scheme != "http" {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err != nil && u.Hostname() != "localhost"
}
