package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/openai/openai-go/v3"

	"livelab/runtime/explain"
)

// outcome is what became of a call to the model.
type outcome string

const (
	ok           outcome = "ok"
	timeout      outcome = "timeout"
	canceled     outcome = "canceled" // the client has gone
	unauthorized outcome = "unauthorized"
	tooMany      outcome = "too_many_requests"
	clientError  outcome = "client_error" // another status of 4xx
	serverError  outcome = "server_error"
	redirected   outcome = "redirected"
	unreachable  outcome = "unreachable"
	badAnswer    outcome = "bad_answer" // nothing that can be shown
	refused      outcome = "refused"    // by the model, or by a filter
)

var outcomes = []outcome{ok, timeout, canceled, unauthorized, tooMany, clientError, serverError, redirected, unreachable, badAnswer, refused}

const (
	errRedirected unusable = "the server sends elsewhere; set the base URL to where it is"
	errTooLarge   unusable = "the answer is too large"
)

// outcomeOf says what an error of the client stands for. response is nil where
// none came.
func outcomeOf(ctx context.Context, response *http.Response, err error) outcome {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return timeout
	case ctx.Err() != nil:
		return canceled
	case errors.Is(err, errRedirected):
		return redirected
	case errors.Is(err, errTooLarge):
		return badAnswer
	case response == nil:
		return unreachable
	}
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return unauthorized
	case status == http.StatusTooManyRequests:
		return tooMany
	case status >= 500:
		return serverError
	case status >= 400:
		return clientError
	}
	return badAnswer
}

// unusable says in our own words why an answer cannot be used.
type unusable string

func (u unusable) Error() string { return string(u) }

// detail is what may be logged of an error: nothing that the server wrote,
// which may repeat the key or the prompt, and no URL. It may be empty.
func detail(err error) string {
	var (
		status  *openai.Error
		ours    unusable
		network *url.Error
	)
	switch {
	case errors.As(err, &ours):
		return ours.Error()
	case errors.As(err, &status):
		return status.Error() // the status in words
	case errors.As(err, &network):
		return explain.Printable(network.Err.Error())
	}
	return ""
}

// mostBytes bounds what is read of a server's answer.
const mostBytes = 256 << 10

// limited ends an answer that is too large with an error. The client reads
// answers to their end.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	if err == nil {
		response.Body = &limitedBody{ReadCloser: response.Body, left: mostBytes}
	}
	return response, err
}

type limitedBody struct {
	io.ReadCloser
	left int
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
