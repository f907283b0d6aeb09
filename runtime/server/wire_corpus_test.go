package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestMalformedRequests sends what no client should, byte by byte as it is
// written here, and holds what comes back: the status of each answer, nothing
// where the connection is closed without one. No answer is a 5xx but 501 and
// 505, the standard's words for what a server does not know.
func TestMalformedRequests(t *testing.T) {
	alone(t)
	w := serve(t, func(c *Config, _ *Deps) { c.ReadHeaderTimeout, c.ReadTimeout = 2*patience, 2*patience }) // no help from these
	const (
		ask  = "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		look = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		more = "GET /health HTTP/1.1\r\nHost: x\r\n" // and the connection goes on
	)
	tests := []struct{ name, request, want string }{
		// The request line.
		{"nothing", "", ""},
		{"an empty line", "\r\n", "400"},
		{"empty lines before a request", "\r\n\r\n" + look + "\r\n", "400"},
		{"no HTTP", "hello\r\n\r\n", "400"},
		{"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 40) + "\r\n\r\n", "400"},
		{"an SSH client", "SSH-2.0-OpenSSH_9.6\r\n", "400"},
		{"NUL bytes", strings.Repeat("\x00", 64) + "\r\n\r\n", "400"},
		{"HTTP/0.9", "GET /health\r\n", "400"},
		{"HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", "200"},
		{"HTTP/1.0 that keeps alive", "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + look + "\r\n", "200 200"},
		{"HTTP/1.1 in small letters", "GET /health http/1.1\r\nHost: x\r\n\r\n", "400"},
		{"HTTP/1.2", "GET /health HTTP/1.2\r\nHost: x\r\n\r\n", "200"},
		{"HTTP/2.0", "GET /health HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
		{"HTTP/3.0", "GET /health HTTP/3.0\r\nHost: x\r\n\r\n", "505"},
		{"HTTP/9999999999.1", "GET /health HTTP/9999999999.1\r\nHost: x\r\n\r\n", "400"},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "404"},
		{"no path", "GET HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"no method", " /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"two spaces", "GET  /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"tabs", "GET\t/health\tHTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"a path with a space", "GET /hea lth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"a path with a NUL", "GET /hea\x00lth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"a path with a line break", "GET /hea\rlth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"a path in Latin-1", "GET /caf\xe9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"a method of no token", "G<script>T /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"a method of 8 KB", strings.Repeat("G", 8192) + " /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"},
		{"a method that nobody knows", "BREW /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"},
		{"lines that end with LF", "GET /health HTTP/1.1\nHost: x\n\n", "200"},
		{"a path of 100 KB", "GET /" + strings.Repeat("a", 100<<10) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "431"},

		// The target.
		{"a whole URL", "GET http://x/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"a whole URL of another host", "GET http://elsewhere.example/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"a URL of another kind", "GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"a URL without a path", "GET http://x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"an asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"GET of an asterisk", "GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"a tunnel", "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n", "404"},
		{"a tunnel to a path", "CONNECT /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405"},
		{"two slashes", "GET //health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"a way up", "GET /assets/../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"a way up, escaped", "GET /assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"a way up, escaped twice", "GET /assets/%252e%252e%252fpasswd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"an escape cut off", "GET /health%2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"an escape of nothing", "GET /health%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"an escaped NUL", "GET /assets/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"an escaped line break", "GET /x%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"an escape of no UTF-8", "GET /%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		{"an escaped letter", "GET /%68ealth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"a query of semicolons", "GET /api/predictions?limit=1;2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"a query of no escape", "GET /api/predictions?limit=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
		{"a user in the URL", "GET http://admin:secret@x/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},

		// Headers.
		{"no host", "GET /health HTTP/1.1\r\n\r\n", "400"},
		{"two hosts", look + "Host: y\r\n\r\n", "400"},
		{"a host of no name", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
		{"a host with markup", "GET /health HTTP/1.1\r\nHost: <script>\r\n\r\n", "400"},
		{"a header without a colon", look + "nonsense\r\n\r\n", "400"},
		{"a header without a name", look + ": x\r\n\r\n", "400"},
		{"a space before the colon", look + "Content-Length : 2\r\n\r\n", "400"},
		{"a folded line", look + "X-A: a\r\n b\r\n\r\n", "200"},
		{"a folded first line", "GET /health HTTP/1.1\r\n Host: x\r\n\r\n", "400"},
		{"a NUL in a header", look + "X-A: a\x00b\r\n\r\n", "400"},
		{"a lone CR in a header", look + "X-A: a\rX-B: b\r\n\r\n", "400"},
		{"a name in UTF-8", look + "X-é: a\r\n\r\n", "400"},
		{"a header of 64 KB", look + "X-A: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", "431"},
		{"10,000 headers", look + strings.Repeat("X-A: aaa\r\n", 10_000) + "\r\n", "431"},
		{"a request ID with markup", look + requestIDHeader + ": <script>alert(1)</script>\r\n\r\n", "200"},
		{"a request ID that is twice there", look + requestIDHeader + ": a\r\n" + requestIDHeader + ": b\r\n\r\n", "200"},
		{"headers without an end", look + "X-A: a\r\n", "400"},
		{"a line without an end", "GET /health HTT", "400"},

		// The length of a body.
		{"a length of no number", ask + "Content-Length: two\r\n\r\n{}", "400"},
		{"a negative length", ask + "Content-Length: -2\r\n\r\n{}", "400"},
		{"a length with a sign", ask + "Content-Length: +2\r\n\r\n{}", "400"},
		{"a length in hexadecimal", ask + "Content-Length: 0x2\r\n\r\n{}", "400"},
		{"a length beyond 64 bits", ask + "Content-Length: 99999999999999999999\r\n\r\n{}", "400"},
		{"a length beyond the limit", ask + "Content-Length: 9223372036854775807\r\n\r\n{}", "413"},
		{"an empty length", ask + "Content-Length:\r\n\r\n{}", "400"},
		{"two equal lengths", ask + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "200"},
		{"two lengths", ask + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400"},
		{"two lengths in one", ask + "Content-Length: 2, 3\r\n\r\n{}", "400"},
		{"a body that stops", ask + "Content-Length: 9\r\n\r\n{\"", "400"},
		{"a body that is longer", "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GARBAGE", "200 400"},

		// Chunks.
		{"both ways to tell the length", ask + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "200"},
		{"chunks that hide a request", "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 47\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /reload_model HTTP/1.1\r\nHost: x\r\n\r\n", "200 405"},
		{"chunks twice", ask + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "501"},
		{"chunks in two headers", ask + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
		{"an unknown coding", ask + "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", "501"},
		{"an unknown coding and chunks", ask + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
		{"chunks behind a control character", ask + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "400"},
		{"chunks by HTTP/1.0", "POST /predict HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "200"},
		{"chunks by HTTP/1.0 that keeps alive", "POST /predict HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + look + "\r\n", "200 400"},
		{"a size of no number", ask + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", "400"},
		{"a negative size", ask + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", "400"},
		{"a size beyond 64 bits", ask + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n", "400"},
		{"a size that is not there", ask + "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n{}", "400"},
		{"a chunk without an end", ask + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n", "400"},
		{"no last chunk", ask + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "400"},
		{"an extension of 64 KB", ask + "Transfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("a", 64<<10) + "\r\n{}\r\n0\r\n\r\n", "400"},
		{"a trailer", ask + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n{}\r\n0\r\nX-A: a\r\n\r\n", "200"},
		{"a trailer of a length", ask + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n", "400"},
		{"20,000 chunks of a byte", ask + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\n \r\n", 20_000) + "0\r\n\r\n", "200"},
		{"chunks beyond the limit", ask + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat(" ", 0x200000) + "\r\n0\r\n\r\n", "413"},

		// What goes with a request.
		{"a thousand requests at once", strings.Repeat(more+"\r\n", 1000), strings.TrimSpace(strings.Repeat("200 ", 1000))},
		{"a good one, a bad one and no third", more + "\r\nbad\r\n\r\n" + more + "\r\n", "200 400"},
		{"a body that is waited for", ask + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", "100 200"},
		{"a body that is not wanted", ask + "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", "413"},
		{"another expectation", ask + "Expect: a miracle\r\nContent-Length: 2\r\n\r\n{}", "417"},
		{"an upgrade to HTTP/2", look + "Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "200"},
		{"an upgrade to WebSocket", look + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "200"},
		{"a range", look + "Range: bytes=0-1\r\n\r\n", "200"},
		{"a thousand ranges", look + "Range: bytes=" + strings.Repeat("0-,", 1000) + "0-\r\n\r\n", "200"},
		{"HEAD with a body", "HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "200"},
		{"GET with a body", look + "Content-Length: 2\r\n\r\n{}", "200"},
		{"GET with a body that is a request", more + "Content-Length: 42\r\n\r\nPOST /reload_model HTTP/1.1\r\nHost: x\r\n\r\n\r\n" + look + "\r\n", "200 200"},
		{"a compressed body", ask + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "415"},
		{"a type with a line break", ask + "Content-Type: application/json\r\n\tx\r\nContent-Length: 2\r\n\r\n{}", "415"},
		{"a body of NUL bytes", ask + "Content-Length: 4\r\n\r\n\x00\x00\x00\x00", "400"},
		{"a body of no UTF-8", ask + "Content-Length: 4\r\n\r\n\xff\xfe\xff\xfe", "400"},
		{"a token of 60 KB", "POST /reload_model HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + strings.Repeat("a", 60<<10) + "\r\n\r\n", "200"},
		{"a token of NULs, escaped", "POST /explain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %00%00\r\n\r\n", "200"},
	}
	answers, errs := make([][]byte, len(tests)), make([]error, len(tests))
	var asking sync.WaitGroup
	for i, tt := range tests {
		asking.Go(func() { answers[i], errs[i] = w.tell(tt.request) })
	}
	asking.Wait()
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := answers[i]
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			if got := statuses(t, answer); got != tt.want {
				t.Errorf("%.300q: statuses %q, want %q: %.500q", tt.request, got, tt.want, answer)
			}
			if len(answer) > 4096 && !strings.Contains(tt.want, "200") {
				t.Errorf("%d bytes of answer to %d", len(answer), len(tt.request))
			}
			if bytes.Contains(answer, []byte("<script>")) || bytes.Contains(answer, []byte("\nSet-Cookie:")) {
				t.Errorf("what was sent comes back: %.500q", answer)
			}
		})
	}
	w.alive(t)
}

// TestWrongMethods asks every route in every way.
func TestWrongMethods(t *testing.T) {
	alone(t)
	w := serve(t)
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PROPFIND"}
	takes := make(map[string][]string)
	for _, r := range w.engine.Routes() {
		path := strings.NewReplacer(":name", "x", ":model", "x", ":version", "x").Replace(r.Path)
		takes[path] = append(takes[path], r.Method)
	}
	for path, taken := range takes {
		for _, method := range methods {
			if slices.Contains(taken, method) {
				continue
			}
			request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", method, path)
			if got := statuses(t, w.say(t, request)); got != "405" {
				t.Errorf("%s %s: statuses %q, want 405", method, path, got)
			}
		}
	}
	w.alive(t)
}
