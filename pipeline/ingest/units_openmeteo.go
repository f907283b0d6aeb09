package ingest

import (
	"fmt"
	"math"
)

// linear converts a value: v*scale + offset.
type linear struct{ scale, offset float64 }

// apply converts, NaN for a missing value. Products are rounded explicitly,
// for what is stored must not depend on the machine.
func (l linear) apply(n number) float64 {
	if !n.ok {
		return math.NaN()
	}
	return float64(n.value*l.scale) + l.offset
}

// weatherUnits leads from the units of a payload to ours: °C, mm, km/h.
type weatherUnits struct{ temperature, precipitation, windSpeed linear }

// The units that Open-Meteo can be asked for, as it spells them. A unit that
// is not stated is the default one, which is ours.
var (
	temperatureUnits   = map[string]linear{"": {1, 0}, "°C": {1, 0}, "°F": {5.0 / 9, -160.0 / 9}}
	precipitationUnits = map[string]linear{"": {1, 0}, "mm": {1, 0}, "inch": {25.4, 0}}
	windSpeedUnits     = map[string]linear{"": {1, 0}, "km/h": {1, 0}, "m/s": {3.6, 0}, "ms": {3.6, 0},
		"mp/h": {1.609344, 0}, "mph": {1.609344, 0}, "kn": {1.852, 0}}
)

// unitsOf reads a units object; section names it in the error.
func unitsOf(section string, stated map[string]text) (u weatherUnits, err error) {
	for _, v := range []struct {
		name  string
		known map[string]linear
		to    *linear
	}{
		{"temperature_2m", temperatureUnits, &u.temperature},
		{"precipitation", precipitationUnits, &u.precipitation},
		{"wind_speed_10m", windSpeedUnits, &u.windSpeed},
	} {
		unit := string(stated[v.name])
		conversion, ok := v.known[unit]
		if !ok {
			return u, fmt.Errorf("its %s give %s in %q, which is not a known unit", section, v.name, unit)
		}
		*v.to = conversion
	}
	return u, nil
}
