package features_test

import (
	"math"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// goldenStations are three stations on a line to the north, seen every ten
// minutes from Monday 2026-02-02 to Tuesday noon. The second one comes to its
// place 20 minutes before that, in a snapshot in which it also changes.
func goldenStations() features.History {
	var h features.History
	begin := time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)
	for i := range 6*36 + 1 {
		p := observation.Totals{At: begin.Add(time.Duration(i) * 10 * time.Minute), Stations: 3, FreeBikes: 9, EmptySlots: 21}
		if i > 6*35 {
			p.FreeBikes, p.EmptySlots = 6, 24
		}
		h.Series.Points = append(h.Series.Points, p)
	}
	type change struct {
		day, hour, minute int
		free, empty       int32
	}
	h.Stations = &features.Stations{}
	add := func(id string, latitude float64, movedAt time.Time, changes ...change) {
		var c features.Changes
		for _, x := range changes {
			at := time.Date(2026, 2, 1+x.day, x.hour, x.minute, 0, 0, time.UTC)
			c.Add(at, observation.State{FreeBikes: x.free, EmptySlots: x.empty, InService: true})
		}
		h.Stations.List = append(h.Stations.List, observation.Station{ID: id, Latitude: latitude, Longitude: 10.75, Capacity: 10, MovedAt: movedAt})
		h.Stations.Past = append(h.Stations.Past, c)
	}
	add("a", 59.910, time.Time{}, change{1, 0, 0, 3, 7}, change{1, 12, 0, 0, 10}, change{1, 13, 0, 4, 6}, change{2, 11, 20, 2, 8}, change{2, 11, 50, 1, 9})
	add("b", 59.912, time.Date(2026, 2, 3, 11, 40, 0, 0, time.UTC), change{1, 0, 0, 0, 8}, change{2, 11, 40, 5, 3})
	add("c", 59.905, time.Time{}, change{1, 0, 0, 0, 12})
	return h
}

// TestGoldenStationRows has the values of three rows written down, of Tuesday
// 2026-02-03 12:00.
func TestGoldenStationRows(t *testing.T) {
	t.Parallel()
	task, at := features.StationShortage(0), time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	task.StepMinutes, task.StateTTLMinutes = 10, 3*24*60
	source, err := features.NewSource(task, goldenStations(), nil)
	if err != nil {
		t.Fatal(err)
	}
	// Outcomes are known of t up to 10:50, of which a station that stays has
	// 144+66 and b, whose place changes at 11:40, has two less. Bikes of a are
	// 0 from Monday 12:00 to 13:00, those of b and c always.
	const rate = (6 + 208 + 210) / 628.0
	const ofDay = (12 + 200*rate) / (18 + 200) // at 13:00 on Monday, all but a are short
	const onset = (6 + 0.5) / (204 + 1)        // a is short an hour after 11:00 to 11:50, and nobody else gets it
	const empty = (418 + 0.5) / (424 + 1)      // having none
	const emptyAtHour = (12 + 30*empty) / (18 + 30)
	const emptyHere = (210 + 10*empty) / (210 + 10)
	const odds = emptyHere / (1 - emptyHere) * (emptyAtHour / (1 - emptyAtHour)) / (empty / (1 - empty))
	nan := math.NaN()
	want := []map[string]float64{{
		"stations_count": 1, "free_bikes": 1, "empty_slots": 9, "total_slots": 10, "free_ratio": 0.1, "capacity": 10, "latitude": 59.91, "longitude": 10.75,
		"free_bikes_lag_30m": 2, "free_bikes_lag_60m": 4, "free_bikes_lag_120m": 4, "free_bikes_lag_180m": 4,
		"free_bikes_change_30m": -1, "free_bikes_change_60m": -3, "free_bikes_change_120m": -3,
		"free_bikes_yesterday": 0, "free_bikes_yesterday_ahead": 4, "free_bikes_last_week": nan, "free_bikes_last_week_ahead": nan,
		"short_now": 0, "minutes_since_change": 10, "minutes_since_short": 23 * 60, "minutes_since_not_short": 0,
		"nearest_free_bikes": 5, "neighbours_free_bikes": 2.5, "neighbours_free_ratio": 0.3125, "neighbours_short_share": 0.5, "neighbours_change_60m": 0,
		"network_free_ratio": 0.2, "network_free_ratio_change_60m": -0.1, "network_short_share": 1.0 / 3, "network_short_share_change_60m": 1.0/3 - 1.0/2,
		"shortage_rate": (6 + 50*rate) / (210 + 50), "climatology_of_day": 10 * ofDay / (6 + 10), "climatology": 10 * ofDay / (6 + 10),
		"onset_rate_of_day": onset, "onset_rate": onset, "typical_free_bikes": 4,
		"typical_bikes_change_of_day": 6 * 4.0 / (6 + 6), "typical_bikes_change": 0,
		"rate_at_bikes": 0.5, "network_rate_at_bikes": 0.5, "rate_at_bikes_and_hour": 0.5,
		"weekend": 0, "hour_ahead": 13, "day_of_week_ahead": 1, "unix_time": 1770120000, "unix_time_ahead": 1770123600, "temp_2m": nan,
	}, {
		"free_bikes": 5, "total_slots": 8, "latitude": 59.912, "free_bikes_lag_30m": nan, "free_bikes_change_60m": nan, "free_bikes_yesterday": nan,
		"minutes_since_change": 20, "minutes_since_short": 24 * 60, "minutes_since_not_short": 0, // where it was short was another place
		"nearest_free_bikes": 1, "neighbours_free_bikes": 0.5,
		"shortage_rate": rate, "climatology_of_day": ofDay, "typical_bikes_change_of_day": 0, "typical_free_bikes": nan,
	}, {
		"free_bikes": 0, "short_now": 1, "minutes_since_change": 24 * 60, "minutes_since_short": 0, "minutes_since_not_short": 24 * 60,
		"nearest_free_bikes": 1, "neighbours_free_bikes": 3,
		"rate_at_bikes": emptyHere, "network_rate_at_bikes": emptyAtHour, "rate_at_bikes_and_hour": (18 + 8*odds/(1+odds)) / (18 + 8),
	}}
	rows := 0
	if err := source.Blocks(t.Context(), at, at, func(f *features.Frame) error {
		for i, s := range f.Entity {
			rows++
			for name, v := range want[s] {
				if got := f.Value(name, i); !equal(got, v) {
					t.Errorf("%s of station %d is %v, want %v", name, s, got, v)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if rows != len(want) {
		t.Errorf("there are %d rows, want %d", rows, len(want))
	}
}
