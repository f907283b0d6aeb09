package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWarnsBeyondLoopback holds on which addresses a server without a token, or
// with one in plain text, says so.
func TestWarnsBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		address string
		flags   httpFlags
		says    string // empty says nothing
	}{
		{"127.0.0.1:0", httpFlags{}, ""},
		{"127.0.0.2:0", httpFlags{}, ""},
		{"localhost:0", httpFlags{}, ""},
		{"[::1]:0", httpFlags{}, ""},
		{":0", httpFlags{}, "everybody who reaches this address"},
		{"0.0.0.0:0", httpFlags{}, "everybody who reaches this address"},
		{"[::]:0", httpFlags{}, "everybody who reaches this address"},
		{"0.0.0.0:0", httpFlags{adminToken: "x"}, "plain text"},
		{"0.0.0.0:0", httpFlags{tls: &tls.Config{}}, "everybody who reaches this address"},
		{"0.0.0.0:0", httpFlags{adminToken: "x", tls: &tls.Config{}}, ""},
	} {
		l, err := net.Listen("tcp", tt.address)
		if err != nil && strings.Contains(tt.address, "::") {
			t.Logf("no IPv6 here: %v", err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var logged bytes.Buffer
		a := &app{log: slog.New(slog.NewTextHandler(&logged, nil))}
		a.warnOpen(l, &tt.flags)
		l.Close()
		if said := logged.String(); tt.says == "" && said != "" || !strings.Contains(said, tt.says) {
			t.Errorf("on %s with %+v: %q, want %q", tt.address, tt.flags, said, tt.says)
		}
	}
}

// TestServeHTTPS serves with a certificate, a token from a file and profiles on
// an address of their own.
func TestServeHTTPS(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	pool := writeCertificate(t, s.dir)
	if err := os.WriteFile(filepath.Join(s.dir, "token"), []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr buffer
	cmd := s.command("serve", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--admin-token-file", "token", "--pprof", "127.0.0.1:0")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	find := func(b *buffer, what string) (found string) {
		t.Helper()
		eventually(t, what, func() bool {
			if m := regexp.MustCompile(what).FindStringSubmatch(b.String()); m != nil {
				found = m[1]
			}
			return found != ""
		})
		return found
	}
	base := find(&stdout, `health +(https://\S+)/health`)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}, Timeout: patience}
	ask := func(method, url, host string, headers ...string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, url, err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	profiles := strings.TrimSuffix(find(&stderr, `serving profiles.* address=(\S+)`), "/debug/pprof/")
	for _, tt := range []struct {
		name string
		got  int
		want int
	}{
		{"health", ask("GET", base+"/health", ""), 200},
		{"a reload without the token", ask("POST", base+"/reload_model", ""), 401},
		{"a reload with it", ask("POST", base+"/reload_model", "", "Authorization", "Bearer open sesame"), 503}, // nothing is published
		{"profiles on the main port", ask("GET", base+"/debug/pprof/", ""), 404},
		{"profiles", ask("GET", profiles+"/debug/pprof/", ""), 200},
		{"a profile", ask("GET", profiles+"/debug/pprof/heap", ""), 200},
		{"the command line, which may have tokens", ask("GET", profiles+"/debug/pprof/cmdline", ""), 404},
		{"profiles by a name that was made to point here", ask("GET", profiles+"/debug/pprof/", "evil.example"), 403},
		{"the API beside profiles", ask("GET", profiles+"/health", ""), 404},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, tt.got, tt.want)
		}
	}
	if said := stderr.String(); strings.Contains(said, "sesame") {
		t.Errorf("the token is logged: %s", said)
	}
}

// writeCertificate makes cert.pem and key.pem for 127.0.0.1 in a folder.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	return pool
}

// halfAsked sends half of a request for a prediction, and waits until the
// server has it in its hands.
func halfAsked(t *testing.T, p *process, id string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, "POST /predict HTTP/1.1\r\nHost: here\r\nX-Request-Id: "+id+"\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (p *process) takesNoMore(t *testing.T) {
	t.Helper()
	eventually(t, "the server to take no more", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// TestServeDrains ends a server while a prediction is under way: it is
// answered, and in the log afterwards. A second signal waits for nothing.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	s := trained(t)
	s.must(t, "publish")
	p := s.start(t, "serve")
	conn := halfAsked(t, p, "while-draining")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.takesNoMore(t)
	if _, err := io.WriteString(conn, "{}"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 OK")) || !bytes.Contains(answer, []byte("Connection: close")) {
		t.Errorf("the request under way gets %q: %v", answer, err)
	}
	p.wantEnd(t)

	p = s.start(t, "serve", "--drain-timeout", "1h", "--request-timeout", "1h")
	id := regexp.MustCompile(`"prediction_id":"([^"]+)"`).FindSubmatch(answer)
	if id == nil {
		t.Fatalf("the answer has no ID: %s", answer)
	}
	if listed := p.get(t, "/api/predictions"); !strings.Contains(listed.body, string(id[1])) {
		t.Errorf("prediction %s, answered while draining, is not in the log: %s", id[1], listed.body)
	}
	halfAsked(t, p, "cut-off")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.takesNoMore(t)
	if p.hasEnded() {
		t.Fatal("the request under way was not waited for")
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("it goes on after a second signal")
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("after a second signal: %v", p.cmd.ProcessState)
	}
}
