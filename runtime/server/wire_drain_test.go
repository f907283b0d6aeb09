package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// TestDrainUnderLoad ends a server under load from clients that keep their
// connections: every request that was sent before a connection closed is
// answered, and every prediction that was answered is logged.
func TestDrainUnderLoad(t *testing.T) {
	alone(t)
	s := setup(t)
	address, stop, ended := start(t, s)
	var answered atomic.Int64
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				_, _ = io.WriteString(c, "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
				if _, err := r.Peek(1); err != nil {
					return // closed between two requests, as an idle connection may be at any time
				}
				resp, err := http.ReadResponse(r, nil)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
				}
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("an answer that was begun is not good: %v %v", resp, err)
					return
				}
				answered.Add(1)
				if resp.Close {
					return
				}
			}
		})
	}
	eventually(t, "load", func() bool { return answered.Load() > 500 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	clients.Wait()
	logged := int64(len(s.log.logged()))
	if logged < answered.Load() || logged > answered.Load()+16 { // the last of each connection may have been lost on its way
		t.Errorf("%d predictions answered, %d logged", answered.Load(), logged)
	}
}

// TestDrainDelay has a server that is told to end go on for a while, and say
// that it is not ready any more.
func TestDrainDelay(t *testing.T) {
	alone(t)
	s := setup(t, func(c *Config, _ *Deps) { c.DrainDelay = time.Second })
	address, stop, ended := start(t, s)
	w := &wire{s, address}
	w.alive(t)
	if s.draining.Load() {
		t.Error("it drains before it was told to")
	}
	told := time.Now()
	stop()
	eventually(t, "the server to know", s.draining.Load)
	w.alive(t)
	select {
	case err := <-ended:
		t.Fatalf("ended within the delay: %v", err)
	default:
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(told); took < time.Second {
		t.Errorf("it went on for %v", took)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("it takes connections after its end")
	}
}

// TestDrainWaitsForNobodySilent has clients that will never send their request
// whole: the server does not wait for these.
func TestDrainWaitsForNobodySilent(t *testing.T) {
	alone(t)
	s := setup(t, func(c *Config, _ *Deps) { c.ReadHeaderTimeout, c.DrainTimeout = patience, patience })
	address, stop, ended := start(t, s)
	w := &wire{s, address}
	for _, sends := range []string{"", "GET /health HTTP/1.1\r\nHost: ", "GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET"} {
		if _, err := io.WriteString(w.dial(t), sends); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the connections", func() bool { return s.conns.open.Load().count() == 3 })
	told := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(told); took > 4*time.Second {
		t.Errorf("it waited %v", took)
	}
}

// moody panics, fails or waits, as a request's network says.
type moody struct{ row dataset.Row }

func (m moody) Newest(_ context.Context, _ features.Task, network string) (dataset.Row, error) {
	switch network {
	case "panic":
		panic("SELECT secret FROM /var/lib/livelab/store.go:17")
	case "fail":
		return dataset.Row{}, &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrUnexpectedEOF}
	case "abort":
		panic(http.ErrAbortHandler)
	}
	return m.row, nil
}

// TestAnswersTellNothing provokes every kind of answer and looks for what is
// the server's own: stacks, queries, files, causes.
func TestAnswersTellNothing(t *testing.T) {
	alone(t)
	w := serve(t, withAdminToken, withExplainToken, withRows(moody{newestRow(t)}))
	post := func(path, body string, headers ...string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + strings.Join(headers, "\r\n") +
			strings.Repeat("\r\n", min(1, len(headers))) + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" }
	tests := map[string]string{
		post("/predict", `{"network":"panic"}`):                                     "500",
		post("/predict", `{"network":"fail"}`):                                      "503",
		post("/predict", `{"network":"abort"}`):                                     "",
		post("/predict", `{"features":{"DROP TABLE":1}}`):                           "400",
		post("/predict", `{`):                                                       "400",
		post("/predict", `{}`, "Content-Type: text/xml"):                            "415",
		post("/predict", strings.Repeat(" ", mebibyte+1)):                           "413",
		post("/explain", `{}`):                                                      "401",
		post("/explain", `{}`, explainTokenHeader+": wrong"):                        "401",
		post("/explain", `{"network":"panic"}`, explainTokenHeader+": tell me why"): "500",
		post("/reload_model", ``):                                                   "401",
		post("/reload_model", ``, "Authorization: Bearer open sesamE"):              "401",
		post("/reload_model", ``, "Authorization: Basic b3BlbiBzZXNhbWU="):          "401",
		post("/reload_model", ``, "Origin: https://elsewhere.example"):              "403",
		get("/predict"):                      "405",
		get("/debug/pprof/"):                 "404",
		get("/debug/pprof/cmdline"):          "404",
		get("/debug/vars"):                   "404",
		get("/assets/nothing"):               "404",
		get("/api/predictions?limit=x"):      "400",
		get("/.git/config"):                  "404",
		"GET / HTTP/1.1\r\n\r\n":             "400",
		"GET /" + strings.Repeat("a", 1<<17): "431",
		"GET / HTTP/7.7\r\nHost: x\r\n\r\n":  "505",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n": "501",
	}
	for request, want := range tests {
		answer := w.say(t, request)
		if got := statuses(t, answer); got != want {
			t.Errorf("%.200q: %q, want %q", request, got, want)
		}
		_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
		for _, secret := range []string{"goroutine", "panic:", "runtime.", ".go:", "SELECT", "/var/", "/usr/", "/work", "store.go", "unexpected EOF", "dial tcp", "sesame", "tell me", "livelab/", "gin-gonic"} {
			if strings.Contains(body, secret) {
				t.Errorf("%.200q is answered with %q in it: %s", request, secret, body)
			}
		}
	}
	w.alive(t)
	if log := w.logged.String(); !strings.Contains(log, "SELECT secret") || strings.Contains(log, "sesam") {
		t.Errorf("the log lacks the cause, or has a token: %s", log)
	}
}
