package ingest

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"livelab/pipeline/observation"
)

func TestImportStations(t *testing.T) {
	t.Parallel()
	want := map[string]observation.Station{
		"1": {ID: "1", Name: "Quay, north", Latitude: 59.9, Longitude: 10.7, Capacity: 20},
		"2": {ID: "2", Latitude: math.NaN(), Longitude: math.NaN(), Capacity: observation.Unknown},
	}
	tests := map[string]string{
		"plain":      "station_id,name,lat,lon,capacity\n1,\"Quay, north\",59.9,10.7,20\n2,,,,\n",
		"aliases":    "Capacity,LONGITUDE,latitude,address,station_id,name\n20,10.7,59.9,Road 1,1,\"Quay, north\"\n,,,x,2,\n",
		"twice":      "station_id,name,lat,lon,capacity\n1,Old,1,1,1\n2,,,,\n2,,,,\n1,\"Quay, north\",59.9,10.7,20.0\n",
		"in columns": "network,station_id,name,lat,lon,capacity\nhere,1,\"Quay, north\",59.9,10.7,20\n,2,,,,\n",
	}
	for name, text := range tests {
		store := newMemStore()
		r, err := ImportReader(t.Context(), &Recorder{Store: store, Origin: observation.OriginReal}, strings.NewReader(text), "stations.csv", ImportOptions{Network: "here"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Kind != KindStations || r.Stations != 2 || (name == "twice") != (r.Repeated == 1 && r.Contradicted == 1) {
			t.Errorf("%s: result %+v", name, r)
		}
		if diff := cmp.Diff(want, store.stationsOf("here"), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestImportStationsRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		row, want string
	}{
		"a latitude":       {"9,Q,91,10.7,20", `line 3: lat "91" is not a number from -90 to 90`},
		"a longitude":      {"9,Q,59,x,20", `line 3: lon "x" is not a number from -180 to 180`},
		"one coordinate":   {"9,Q,59,,20", "line 3: it has one coordinate without the other"},
		"nowhere":          {"9,Q,0,0,20", "line 3: the coordinates 0, 0"},
		"a capacity":       {"9,Q,59,10,-1", `line 3: capacity "-1" is not a whole number`},
		"half a dock":      {"9,Q,59,10,1.5", `line 3: capacity "1.5" is not a whole number`},
		"an ID":            {",Q,59,10,1", `line 3: station_id "" is empty`},
		"a name":           {"9,Q\x01,59,10,1", "line 3: name"},
		"a field too many": {"9,Q,59,10,1,2", "line 3: it has 6 fields, the header has 5"},
	}
	for name, tt := range tests {
		store := newMemStore()
		text := "station_id,name,lat,lon,capacity\n1,Fine,59.9,10.7,20\n" + tt.row + "\n"
		_, err := ImportReader(t.Context(), &Recorder{Store: store, Origin: observation.OriginReal}, strings.NewReader(text), "stations.csv", ImportOptions{Network: "here"})
		var row *RowError
		if !errors.As(err, &row) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
		if n := len(store.stationsOf("here")); n != 0 {
			t.Errorf("%s: %d stations were stored", name, n)
		}
	}
}

func TestLayoutTellsStations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header string
		want   observation.Kind
	}{
		{"station_id,lat,lon", KindStations},
		{"station_id,name,latitude,longitude,capacity,ts", KindStations},
		{"ts,station_id,lat,lon,capacity,free_bikes,empty_slots", observation.KindBikes},
		{"ts,temp_2m,precipitation,wind_speed_10m,lat,lon", observation.KindWeather},
	}
	for _, tt := range tests {
		if l, err := newLayout(strings.Split(tt.header, ",")); err != nil || l.kind != tt.want {
			t.Errorf("%s is taken for %s, %v", tt.header, l.kind, err)
		}
	}
	for _, header := range []string{"station_id,lat", "station_id,longitude", "station_id,lat,latitude,lon"} {
		if l, err := newLayout(strings.Split(header, ",")); err == nil {
			t.Errorf("%s is taken for %s", header, l.kind)
		}
	}
}
