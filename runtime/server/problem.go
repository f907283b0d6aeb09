package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// Problem is an error as the client sees it (RFC 9457). It is an error too, so
// that a handler can return it.
type Problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail"`
	Instance string       `json:"instance"`
	Errors   []FieldError `json:"errors,omitempty"`

	// Missing names the data that an answer would need.
	Missing []string `json:"missing,omitempty"`

	// ModelLoaded and Version say what serves on after a failed reload.
	ModelLoaded *bool  `json:"model_loaded,omitempty"`
	Version     string `json:"version,omitempty"`

	RequestID string `json:"request_id"`

	// Message is there for clients of the Open Inference Protocol alone.
	Message string `json:"error,omitempty"`

	cause error // for the log alone
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field  string `json:"field"` // its path, e.g. "features.free_bikes"; "" is the whole body
	Detail string `json:"detail"`
}

// Error is the detail with its cause, which the detail may tell already.
func (p *Problem) Error() string {
	if p.cause == nil || strings.Contains(p.Detail, p.cause.Error()) {
		return p.Detail
	}
	return fmt.Sprintf("%s: %v", p.Detail, p.cause)
}

func (p *Problem) Unwrap() error { return p.cause }

// kind is a problem's type with the title and status that go with it.
type kind struct {
	name   string
	title  string
	status int
}

var (
	badRequest     = kind{"bad-request", "The request cannot be understood", http.StatusBadRequest}
	invalidInput   = kind{"invalid-input", "The input is not valid", http.StatusBadRequest}
	unauthorized   = kind{"unauthorized", "A token is needed", http.StatusUnauthorized}
	crossOrigin    = kind{"cross-origin", "Refused from another site", http.StatusForbidden}
	notFound       = kind{"not-found", "There is nothing here", http.StatusNotFound}
	unknownNetwork = kind{"unknown-network", "The network is not known", http.StatusNotFound}
	unknownStation = kind{"unknown-station", "The station is not known", http.StatusNotFound}
	wrongMethod    = kind{"method-not-allowed", "The method does not fit", http.StatusMethodNotAllowed}
	rowRefused     = kind{"row-refused", "A transform of the model refuses the row", http.StatusUnprocessableEntity}
	tooLarge       = kind{"body-too-large", "The body is too large", http.StatusRequestEntityTooLarge}
	wrongMedia     = kind{"unsupported-media-type", "The body is not JSON", http.StatusUnsupportedMediaType}
	internal       = kind{"internal", "The server made a mistake", http.StatusInternalServerError}
	noModel        = kind{"no-model", "No model is loaded", http.StatusServiceUnavailable}
	noStationModel = kind{"no-station-model", "No model answers for stations", http.StatusServiceUnavailable}
	noData         = kind{"no-data", "There is no current data", http.StatusServiceUnavailable}
	storeAway      = kind{"store-unavailable", "The stored data cannot be read", http.StatusServiceUnavailable}
	reloadFailed   = kind{"reload-failed", "The model was not reloaded", http.StatusServiceUnavailable}
	repositoryAway = kind{"repository-unavailable", "The versions cannot be listed", http.StatusServiceUnavailable}
	overloaded     = kind{"overloaded", "Too much is under way", http.StatusServiceUnavailable}
	ending         = kind{"ending", "The server is ending", http.StatusServiceUnavailable}
)

func (k kind) problem(format string, args ...any) *Problem {
	return &Problem{
		Type:   "urn:livelab:problem:" + k.name,
		Title:  k.title,
		Status: k.status,
		Detail: fmt.Sprintf(format, args...),
	}
}

func (p *Problem) because(err error) *Problem {
	p.cause = err
	return p
}

func invalid(errs []FieldError) *Problem {
	p := invalidInput.problem("%d things are wrong; errors names each", len(errs))
	if len(errs) == 1 {
		p.Detail = strings.TrimSpace(errs[0].Field + " " + errs[0].Detail)
	}
	p.Errors = errs
	return p
}

// problemOf is the one place where errors become answers.
func problemOf(err error) *Problem {
	var (
		p       *Problem
		missing *dataset.MissingError
		network *dataset.NetworkError
		refused *features.RowError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &missing):
		p = noData.problem("%v", missing)
		p.Missing = missing.Missing
		return p
	case errors.As(err, &network):
		return networkProblem(network)
	case errors.As(err, &refused):
		p = rowRefused.problem("the transform %s refuses the row: %s", refused.Transform, refused.Reason)
		p.Errors = []FieldError{{"transforms." + refused.Transform, refused.Reason}}
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return storeAway.problem("the answer took too long to find; try again").because(err)
	}
	return internal.problem("the reason is in the server's log under the request ID").because(err)
}

func networkProblem(err *dataset.NetworkError) *Problem {
	switch {
	case len(err.Known) == 0:
		p := noData.problem("%v", err)
		p.Missing = []string{"any network"}
		return p
	case err.Network == "":
		p := badRequest.problem("%v", err)
		p.Errors = []FieldError{{"network", "is needed: one of " + strings.Join(err.Known, ", ")}}
		return p
	}
	p := unknownNetwork.problem("%v", err)
	p.Errors = []FieldError{{"network", "is not one of " + strings.Join(err.Known, ", ")}}
	return p
}

// clip shortens what a client sent before it is echoed or logged.
func clip(s string) string {
	const most = 256
	if len(s) > most {
		return s[:most]
	}
	return s
}

// fail answers with the problem that an error stands for.
func (s *Server) fail(c *gin.Context, err error) {
	found := problemOf(err)
	p := *found // an error value may be shared
	p.Instance = clip(c.Request.URL.EscapedPath())
	p.RequestID = requestID(c)
	if isV2(c.Request.URL.Path) {
		p.Message = v2Message(&p)
	}
	if p.Status >= 500 {
		_ = c.Error(found) // for the access log
	}
	c.Abort()
	body, err := json.Marshal(p)
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Data(p.Status, "application/problem+json", body)
}
