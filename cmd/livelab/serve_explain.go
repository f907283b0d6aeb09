package main

import (
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"livelab/runtime/explain"
	"livelab/runtime/explain/llm"
	"livelab/runtime/server"
)

// explainFlags say who may ask for explanations, and who puts them into words.
type explainFlags struct {
	token      string
	apiKey     string
	apiKeyFile string
	model      string
	baseURL    string
	timeout    time.Duration
	maxTokens  int
	rate       int
	atOnce     int
}

func (f *explainFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.token, "explain-token", "", "bearer `token` that /explain asks for (also EXPLAIN_TOKEN)")
	fl.StringVar(&f.apiKey, "openai-api-key", "", "`key` of a language model that words explanations; none has a template do it (better given as OPENAI_API_KEY)")
	fl.StringVar(&f.apiKeyFile, "openai-api-key-file", "", "`file` that holds the key (also OPENAI_API_KEY_FILE)")
	fl.StringVar(&f.model, "openai-model", "gpt-4o-mini", "`name` of the language model (also OPENAI_MODEL)")
	fl.StringVar(&f.baseURL, "openai-base-url", "https://api.openai.com/v1", "`URL` of a server that speaks OpenAI's chat completions (also OPENAI_BASE_URL)")
	fl.DurationVar(&f.timeout, "openai-timeout", 8*time.Second, "how long an explanation waits for the language model; then the template answers")
	fl.IntVar(&f.maxTokens, "openai-max-tokens", 300, "most tokens of an explanation; a model that thinks first needs more")
	fl.IntVar(&f.rate, "explain-rate", 10, "most explanations a minute that the language model is asked for; the template answers beyond")
	fl.IntVar(&f.atOnce, "explain-concurrency", 4, "most explanations at once that wait for the language model")
}

// check takes what no key would make right. A timeout that is only too long for
// the requests is no error where nothing waits: the default is, for some.
func (f *explainFlags) check(requestTimeout time.Duration) error {
	keyed := f.apiKey != "" || f.apiKeyFile != ""
	switch {
	case f.apiKey != "" && f.apiKeyFile != "":
		return usageError("--openai-api-key and --openai-api-key-file are both set; give one")
	case f.timeout <= 0 || keyed && f.timeout >= requestTimeout:
		return usageError("--openai-timeout is %s, must be more than 0s and under --request-timeout, which is %s", f.timeout, requestTimeout)
	case f.maxTokens < 1:
		return usageError("--openai-max-tokens is %d, must be at least 1", f.maxTokens)
	case f.rate < 1:
		return usageError("--explain-rate is %d, must be at least 1; to ask no language model, give no key", f.rate)
	case f.atOnce < 1:
		return usageError("--explain-concurrency is %d, must be at least 1", f.atOnce)
	}
	return nil
}

// newExplainer gives the language model with the template behind it, or the
// template alone where there is no key.
func (a *app) newExplainer(f serveFlags, registry prometheus.Registerer) (server.Explainer, error) {
	e := f.explain
	if err := e.check(f.requestTimeout); err != nil {
		return nil, err
	}
	if e.apiKey == "" && e.apiKeyFile == "" {
		return explain.Template{}, nil
	}
	if e.apiKeyFile != "" {
		var err error
		if e.apiKey, err = readToken(e.apiKeyFile); err != nil {
			return nil, err
		}
	}
	w, err := llm.New(llm.Config{
		APIKey: e.apiKey, Model: e.model, BaseURL: e.baseURL, Timeout: e.timeout, MaxTokens: e.maxTokens,
		PerMinute: e.rate, Concurrent: e.atOnce, Logger: a.log, Registerer: registry,
	})
	if err != nil {
		return nil, usageError("%w; see --openai-api-key and --openai-base-url", err)
	}
	a.warnOfModel(f)
	return w, nil
}

// warnOfModel says what the language model may cost or give away. The URL has
// been checked.
func (a *app) warnOfModel(f serveFlags) {
	u, err := url.Parse(f.explain.baseURL)
	if err != nil {
		return
	}
	a.log.Info("a language model words explanations; the facts of each are sent to its server", "model", f.explain.model, "server", u.Host, "calls_a_minute", f.explain.rate)
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		a.log.Warn("the language model's key is sent in plain text: set OPENAI_BASE_URL to https://", "server", u.Host)
	}
	if host, _, err := net.SplitHostPort(f.listen); err == nil && !loopback(host) && f.explain.token == "" {
		a.log.Warn("everybody who reaches this address may have the language model called on your account: set EXPLAIN_TOKEN", "address", f.listen)
	}
}

// loopback reports whether a host is this machine by its name alone.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
