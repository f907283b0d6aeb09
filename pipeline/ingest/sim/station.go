package sim

import (
	"fmt"
	"math"
	"strconv"

	"livelab/pipeline/detmath"
	"livelab/pipeline/observation"
)

// kind is what a station lies beside.
type kind int

const (
	residential kind = iota
	office
	leisurely
	hub // a railway station
	kinds
)

// mixture is how often each kind occurs among every ten stations.
var mixture = [...]kind{
	residential, office, residential, leisurely, office,
	residential, hub, residential, office, leisurely,
}

// places names what the stations of a kind are called after, and reach is how
// far they lie from the centre, in km.
var (
	places = [kinds][]string{
		residential: {"Alder Lane", "Birch Street", "Linden Square", "Mill Road", "Orchard Row", "Quarry Hill", "Well Street", "Rowan Close"},
		office:      {"Exchange", "Court House", "Tower Plaza", "Printing House", "University", "Foundry Yard", "Town Hall", "Harbour Office"},
		leisurely:   {"Lakeside", "Museum Garden", "Opera", "Castle Park", "Old Market", "Stadium", "River Beach", "Botanic Garden"},
		hub:         {"Central Station", "North Station", "Ferry Terminal", "West Station", "Bus Station", "Airport Line"},
	}
	reach = [kinds][2]float64{residential: {1.2, 4.5}, office: {0.2, 2}, leisurely: {0.5, 3.5}, hub: {0.2, 2.5}}
)

// station is one station of the simulated city.
type station struct {
	observation.Station
	kind kind
	uid  string // what the operator calls it; CityBikes' history knows stations by this name

	pull     float64 // its lasting share of the bikes, in log-odds
	slow     source  // hours of being more or less popular
	fast     source  // single rides
	outages  source
	hasSlots bool // whether the feed states its capacity
}

// newStation lays out the i-th station of a city, a pure function of the
// configuration: a bigger city has the smaller one's stations.
func newStation(cfg Config, root uint64, i int) station {
	r := newSource(root, "station").child(i)
	k := mixture[i%len(mixture)]
	name := places[k][i/len(mixture)%len(places[k])]
	lat, lon := place(cfg, k, i, r)
	return station{
		Station: observation.Station{
			ID:        fmt.Sprintf("%016x%016x", r.at(0), r.at(1)),
			Name:      fmt.Sprintf("%02d. %s", i+1, name),
			Latitude:  lat,
			Longitude: lon,
			Capacity:  int32(r.between(2, 10, 35)),
		},
		kind:     k,
		uid:      strconv.Itoa(1001 + i),
		pull:     float64(0.7 * r.normal(3)),
		slow:     r.child(1),
		fast:     r.child(2),
		outages:  r.child(3),
		hasSlots: r.at(4)%8 != 0,
	}
}

// place spreads the stations around the centre by the golden angle, so that
// they do not crowd on one side.
func place(cfg Config, k kind, i int, r source) (latitude, longitude float64) {
	const goldenAngle, kmPerDegree = 2.399963229728653, 111.2
	angle := float64(goldenAngle*float64(i)) + float64(0.6*(r.uniform(5)-0.5))
	near, far := reach[k][0], reach[k][1]
	km := near + float64((far-near)*math.Sqrt(r.uniform(6)))
	north := float64(km*detmath.Sin(angle)) / kmPerDegree
	shrink := max(0.05, detmath.Cos(cfg.Latitude*math.Pi/180))
	east := float64(km*detmath.Cos(angle)) / float64(kmPerDegree*shrink)
	return micro(cfg.Latitude + north), micro(cfg.Longitude + east)
}

// micro rounds to a millionth of a degree.
func micro(x float64) float64 { return math.Floor(float64(x*1e6)+0.5) / 1e6 }

// tide is how much each kind draws bikes at a moment, in log-odds.
func tide(m moment) [kinds]float64 {
	working := atWork(m)
	outing := float64(0.8 * bump(m.hour, 15.5, 3))
	if !m.free {
		outing = float64(float64(0.7*m.summer) * bump(m.hour, 20, 2))
	}
	return [kinds]float64{
		residential: 0.6 - float64(2.6*working) - float64(0.8*outing),
		office:      -1.2 + float64(3.2*working),
		leisurely:   -0.4 + float64(2.2*outing),
		hub:         0.3 - float64(1.6*working),
	}
}

// draw is how much the station draws bikes, in log-odds. At night the vans
// set right most of what the day has put out of balance.
func (s *station) draw(m moment, tides *[kinds]float64) float64 {
	chance := float64(1.1*s.slow.noise(m.sec, 6*hour)) + float64(0.25*s.fast.noise(m.sec, 35*minute))
	out := s.pull + chance
	night := 1 - float64(0.6*bump(m.hour, 4.5, 1.3))
	return float64(contrast * (tides[s.kind] + float64(out*night)))
}

// contrast is how unevenly bikes lie: with it about one station in thirteen
// is empty at a time.
const contrast = 1.7
