package sim

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"livelab/pipeline/observation"
)

// The shapes of CityBikes API v2, as it sends them.
type (
	networksBody struct {
		Networks []networkBody `json:"networks"`
	}
	networkAnswer struct {
		Network networkBody `json:"network"`
	}
	networkBody struct {
		Company  []string      `json:"company"`
		Href     string        `json:"href"`
		ID       string        `json:"id"`
		Location locationBody  `json:"location"`
		Name     string        `json:"name"`
		Stations []stationBody `json:"stations,omitempty"`
	}
	locationBody struct {
		City      string  `json:"city"`
		Country   string  `json:"country"`
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
	}
	stationBody struct {
		EmptySlots *int32    `json:"empty_slots"`
		Extra      extraBody `json:"extra"`
		FreeBikes  int32     `json:"free_bikes"`
		ID         string    `json:"id"`
		Latitude   float64   `json:"latitude"`
		Longitude  float64   `json:"longitude"`
		Name       string    `json:"name"`
		Timestamp  string    `json:"timestamp"`
	}
	extraBody struct {
		Slots  *int32 `json:"slots,omitempty"`
		Status string `json:"status"`
		UID    string `json:"uid"`
	}
	bikesError struct {
		Error string `json:"error"`
	}
)

// bikesTime is how CityBikes writes a time: an offset and a Z.
const bikesTime = "2006-01-02T15:04:05.000000+00:00Z"

func (s *Server) networks(w http.ResponseWriter, _ *http.Request) {
	var body networksBody
	for _, c := range s.cfg.Cities {
		body.Networks = append(body.Networks, describe(c.network))
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) network(w http.ResponseWriter, r *http.Request) {
	c := s.cities[r.PathValue("id")]
	if c == nil {
		writeJSON(w, http.StatusNotFound, bikesError{"Network " + strconv.Quote(r.PathValue("id")) + " not found"})
		return
	}
	body := describe(c.network)
	body.Stations = c.feedAt(s.now().Truncate(time.Minute))
	writeJSON(w, http.StatusOK, networkAnswer{body})
}

func describe(n observation.Network) networkBody {
	return networkBody{
		Company:  []string{"LiveLab simulator"},
		Href:     "/v2/networks/" + n.ID,
		ID:       n.ID,
		Location: locationBody{n.City, n.Country, n.Latitude, n.Longitude},
		Name:     n.Name,
	}
}

// feedAt is the snapshot of a tick as CityBikes would tell it. The stations
// were asked within the seconds before the tick, the last of them at the tick
// itself, so that the feed's newest time is the snapshot's.
func (c *City) feedAt(tick time.Time) []stationBody {
	readings := c.Snapshot(tick).Readings
	ages := c.ages(tick)
	bodies := make([]stationBody, len(readings))
	for i, r := range readings {
		s := &c.stations[i]
		b := stationBody{
			FreeBikes: r.FreeBikes,
			ID:        s.ID,
			Latitude:  s.Latitude,
			Longitude: s.Longitude,
			Name:      s.Name,
			Timestamp: tick.Add(-ages[i]).Format(bikesTime),
			Extra:     extraBody{Status: "online", UID: s.uid},
		}
		if !r.InService {
			b.Extra.Status = "offline"
		}
		if r.EmptySlots != observation.Unknown {
			b.EmptySlots = &r.EmptySlots
			if s.hasSlots {
				b.Extra.Slots = &s.Capacity
			}
		}
		bodies[i] = b
	}
	return bodies
}

// ages says how long before the tick each station was asked: up to 20
// seconds, and not at all for the last one.
func (c *City) ages(tick time.Time) []time.Duration {
	r := c.feed.child(int(tick.Unix()))
	ages := make([]time.Duration, len(c.stations))
	for i := range ages {
		ages[i] = time.Duration(r.between(int64(i), 0, 20_000_000)) * time.Microsecond
	}
	last := slices.Min(ages)
	for i := range ages {
		ages[i] -= last
	}
	return ages
}
