package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// wrkScript posts a body, and says at the end in JSON what came of it: times
// are microseconds, and failed counts statuses from 400 on, requests without
// an answer and those that took too long.
const wrkScript = `
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = %q

function done(summary, latency)
	local e = summary.errors
	io.stderr:write(string.format('{"requests": %%d, "microseconds": %%d, "failed": %%d, "p50": %%d, "p99": %%d}\n',
		summary.requests, summary.duration, e.status + e.connect + e.read + e.write + e.timeout,
		latency:percentile(50), latency:percentile(99)))
end
`

// load is what a run of wrk saw.
type load struct {
	Requests     int64 `json:"requests"` // answered
	Microseconds int64 `json:"microseconds"`
	Failed       int64 `json:"failed"`
	P50          int64 `json:"p50"` // microseconds
	P99          int64 `json:"p99"`
}

func (l load) perSecond() float64 { return float64(l.Requests) / float64(l.Microseconds) * 1e6 }

// needWrk skips a benchmark where wrk is not installed.
func needWrk(b *testing.B) {
	b.Helper()
	if _, err := exec.LookPath("wrk"); err != nil {
		b.Skip("the load comes from wrk, which is not installed: apt-get install wrk, or brew install wrk")
	}
}

// wrk posts a body again and again for some seconds, each connection as soon
// as it has its answer.
func wrk(b *testing.B, url, body string, connections int, lasting time.Duration) load {
	b.Helper()
	script := filepath.Join(b.TempDir(), "post.lua")
	if err := os.WriteFile(script, fmt.Appendf(nil, wrkScript, body), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("wrk", "--threads", "1", "--connections", strconv.Itoa(connections),
		"--duration", fmt.Sprintf("%.0fs", lasting.Seconds()), "--latency", "--script", script, url)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		b.Fatalf("wrk: %v\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	var l load
	if err := json.Unmarshal(stderr.Bytes(), &l); err != nil {
		b.Fatalf("wrk said %q: %v", stderr.Bytes(), err)
	}
	if l.Failed > 0 || l.Requests == 0 {
		b.Errorf("%s with %d connections: %d requests answered, %d failed\n%s", url, connections, l.Requests, l.Failed, stdout.Bytes())
	}
	return l
}
