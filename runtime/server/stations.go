package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"livelab/pipeline/observation"
	batch "livelab/runtime/forecast"
	"livelab/runtime/jsonscan"
)

// mostStations bounds the parameter limit. Without one all are listed.
const mostStations = 100_000

// forecastFacts is what all stations of an answer share.
type forecastFacts struct {
	Network     string `json:"network"`
	NetworkName string `json:"network_name"`

	// Of the model; null where none answered.
	Model          *string  `json:"model"`
	Version        *string  `json:"version"`
	ModelDigest    *string  `json:"model_digest"`
	Threshold      *float64 `json:"threshold"`
	HorizonMinutes *int     `json:"horizon_minutes"`

	AsOf       *string `json:"as_of"` // time of the snapshot
	AgeSeconds int64   `json:"age_seconds"`
	ValidAt    *string `json:"valid_at"` // the time that the forecast is of; null without a model
	WeatherAt  *string `json:"weather_at"`
	MadeAt     *string `json:"made_at"`
	Stale      bool    `json:"stale"`            // the snapshot is too old to stand for the present
	Notice     string  `json:"notice,omitempty"` // what is wrong with it, if anything
}

// stationAnswer is one station with its forecast.
type stationAnswer struct {
	Station   string   `json:"station"`
	Name      string   `json:"name"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
	Capacity  *int32   `json:"capacity"`

	// As observed; null where it is not known.
	FreeBikes  *int32  `json:"free_bikes"`
	EmptySlots *int32  `json:"empty_slots"`
	InService  bool    `json:"in_service"`
	ChangedAt  *string `json:"changed_at"`

	// The forecast; null where there is none, and then no_forecast says why.
	Y          *int     `json:"y"` // 1 is a shortage
	Proba      *float64 `json:"proba"`
	Rank       *int     `json:"rank"` // 1 is the likeliest shortage
	Imputed    []string `json:"imputed"`
	NoForecast string   `json:"no_forecast,omitempty"`
}

// stations answers GET /api/stations?network=&sort=&limit=.
func (s *Server) stations(c *gin.Context) error {
	order, limit, err := stationsWanted(c)
	if err != nil {
		return err
	}
	f, failure, err := s.stationForecast(c.Query("network"))
	if err != nil {
		return err
	}
	facts := s.factsOf(f, failure)
	if s.unchanged(c, f, &facts) {
		return nil
	}
	list := make([]stationAnswer, 0, min(limit, len(f.Stations)))
	for _, i := range order(f) {
		if len(list) == limit {
			break
		}
		list = append(list, stationAnswerOf(&f.Stations[i]))
	}
	return reply(c, struct {
		forecastFacts
		Total    int             `json:"stations_total"`
		Answered int             `json:"stations_forecast"`
		Stations []stationAnswer `json:"stations"`
	}{facts, len(f.Stations), f.Answered, list})
}

// oneStation answers GET /api/stations/:station?network=.
func (s *Server) oneStation(c *gin.Context) error {
	row, failure, err := s.station(c.Query("network"), c.Param("station"))
	if err != nil {
		return err
	}
	facts := s.factsOf(row.forecast, failure)
	if s.unchanged(c, row.forecast, &facts) {
		return nil
	}
	return reply(c, struct {
		forecastFacts
		stationAnswer
	}{facts, stationAnswerOf(row.station())})
}

// stationsWanted reads which stations are wanted, in what order.
func stationsWanted(c *gin.Context) (order func(*batch.Forecast) []int32, limit int, err error) {
	var errs []FieldError
	switch by := c.DefaultQuery("sort", "risk"); by {
	case "risk":
		order = byRisk
	case "station":
		order = byStation
	default:
		errs = append(errs, FieldError{"sort", fmt.Sprintf("is %q, must be risk or station", jsonscan.Printable(by))})
	}
	limit = mostStations
	if text := c.Query("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostStations {
			errs = append(errs, FieldError{"limit", fmt.Sprintf("is %q, must be a whole number from 1 to %d", jsonscan.Printable(text), mostStations)})
		}
	}
	if len(errs) > 0 {
		return nil, 0, invalid(errs)
	}
	return order, limit, nil
}

// byRisk lists the likeliest shortages first, and last the stations without a
// forecast.
func byRisk(f *batch.Forecast) []int32 {
	order := slices.Clone(f.ByRisk)
	for i := range f.Stations {
		if f.Stations[i].Missing != "" {
			order = append(order, int32(i))
		}
	}
	return order
}

func byStation(f *batch.Forecast) []int32 {
	order := make([]int32, len(f.Stations))
	for i := range order {
		order[i] = int32(i)
	}
	return order
}

func (s *Server) factsOf(f *batch.Forecast, failure *batch.Failure) forecastFacts {
	now := s.deps.DataNow()
	facts := forecastFacts{
		Network: f.Network.ID, NetworkName: f.Network.Name,
		AsOf: stamp(f.AsOf), AgeSeconds: seconds(f.Age(now)), WeatherAt: stamp(f.WeatherAt), MadeAt: stamp(f.MadeAt), Stale: f.Stale(now),
	}
	if by := f.By; by != nil {
		horizon := by.Model.Task.Horizon()
		minutes := int(horizon / time.Minute)
		facts.Model, facts.Version, facts.ModelDigest = &by.Model.Name, &by.Version, &by.Digest
		facts.Threshold, facts.HorizonMinutes, facts.ValidAt = &by.Model.Threshold, &minutes, stamp(f.AsOf.Add(horizon))
	}
	switch {
	case facts.Stale:
		facts.Notice = staleness(f, now)
	case failure != nil:
		facts.Notice = "this is the last forecast that could be made: " + problemOf(rowError(failure.Err)).Detail
	case f.By == nil:
		facts.Notice = "no model about stations is in service, so this is what was observed alone; train and publish " + stationModel
	}
	return facts
}

// unchanged tells a client that has this very forecast so, and all others what
// to ask with the next time. The tag is a weak one: the age grows.
func (s *Server) unchanged(c *gin.Context, f *batch.Forecast, facts *forecastFacts) bool {
	version := ""
	if f.By != nil {
		version = f.By.Version + " " + f.By.Digest
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d\n%s", f.Network.ID, version, f.AsOf.Unix(), f.MadeAt.UnixNano(), facts.tagged()))
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	c.Header("Etag", "W/"+tag)
	c.Header("Cache-Control", "no-cache")
	if !names(c.Request.Header.Values("If-None-Match"), tag) {
		return false
	}
	c.Status(http.StatusNotModified)
	return true
}

// tagged is the part of the notice that does not change from one minute to the
// next.
func (f *forecastFacts) tagged() string {
	if f.Stale {
		return "stale"
	}
	return f.Notice
}

func stationAnswerOf(st *batch.Station) stationAnswer {
	a := stationAnswer{
		Station: st.ID, Name: st.Name, Latitude: known(st.Latitude), Longitude: known(st.Longitude), Capacity: counted(st.Capacity),
		FreeBikes: counted(st.FreeBikes), EmptySlots: counted(st.EmptySlots), InService: st.InService, ChangedAt: stamp(st.ChangedAt),
		Imputed: []string{}, NoForecast: st.Missing,
	}
	if st.Missing == "" {
		y := class(st.Short)
		a.Y, a.Proba, a.Rank, a.Imputed = &y, &st.Probability, &st.Rank, st.Imputed
	}
	return a
}

// known is nil for NaN, which JSON does not have.
func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func counted(n int32) *int32 {
	if n == observation.Unknown {
		return nil
	}
	return &n
}

// seconds of an age, in whole ones.
func seconds(age time.Duration) int64 { return int64(age / time.Second) }
