package llm

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says which model writes explanations, and what it may cost. Zero
// fields take their default.
type Config struct {
	// APIKey is a secret. It is needed.
	APIKey string

	// Model is the model's name. Default gpt-4o-mini.
	Model string

	// BaseURL is of any server that speaks OpenAI's chat completions, up to
	// and with its /v1. Default OpenAI's own.
	BaseURL string

	// Timeout bounds what a client waits for the model, retries included.
	// Default 8 s.
	Timeout time.Duration

	// MaxTokens bounds one answer of the model. Default 300. A model that
	// thinks before it answers needs more.
	MaxTokens int

	// PerMinute is how many explanations a minute the model is asked for, and
	// Concurrent how many at once. Default 10 and 4.
	PerMinute, Concurrent int

	Logger     *slog.Logger // nil logs nothing
	Registerer prometheus.Registerer
	Now        func() time.Time  // nil is time.Now
	Transport  http.RoundTripper // nil is one of its own
}

const openAI = "https://api.openai.com/v1/"

func (c *Config) setDefaults() {
	c.Model = cmp.Or(c.Model, "gpt-4o-mini")
	c.BaseURL = cmp.Or(c.BaseURL, openAI)
	c.Timeout = cmp.Or(c.Timeout, 8*time.Second)
	c.MaxTokens = cmp.Or(c.MaxTokens, 300)
	c.PerMinute = cmp.Or(c.PerMinute, 10)
	c.Concurrent = cmp.Or(c.Concurrent, 4)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// check says what is wrong, without the secret.
func (c *Config) check() error {
	if c.APIKey == "" {
		return errors.New("an API key is needed")
	}
	if strings.ContainsFunc(c.APIKey, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
		return errors.New("the API key has white space or signs that no key has; was it copied whole, and alone?")
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("the base URL must be like https://api.openai.com/v1")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the base URL must have no user, query or fragment")
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"tokens of an answer", c.MaxTokens}, {"calls a minute", c.PerMinute}, {"calls at once", c.Concurrent}} {
		if n.value < 1 {
			return fmt.Errorf("%s are %d, must be at least 1", n.name, n.value)
		}
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("the timeout is %v, must be more than 0", c.Timeout)
	}
	if c.Registerer == nil {
		return errors.New("a metrics registry is needed")
	}
	return nil
}
