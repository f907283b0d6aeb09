package features

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"livelab/pipeline/observation"
)

// stationWorld makes the past of a few stations: snapshots every 4 to 16
// minutes with gaps, and stations that come late, stand still, are closed, go
// out of service, move between two snapshots or as they change, or do not say
// where they are or what is empty.
func stationWorld(seed uint64, stations, days int) History {
	r := rand.New(rand.NewPCG(seed, 7))
	h := History{Stations: &Stations{}}
	for i := range stations {
		s := observation.Station{ID: fmt.Sprintf("s%04d", i), Latitude: 59.9 + 0.02*r.Float64(), Longitude: 10.7 + 0.04*r.Float64(), Capacity: 15}
		switch i % 8 {
		case 1:
			s.MovedAt = start.Add(time.Duration(days) * day * 2 / 3).Add(7 * time.Minute)
		case 2:
			s.Latitude, s.Capacity = math.NaN(), observation.Unknown
		}
		h.Stations.List = append(h.Stations.List, s)
	}
	h.Stations.Past = make([]Changes, stations)
	last := make([]observation.State, stations)
	end := start.Add(time.Duration(days) * day)
	for t := start; t.Before(end); {
		p := observation.Totals{At: t}
		for i := range last {
			now := next(r, i, last[i], t)
			if first := h.Stations.Past[i].Len() == 0; now != last[i] || first && now.InService {
				h.Stations.Past[i].Add(t, now)
				last[i] = now
			}
			if now.Counted() {
				p.Stations, p.FreeBikes, p.EmptySlots = p.Stations+1, p.FreeBikes+now.FreeBikes, p.EmptySlots+now.EmptySlots
			}
		}
		h.Series.Points = append(h.Series.Points, p)
		step := time.Duration(4+r.IntN(13)) * time.Minute
		if r.IntN(150) == 0 {
			step = time.Duration(2+r.IntN(9)) * time.Hour
		}
		t = t.Add(step + time.Duration(r.IntN(60))*time.Second)
	}
	for i := 6; i < stations; i += 8 {
		past := h.Stations.Past[i].At
		h.Stations.List[i].MovedAt = time.Unix(past[len(past)*2/3], 0).UTC()
	}
	h.Series.Weather = irregular(seed, days).Weather
	return h
}

// next is what a station shows after what it showed last.
func next(r *rand.Rand, i int, s observation.State, t time.Time) observation.State {
	switch {
	case i%8 == 3 && t.Before(start.Add(5*day)): // comes late
		return observation.State{}
	case i%8 == 4 && t.After(start.Add(6*day)): // stands still
		return s
	case r.IntN(3) > 0:
		return s
	case r.IntN(60) == 0:
		return observation.Gone
	case r.IntN(60) == 0:
		return observation.State{InService: true}
	case r.IntN(60) == 0:
		return observation.State{FreeBikes: observation.Unknown, EmptySlots: 4, InService: true}
	}
	pull := int32(math.Round(2 * math.Sin(float64(t.Unix()%86400)/86400*2*math.Pi)))
	free := min(max(max(s.FreeBikes, 0)+int32(r.IntN(5))-2+pull, 0), 15)
	empty := 15 - free
	if i%8 == 5 {
		empty = observation.Unknown
	}
	return observation.State{FreeBikes: free, EmptySlots: empty, InService: true}
}
