package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ServerConfig says what a Server serves.
type ServerConfig struct {
	// Cities are the networks, at least one, with an ID each of its own.
	Cities []*City

	// Now is the server's time, which it never tells anything beyond but the
	// weather forecast. Default: the wall clock. See Clock.
	Now func() time.Time

	// DumpStep is how far apart the samples of the dumps are. At least a
	// minute; default 5 minutes.
	DumpStep time.Duration

	// RateLimit is how many requests an hour (of the server's time) a client
	// may make to the bikes API. 0 sets no limit; the headers then say that
	// the usual 300 are left.
	RateLimit int
}

// Server speaks the APIs that real data comes from:
//
//	GET /v2/networks                 CityBikes: the list of networks
//	GET /v2/networks/{id}            CityBikes: a live snapshot
//	GET /dumps/by-network/{YYYY}/{YYYYMM}-{id}-stats.parquet
//	                                 CityBikes: a month of history
//	GET /v1/forecast, /v1/archive    Open-Meteo: weather of the nearest city
//
// It is safe for concurrent use.
type Server struct {
	cfg    ServerConfig
	cities map[string]*City
	limit  limiter
	mux    *http.ServeMux
}

var _ http.Handler = (*Server)(nil)

// NewServer makes a server.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.DumpStep == 0 {
		cfg.DumpStep = 5 * time.Minute
	}
	if cfg.DumpStep < time.Minute {
		return nil, fmt.Errorf("simulator: dump step is %v, must be at least a minute", cfg.DumpStep)
	}
	if len(cfg.Cities) == 0 {
		return nil, errors.New("simulator: no city to serve, configure at least one")
	}
	s := &Server{cfg: cfg, cities: make(map[string]*City), mux: http.NewServeMux()}
	for _, c := range cfg.Cities {
		if s.cities[c.network.ID] != nil {
			return nil, fmt.Errorf("simulator: two cities have the ID %q, give each its own", c.network.ID)
		}
		s.cities[c.network.ID] = c
	}
	s.limit.max = cfg.RateLimit
	s.mux.HandleFunc("GET /v2/networks", s.limited(s.networks))
	s.mux.HandleFunc("GET /v2/networks/{id}", s.limited(s.network))
	s.mux.HandleFunc("GET /dumps/by-network/{year}/{file}", s.dump)
	s.mux.HandleFunc("GET /v1/forecast", s.weather(forecastHours))
	s.mux.HandleFunc("GET /v1/archive", s.weather(archiveHours))
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// now is the server's time in UTC.
func (s *Server) now() time.Time { return s.cfg.Now().UTC() }

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil { // our own types always encode
		panic(fmt.Sprintf("sim: encode answer: %v", err))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // a client that has gone away is no fault of ours
}
