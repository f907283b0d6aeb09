package value

import (
	"math"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

// movedBeyond is how far, in metres, a station may be shown from its home
// without having moved: feeds round, and docks are shifted along a street.
const movedBeyond = 50

// Placed is a station as it is stored. Home is the place that moves are
// measured from: where the station was first seen, or since it last moved. It
// stays while the place follows small shifts, so that many of them count as the
// one move that they add up to.
type Placed struct {
	observation.Station
	HomeLatitude, HomeLongitude float64 // WGS 84 degrees, NaN while no place is known
}

// Describe gives the stations of a batch that differ from what is stored, as
// they are to be stored, in order of ID. Stored has those of the network by ID,
// and newest is the time of its newest snapshot, zero where there is none.
func Describe(b ingest.Batch, stored map[string]Placed, newest time.Time) []Placed {
	var changed []Placed
	for _, s := range Stations(b.Stations) {
		was, ok := stored[s.ID]
		if !ok {
			was = Placed{observation.Station{ID: s.ID, Latitude: math.NaN(), Longitude: math.NaN(), Capacity: observation.Unknown}, math.NaN(), math.NaN()}
		}
		if is := was.described(s, b.SeenAt, newest); !is.same(was) {
			changed = append(changed, is)
		}
	}
	return changed
}

// described takes in what a source says of a station, and keeps what it does
// not say.
func (p Placed) described(s observation.Station, at, newest time.Time) Placed {
	if s.Name != "" {
		p.Name = s.Name
	}
	if s.Capacity >= 0 {
		p.Capacity = s.Capacity
	}
	if math.IsNaN(s.Latitude) || math.IsNaN(s.Longitude) {
		return p
	}
	far := metres(p.HomeLatitude, p.HomeLongitude, s.Latitude, s.Longitude) > movedBeyond
	switch {
	case at.IsZero() || math.IsNaN(p.HomeLatitude): // told anew
		p.HomeLatitude, p.HomeLongitude = s.Latitude, s.Longitude
	case at.Before(newest): // where it was; it came to be where it is now later
		if far && p.MovedAt.Before(at) {
			p.MovedAt = Second(at.Unix())
		}
		return p
	case far:
		p.HomeLatitude, p.HomeLongitude, p.MovedAt = s.Latitude, s.Longitude, Second(at.Unix())
	}
	p.Latitude, p.Longitude = s.Latitude, s.Longitude
	return p
}

// same compares the bits of the places: NaN is the same as NaN.
func (p Placed) same(o Placed) bool {
	bits := func(p Placed) [4]uint64 {
		return [4]uint64{math.Float64bits(p.Latitude), math.Float64bits(p.Longitude),
			math.Float64bits(p.HomeLatitude), math.Float64bits(p.HomeLongitude)}
	}
	return p.Name == o.Name && p.Capacity == o.Capacity && p.MovedAt.Equal(o.MovedAt) && bits(p) == bits(o)
}

// metres is the great-circle distance between two places, NaN where one is not
// known.
func metres(lat1, lon1, lat2, lon2 float64) float64 {
	const radius, degree = 6_371_008.8, math.Pi / 180
	sinLat, sinLon := math.Sin((lat2-lat1)*degree/2), math.Sin((lon2-lon1)*degree/2)
	h := sinLat*sinLat + math.Cos(lat1*degree)*math.Cos(lat2*degree)*sinLon*sinLon
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}
