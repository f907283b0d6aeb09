package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"livelab/runtime/server"
)

// httpFlags are the flags of the server's port and of what it lets in.
type httpFlags struct {
	listen         string
	adminToken     string
	adminTokenFile string
	tlsCert        string
	tlsKey         string
	corsOrigins    []string
	maxBody        int64
	maxConnections int
	requestTimeout time.Duration
	drainDelay     time.Duration
	drainTimeout   time.Duration
	accessLog      string
	pprof          string

	tls *tls.Config // nil for plain HTTP; listen makes it
}

func (f *httpFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8000", "`address` to serve on")
	fl.StringVar(&f.adminToken, "admin-token", "", "bearer `token` that whoever changes something must show (better given as LIVELAB_ADMIN_TOKEN)")
	fl.StringVar(&f.adminTokenFile, "admin-token-file", "", "`file` that holds the admin token")
	fl.StringVar(&f.tlsCert, "tls-cert", "", "PEM `file` of the certificate with its chain: serve HTTPS; read again when it changes")
	fl.StringVar(&f.tlsKey, "tls-key", "", "PEM `file` of the certificate's key")
	fl.StringSliceVar(&f.corsOrigins, "cors-origin", nil, "`origin` whose pages may read answers, such as https://example.org; may be repeated")
	fl.Int64Var(&f.maxBody, "max-body", 1<<20, "largest body of a request, in `bytes`")
	fl.IntVar(&f.maxConnections, "max-connections", 4096, "most connections; beyond them, those that wait for a request longest are closed")
	fl.DurationVar(&f.requestTimeout, "request-timeout", 30*time.Second, "how long a request may take; half of it to be sent")
	fl.DurationVar(&f.drainDelay, "drain-delay", 0, "how long to go on serving, not ready any more, after SIGTERM or Ctrl-C")
	fl.DurationVar(&f.drainTimeout, "drain-timeout", 10*time.Second, "how long requests under way may then go on")
	fl.StringVar(&f.accessLog, "access-log", string(server.AccessErrors), "requests to log: all, errors, or none but the server's own failures")
	fl.StringVar(&f.pprof, "pprof", "", "loopback `address` to serve profiles on, such as 127.0.0.1:6060")
}

func (f *httpFlags) check() error {
	switch {
	case f.adminToken != "" && f.adminTokenFile != "":
		return usageError("--admin-token and --admin-token-file are both set; give one")
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return usageError("--tls-cert and --tls-key belong together; one of them is missing")
	case f.maxBody < 1:
		return usageError("--max-body is %d, must be at least 1", f.maxBody)
	case f.maxConnections < 1:
		return usageError("--max-connections is %d, must be at least 1", f.maxConnections)
	case f.requestTimeout < time.Second:
		return usageError("--request-timeout is %s, must be at least 1s", f.requestTimeout)
	case f.drainDelay < 0:
		return usageError("--drain-delay is %s, must not be negative", f.drainDelay)
	case f.drainTimeout <= 0:
		return usageError("--drain-timeout is %s, must be more than 0s", f.drainTimeout)
	}
	for _, origin := range f.corsOrigins {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	return oneOf("access-log", f.accessLog, string(server.AccessAll), string(server.AccessErrors), string(server.AccessNone))
}

// checkOrigin takes what a browser sends as an origin: anything else would
// never be equal to one, and "*" would be everybody.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != origin ||
		strings.ToLower(origin) != origin || strings.Contains(u.Host, "*") {
		return usageError("--cors-origin is %q, must be an origin in full and in lower case, such as https://example.org or http://localhost:3000", origin)
	}
	return nil
}

// config is what the flags say to the server, once listen has taken them in.
func (f *httpFlags) config() server.Config {
	return server.Config{
		Version:           version,
		AdminToken:        f.adminToken,
		MaxBody:           f.maxBody,
		MaxConnections:    f.maxConnections,
		ReadHeaderTimeout: min(5*time.Second, f.requestTimeout/2),
		ReadTimeout:       f.requestTimeout / 2,
		WriteTimeout:      f.requestTimeout,
		DrainDelay:        f.drainDelay,
		DrainTimeout:      f.drainTimeout,
		TLS:               f.tls,
		CORSOrigins:       f.corsOrigins,
		AccessLog:         server.AccessLog(f.accessLog),
	}
}

// listen checks the flags, reads the files that they name and opens the ports,
// before any other work: what is wrong with them is said at once.
func (a *app) listen(f *httpFlags) (_ net.Listener, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.adminTokenFile != "" {
		if f.adminToken, err = readToken(f.adminTokenFile); err != nil {
			return nil, err
		}
	}
	if f.tlsCert != "" {
		cert, err := server.OpenCertificate(f.tlsCert, f.tlsKey, a.log, time.Now)
		if err != nil {
			return nil, err
		}
		f.tls = cert.Config()
	}
	profiles, err := a.startProfiles(f.pprof)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		profiles.Close()
		return nil, listenError(f.listen, err)
	}
	a.warnOpen(l, f)
	return &ports{l, profiles}, nil
}

// ports are the server's and, beside it, the profiles'.
type ports struct {
	net.Listener
	profiles profiles
}

// Close ends the profiles, too.
func (p *ports) Close() error { return errors.Join(p.Listener.Close(), p.profiles.Close()) }

// warnOpen says what a network beyond this machine may do.
func (a *app) warnOpen(l net.Listener, f *httpFlags) {
	addr, ok := l.Addr().(*net.TCPAddr)
	switch {
	case !ok || addr.IP.IsLoopback():
	case f.adminToken == "":
		a.log.Warn("everybody who reaches this address may load, unload and reload models: set LIVELAB_ADMIN_TOKEN, or listen on 127.0.0.1", "address", addr.String())
	case f.tls == nil:
		a.log.Warn("tokens reach this address in plain text: set --tls-cert and --tls-key, or put a proxy that encrypts before it", "address", addr.String())
	}
}

// readToken reads a token from a file, such as a container's secret.
func readToken(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, "\r\n\x00") {
		return "", fmt.Errorf("read the token: %s must hold one line, which is the token", file)
	}
	return token, nil
}

func listenError(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: another program has this port; end it, or name another with --listen: %w", address, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: not allowed; ports under 1024 need rights, name another with --listen: %w", address, err)
	}
	return fmt.Errorf("listen on %s: %w; --listen takes HOST:PORT", address, err)
}
