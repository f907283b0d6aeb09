package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// keyPair is a certificate for 127.0.0.1 by its own key, as PEM.
type keyPair struct{ cert, key []byte }

func newKeyPair(t testing.TB, serial int64, until time.Time) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "livelab test"},
		NotBefore:    time.Now().Add(-48 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	}
}

// files are where a test's certificate and key are.
type files struct{ cert, key string }

func (f files) write(t testing.TB, cert, key []byte) {
	t.Helper()
	for name, content := range map[string][]byte{f.cert: cert, f.key: key} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// encrypted is a server with TLS, whose certificates' clock is the test's.
func encrypted(t *testing.T, pair keyPair, options ...option) (w *wire, f files, clock *atomic.Int64, logged *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	f = files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	f.write(t, pair.cert, pair.key)
	clock, logged = new(atomic.Int64), new(bytes.Buffer)
	now := func() time.Time { return time.Now().Add(time.Duration(clock.Load())) }
	cert, err := OpenCertificate(f.cert, f.key, slog.New(slog.NewTextHandler(logged, nil)), now)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, append(options, func(c *Config, _ *Deps) { c.TLS = cert.Config() })...), f, clock, logged
}

// handshake connects, and gives the serial number of the certificate shown.
func handshake(t testing.TB, address string, cfg *tls.Config) (serial int64, err error) {
	t.Helper()
	cfg.InsecureSkipVerify = true
	c, err := tls.Dial("tcp", address, cfg)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

func TestTLS(t *testing.T) {
	alone(t)
	pair := newKeyPair(t, 1, time.Now().Add(time.Hour))
	w, _, _, _ := encrypted(t, pair, hasty)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pair.cert)
	for _, http2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}
		client := &http.Client{Transport: transport, Timeout: patience}
		resp, err := client.Post("https://"+w.address+"/predict", "application/json", strings.NewReader(given))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || resp.ProtoMajor == 2 != http2 {
			t.Errorf("%s over %s: %v %s", resp.Status, resp.Proto, err, body)
		}
		checkForm(t, resp, body)
		transport.CloseIdleConnections()
	}
	if _, err := handshake(t, w.address, &tls.Config{MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, err := handshake(t, w.address, &tls.Config{MaxVersion: tls.VersionTLS12}); err != nil {
		t.Errorf("TLS 1.2 is not spoken: %v", err)
	}
	// Plain HTTP is told so; a handshake that never goes on is cut off.
	if answer := w.say(t, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.Contains(string(answer), "400 Bad Request") {
		t.Errorf("plain HTTP gets %q", answer)
	}
	c := w.dial(t)
	if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00\x01"); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	_, _ = io.Copy(io.Discard, c)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("half a handshake lasts %v", took)
	}
	if strings.Contains(w.logged.String(), "TLS handshake") {
		t.Errorf("a client's bad handshake is a warning: %s", w.logged)
	}
}

// TestIdleTLSMakesRoom holds that connections are told apart below TLS and
// HTTP/2, too.
func TestIdleTLSMakesRoom(t *testing.T) {
	alone(t)
	w, _, _, _ := encrypted(t, newKeyPair(t, 1, time.Now().Add(time.Hour)), func(c *Config, _ *Deps) { c.MaxConnections = 8 })
	for i := range 40 {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: i%2 == 0}
		defer transport.CloseIdleConnections()
		resp, err := (&http.Client{Transport: transport, Timeout: patience}).Get("https://" + w.address + "/health")
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if n := w.conns.open.Load().count(); n > 8 {
			t.Fatalf("%d connections", n)
		}
	}
}

// TestCertificateIsRenewed changes the files in the ways that renewals do.
func TestCertificateIsRenewed(t *testing.T) {
	alone(t)
	first, second := newKeyPair(t, 1, time.Now().Add(time.Hour)), newKeyPair(t, 2, time.Now().Add(time.Hour))
	w, f, clock, logged := encrypted(t, first)
	shows := func(want int64) {
		t.Helper()
		got, err := handshake(t, w.address, &tls.Config{})
		if err != nil || got != want {
			t.Errorf("certificate %d is shown, want %d: %v", got, want, err)
		}
	}
	later := func() { clock.Add(int64(2 * time.Second)) }
	shows(1)
	later()
	f.write(t, second.cert, first.key) // half of it
	shows(1)
	shows(1)
	later()
	shows(1)
	if n := strings.Count(logged.String(), "cannot be used"); n != 1 {
		t.Errorf("said %d times: %s", n, logged)
	}
	f.write(t, second.cert, second.key)
	shows(1) // not looked at yet
	later()
	shows(2)
	later()
	if err := os.Remove(f.cert); err != nil {
		t.Fatal(err)
	}
	shows(2)
	later()
	shows(2)
	if n := strings.Count(logged.String(), "cannot be used"); n != 2 {
		t.Errorf("said %d times: %s", n, logged)
	}
	f.write(t, first.cert, first.key)
	later()
	shows(1)
	if !strings.Contains(logged.String(), "certificate renewed") {
		t.Errorf("not said: %s", logged)
	}
}

func TestCertificateErrors(t *testing.T) {
	t.Parallel()
	one, other := newKeyPair(t, 1, time.Now().Add(time.Hour)), newKeyPair(t, 2, time.Now().Add(time.Hour))
	for name, tt := range map[string]struct {
		cert, key []byte
		want      string
	}{
		"a key of another": {one.cert, other.key, "private key does not match public key"},
		"the wrong way":    {one.key, one.cert, "PEM inputs may have been switched"},
		"no PEM":           {[]byte("hello"), one.key, "failed to find any PEM data"},
		"an empty file":    {one.cert, nil, "failed to find any PEM data in key input"},
	} {
		dir := t.TempDir()
		f := files{filepath.Join(dir, "c"), filepath.Join(dir, "k")}
		f.write(t, tt.cert, tt.key)
		_, err := OpenCertificate(f.cert, f.key, slog.New(slog.DiscardHandler), time.Now)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), f.key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenCertificate("no-such.pem", "no-such.key", slog.New(slog.DiscardHandler), time.Now); err == nil || !strings.Contains(err.Error(), "no-such.pem") {
		t.Errorf("no file: %v", err)
	}
	expired, logged := newKeyPair(t, 3, time.Now().Add(-time.Hour)), new(strings.Builder)
	f := files{filepath.Join(t.TempDir(), "c"), filepath.Join(t.TempDir(), "k")}
	f.write(t, expired.cert, expired.key)
	if _, err := OpenCertificate(f.cert, f.key, slog.New(slog.NewTextHandler(logged, nil)), time.Now); err != nil || !strings.Contains(logged.String(), "has expired") {
		t.Errorf("an expired one: %v, said %q", err, logged)
	}
}
