package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"
)

// profiles is a server of the program's profiles; nil is none.
type profiles struct{ *http.Server }

// Close ends it.
func (p profiles) Close() error {
	if p.Server == nil {
		return nil
	}
	return p.Server.Close()
}

// startProfiles serves profiles on a loopback address until it is closed. An
// empty address serves none. Profiles show what passes through the program's
// memory and cost time, so that no other address is taken.
func (a *app) startProfiles(address string) (profiles, error) {
	if address == "" {
		return profiles{}, nil
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return profiles{}, usageError("--pprof is %q, must be HOST:PORT: %v", address, err)
	}
	if !addr.IP.IsLoopback() {
		return profiles{}, usageError("--pprof is %q, must be a loopback address such as 127.0.0.1:6060: profiles are for this machine alone", address)
	}
	l, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return profiles{}, fmt.Errorf("listen on %s for profiles: %w; name another address with --pprof", address, err)
	}
	s := &http.Server{Handler: localOnly(profileRoutes()), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.Serve(l); err != http.ErrServerClosed {
			a.log.Error("profiles are not served any more", "error", err)
		}
	}()
	a.log.Info("serving profiles", "address", "http://"+l.Addr().String()+"/debug/pprof/")
	return profiles{s}, nil
}

func profileRoutes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/debug/pprof/", pprof.Index)
	m.HandleFunc("/debug/pprof/cmdline", http.NotFound) // it would show tokens
	m.HandleFunc("/debug/pprof/profile", pprof.Profile)
	m.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	m.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return m
}

// localOnly refuses a request by another name than this machine's own: a page
// whose name was made to point here would have a browser ask so.
func localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "profiles are for this machine alone", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
