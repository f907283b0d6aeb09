package server

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"
)

// service is the name that /health answers with.
const service = "livelab"

// statusTimeout bounds how long health, status and metrics wait for the store.
const statusTimeout = 2 * time.Second

// Status is what the program knows about its source and its store.
type Status struct {
	Source     string // "live", "replay" or "simulated"; empty while there is none
	Store      error  // nil while the store can be read
	LastIngest time.Time
	Networks   []NetworkStatus
}

// NetworkStatus says how new the data of a network is. The times are those of
// the data itself, zero where there is none.
type NetworkStatus struct {
	ID, Name                   string
	NewestBikes, NewestWeather time.Time
}

// freshness is a NetworkStatus as JSON.
type freshness struct {
	Network       string  `json:"network"`
	Name          string  `json:"name"`
	NewestBikes   *string `json:"newest_bikes"`
	NewestWeather *string `json:"newest_weather"`
}

// forecastFreshness is the forecast of a network's stations in short.
type forecastFreshness struct {
	Network    string  `json:"network"`
	Version    *string `json:"version"` // of the model; null where none answered
	AsOf       *string `json:"as_of"`   // null where there is no forecast
	AgeSeconds *int64  `json:"age_seconds"`
	Stale      bool    `json:"stale"`
	Total      int     `json:"stations_total"`
	Answered   int     `json:"stations_forecast"`
	Error      string  `json:"error,omitempty"` // why there is no newer one
}

type health struct {
	Status        string              `json:"status"` // "ok", or "degraded" without a store
	Service       string              `json:"service"`
	Version       string              `json:"version"` // of the program
	ModelLoaded   bool                `json:"model_loaded"`
	ModelVersion  *string             `json:"model_version"`
	ModelError    string              `json:"model_error,omitempty"` // why what is published could not be loaded last
	AboutStations *string             `json:"station_model_version"`
	Source        string              `json:"source"`
	StoreOK       bool                `json:"store_ok"`
	Data          []freshness         `json:"data"`
	Stations      []forecastFreshness `json:"stations"`
}

// fullStatus is what GET /api/status says.
type fullStatus struct {
	health
	Now         *string `json:"now"`
	LastIngest  *string `json:"last_ingest"`
	ModelDigest *string `json:"model_digest"`
	ModelName   *string `json:"model_name"`
	Verdict     *string `json:"verdict"` // of the gate
	LoadedAt    *string `json:"loaded_at"`
}

func (s *Server) currentStatus(ctx context.Context) Status {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	return s.deps.Status(ctx)
}

// health answers GET /health: 200 as long as the program answers at all.
func (s *Server) health(c *gin.Context) error {
	return reply(c, s.healthOf(s.currentStatus(c.Request.Context())))
}

func (s *Server) healthOf(st Status) health {
	h := health{
		Status:  "ok",
		Service: service,
		Version: s.cfg.Version,
		Source:  st.Source,
		StoreOK: st.Store == nil,
		Data:    []freshness{},
	}
	if st.Store != nil {
		h.Status = "degraded"
	}
	if current := s.deps.Models.Current(); current != nil {
		h.ModelLoaded, h.ModelVersion = true, &current.Version
	}
	if about := s.stationModel(); about != nil {
		h.AboutStations = &about.Version
	}
	h.Stations = s.forecastsInShort()
	if f := s.unservable(); f != nil {
		h.ModelError = failureText(f)
	}
	for _, n := range st.Networks {
		h.Data = append(h.Data, freshness{n.ID, n.Name, stamp(n.NewestBikes), stamp(n.NewestWeather)})
	}
	return h
}

// forecastsInShort is empty, and not nil, where no forecasts are made.
func (s *Server) forecastsInShort() []forecastFreshness {
	list := []forecastFreshness{}
	if s.deps.Stations == nil {
		return list
	}
	now := s.deps.DataNow()
	for _, of := range s.deps.Stations.All() {
		short := forecastFreshness{Network: of.Network}
		if of.Failure != nil {
			short.Error = problemOf(rowError(of.Failure.Err)).Detail
		}
		if f := of.Forecast; f != nil {
			age := seconds(f.Age(now))
			short.AsOf, short.AgeSeconds, short.Stale = stamp(f.AsOf), &age, f.Stale(now)
			short.Total, short.Answered = len(f.Stations), f.Answered
			if f.By != nil {
				short.Version = &f.By.Version
			}
		}
		list = append(list, short)
	}
	return list
}

// status answers GET /api/status.
func (s *Server) status(c *gin.Context) error {
	st := s.currentStatus(c.Request.Context())
	full := fullStatus{
		health:     s.healthOf(st),
		Now:        stamp(s.now()),
		LastIngest: stamp(st.LastIngest),
	}
	if current := s.deps.Models.Current(); current != nil {
		full.ModelDigest, full.ModelName = &current.Digest, &current.Model.Name
		full.Verdict, full.LoadedAt = &current.Verdict.Result, stamp(current.LoadedAt)
	}
	return reply(c, full)
}
