package server

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	batch "livelab/runtime/forecast"
	"livelab/runtime/loader"
)

func TestPredictForAStation(t *testing.T) {
	t.Parallel()
	about := load(t, stationShortage(), "s1")
	alone := func(_ *Config, d *Deps) { d.Models = &models{current: about} }
	without := func(_ *Config, d *Deps) { d.Repository = &repository{loaded: map[string]*loader.Loaded{"": about}} }
	newer := func(_ *Config, d *Deps) {
		m := stationShortage()
		m.Intercept = 1
		d.Repository = &repository{loaded: map[string]*loader.Loaded{"": load(t, m, "s2")}}
	}
	still := &snapshot{asOf: noon.Add(-61 * time.Minute)}
	away := &snapshot{err: errors.New("connection refused")}
	stored := withStations(t, about)
	for name, tt := range map[string]struct {
		options []option
		body    string
		status  int
		want    []string
	}{
		"no model":                {[]option{withStations(t, nil)}, `{"station":"465"}`, 503, []string{"problem:no-station-model", "network-shortage, is about a whole network", `"missing":["the model station-shortage"]`}},
		"no model, and a network": {nil, `{"station":"465","network":"oslo-bysykkel"}`, 503, []string{"problem:no-station-model"}},
		"a model beside":          {[]option{stored}, `{"station":"465"}`, 200, []string{`"model":"station-shortage"`, `"station":"465"`, `"network":"oslo-bysykkel"`, `"version":"s1"`, `"as_of":"2026-05-11T11:57:00Z","age_seconds":180`, `"imputed":["climatology"]`}},
		"beside, for a network":   {[]option{stored}, `{}`, 200, []string{`"model":"network-shortage"`, `"station":null`, `"age_seconds":180`}},
		"nothing else in service": {[]option{withoutModel, stored}, `{"station":"465"}`, 200, []string{`"version":"s1"`}},
		"nothing for the network": {[]option{withoutModel, stored}, `{}`, 503, []string{"problem:no-model"}},
		"a model of its own":      {[]option{stored, alone}, `{"station":"465"}`, 200, []string{`"station":"465"`, `"as_of":"2026-05-11T11:57:00Z"`}},
		"no station named":        {[]option{stored, alone}, `{}`, 400, []string{`"field":"station"`, "the model is about stations"}},
		"features of a station":   {[]option{stored, alone}, `{"features":` + classic + `}`, 200, []string{`"model":"station-shortage"`, `"station":null`, `"age_seconds":null`}},
		"an unknown capacity":     {[]option{stored}, `{"station":"466"}`, 200, []string{`"imputed":["empty_slots","total_slots","free_ratio","climatology"]`}},
		"out of service":          {[]option{stored}, `{"station":"467"}`, 503, []string{"problem:no-data", `no forecast for the station \"467\" of oslo-bysykkel: it is out of service`, `"missing":["it is out of service"]`}},
		"an unknown station":      {[]option{stored}, `{"station":"4<6"}`, 404, []string{"problem:unknown-station", "GET /api/stations?network=oslo-bysykkel lists its 3 stations"}},
		"an unknown network":      {[]option{stored}, `{"station":"465","network":"atlantis"}`, 404, []string{"problem:unknown-network"}},
		"a store that stands":     {[]option{withSnapshot(t, still, about)}, `{"station":"465"}`, 503, []string{"problem:no-data", "of 2026-05-11T10:59:00Z, 1h1m0s before now, and stands for 1h0m0s"}},
		"a model just come":       {[]option{withStations(t, nil), without}, `{"station":"465"}`, 503, []string{"problem:no-data", "is being made; try again"}},
		"a newer model just come": {[]option{stored, newer}, `{"station":"465"}`, 200, []string{`"version":"s1"`}}, // which the list is by, too
		"nothing kept":            {[]option{without}, `{"station":"465"}`, 503, []string{"problem:no-data", "stored data of stations"}},
		"the store is away":       {[]option{withSnapshot(t, away, about)}, `{"station":"465"}`, 503, []string{"problem:store-unavailable"}},
	} {
		s := setup(t, tt.options...)
		w := do(s.Handler(), "POST", "/predict", tt.body)
		wantParts(t, name, w, tt.status, tt.want)
		if ps := s.log.logged(); tt.status == 200 && strings.Contains(tt.body, `"46`) && (len(ps) != 1 || ps[0].Station == "" || ps[0].Network != "oslo-bysykkel" || ps[0].Model != stationModel) {
			t.Errorf("%s: logged as %+v", name, ps)
		}
		if tt.status == 503 && strings.Contains(w.Body.String(), "connection refused") {
			t.Errorf("%s: the client is told %s", name, w.Body)
		}
	}
}

// listedStations is what GET /api/stations says, as far as it is compared.
type listedStations struct {
	Version  *string         `json:"version"`
	AsOf     string          `json:"as_of"`
	Age      int64           `json:"age_seconds"`
	ValidAt  *string         `json:"valid_at"`
	Stale    bool            `json:"stale"`
	Notice   string          `json:"notice"`
	Total    int             `json:"stations_total"`
	Answered int             `json:"stations_forecast"`
	Stations []listedStation `json:"stations"`
}

type listedStation struct {
	Name       string   `json:"name"`
	Station    string   `json:"station"`
	Capacity   *int     `json:"capacity"`
	Latitude   *float64 `json:"latitude"`
	FreeBikes  *int     `json:"free_bikes"`
	InService  bool     `json:"in_service"`
	Y          *int     `json:"y"`
	Proba      *float64 `json:"proba"`
	Rank       *int     `json:"rank"`
	NoForecast string   `json:"no_forecast"`
}

func listStations(t *testing.T, s *testServer, path string) (got listedStations) {
	t.Helper()
	w := do(s.Handler(), "GET", path, "")
	if w.Code != 200 {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestStationsAreOneAnswer holds the list, the station's own page, /predict and
// /explain to the same probability as of the same time.
func TestStationsAreOneAnswer(t *testing.T) {
	t.Parallel()
	s := setup(t, withStations(t, load(t, stationShortage(), "s1")))
	list := listStations(t, s, "/api/stations")
	if *list.Version != "s1" || list.AsOf != "2026-05-11T11:57:00Z" || list.Age != 180 || *list.ValidAt != "2026-05-11T12:57:00Z" || list.Stale || list.Notice != "" {
		t.Errorf("%+v", list)
	}
	if list.Total != 3 || list.Answered != 2 || len(list.Stations) != 3 {
		t.Fatalf("%+v", list)
	}
	for i, st := range list.Stations {
		if st.NoForecast != "" {
			if i != 2 || st.Station != "467" || st.Proba != nil || st.Y != nil || st.Rank != nil || st.FreeBikes != nil || st.InService {
				t.Errorf("without a forecast: %+v", st)
			}
			continue
		}
		if *st.Rank != i+1 || i > 0 && *st.Proba > *list.Stations[i-1].Proba {
			t.Errorf("%d: %+v", i, st)
		}
		var one listedStation
		var predicted answer
		var explained explanation
		for path, into := range map[string]any{"GET /api/stations/" + st.Station: &one, "POST /predict": &predicted, "POST /explain": &explained} {
			method, path, _ := strings.Cut(path, " ")
			body := ""
			if method == "POST" {
				body = `{"station":"` + st.Station + `"}`
			}
			if err := json.Unmarshal(do(s.Handler(), method, path, body).Body.Bytes(), into); err != nil {
				t.Fatal(err)
			}
		}
		if *one.Proba != *st.Proba || predicted.Proba != *st.Proba || explained.Proba != *st.Proba || predicted.Y != *st.Y {
			t.Errorf("%s: listed %v, alone %v, predicted %v, explained %v", st.Station, *st.Proba, *one.Proba, predicted.Proba, explained.Proba)
		}
		if *predicted.AsOf != list.AsOf || *predicted.Station != st.Station || *predicted.AgeSeconds != list.Age {
			t.Errorf("%+v", predicted)
		}
		if !strings.Contains(explained.Explanation, " "+st.Name+" ") {
			t.Errorf("the words are not about the station: %s", explained.Explanation)
		}
	}
	if st := list.Stations[1]; st.Capacity == nil || st.Latitude == nil {
		t.Errorf("a place and a capacity that are known: %+v", st)
	}
	if st := list.Stations[0]; st.Capacity != nil || st.Latitude != nil {
		t.Errorf("a place and a capacity that are not known: %+v", st)
	}
}

func TestStationsSortedAndLimited(t *testing.T) {
	t.Parallel()
	s := setup(t, withStations(t, load(t, stationShortage(), "s1")))
	for path, want := range map[string]string{
		"/api/stations":                        "466 465 467",
		"/api/stations?sort=risk&limit=1":      "466",
		"/api/stations?sort=station":           "465 466 467",
		"/api/stations?sort=station&limit=2":   "465 466",
		"/api/stations?network=oslo-bysykkel":  "466 465 467",
		"/api/stations?limit=100000&sort=risk": "466 465 467",
	} {
		var got []string
		for _, st := range listStations(t, s, path).Stations {
			got = append(got, st.Station)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
	for path, want := range map[string][]string{
		"/api/stations?limit=0&sort=name":                 {"400", `"field":"sort"`, `"field":"limit"`},
		"/api/stations?limit=many":                        {"400", `is \"many\"`},
		"/api/stations?network=atlantis":                  {"404", "problem:unknown-network"},
		"/api/stations/468":                               {"404", "problem:unknown-station"},
		"/api/stations/465?network=atlantis":              {"404", "problem:unknown-network"},
		"/api/stations/%22%3E%0A?network=oslo-bysykkel":   {"404", "problem:unknown-station"},
		"/api/stations/467":                               {"200", `"no_forecast":"it is out of service"`, `"y":null,"proba":null,"rank":null`},
		"/api/stations/466?network=oslo-bysykkel&limit=x": {"200", `"capacity":null`, `"empty_slots":null`},
	} {
		w := do(s.Handler(), "GET", path, "")
		wantParts(t, path, w, map[string]int{"200": 200, "400": 400, "404": 404}[want[0]], want[1:])
	}
}

// TestStationsThatAreOld says so: of a store that stands still, of one that is
// away, and without a model.
func TestStationsThatAreOld(t *testing.T) {
	t.Parallel()
	about := load(t, stationShortage(), "s1")
	still := listStations(t, setup(t, withSnapshot(t, &snapshot{asOf: noon.Add(-61 * time.Minute)}, about)), "/api/stations")
	if !still.Stale || still.Age != 3660 || !strings.Contains(still.Notice, "run `livelab ingest`") || still.Answered != 2 {
		t.Errorf("a store that stands still: %+v", still)
	}
	none := listStations(t, setup(t, withStations(t, nil)), "/api/stations")
	if none.Version != nil || none.ValidAt != nil || none.Answered != 0 || !strings.Contains(none.Notice, "observed alone") || *none.Stations[0].FreeBikes != 3 || none.Stations[0].NoForecast == "" {
		t.Errorf("without a model: %+v", none)
	}
	from := lately()
	k := keeper(t, from, about)
	from.err = errors.New("connection refused")
	k.Refresh(t.Context())
	s := setup(t, func(_ *Config, d *Deps) { d.Stations = k })
	if away := listStations(t, s, "/api/stations"); away.Stale || away.Answered != 2 || !strings.Contains(away.Notice, "the last forecast that could be made: the store cannot be read") {
		t.Errorf("a store that is away: %+v", away)
	}
	wantParts(t, "none kept", do(setup(t).Handler(), "GET", "/api/stations", ""), 503, []string{"problem:no-data", "--stations"})
	wantParts(t, "never read", do(setup(t, withSnapshot(t, &snapshot{err: errors.New("away")}, about)).Handler(), "GET", "/api/stations", ""), 503, []string{"problem:store-unavailable"})
	several := func(_ *Config, d *Deps) { d.Stations = severalNetworks{} }
	wantParts(t, "several", do(setup(t, several).Handler(), "GET", "/api/stations", ""), 400, []string{`"field":"network"`, "one of a, b"})
}

// TestPageOfStations shows the stations in short, and bears with there being
// none.
func TestPageOfStations(t *testing.T) {
	t.Parallel()
	about := load(t, stationShortage(), "s1")
	for name, tt := range map[string]struct {
		option option
		want   []string
	}{
		"a forecast":  {withStations(t, about), []string{"of 2 stations are expected", "of 3 there are", "Bislett", "<code>s1</code>", "2026-05-11T11:57:00Z"}},
		"no model":    {withStations(t, nil), []string{"No model about stations is in service yet: 3 stations are observed"}},
		"an old one":  {withSnapshot(t, &snapshot{asOf: noon.Add(-2 * time.Hour)}, about), []string{"This is out of date"}},
		"none at all": {func(*Config, *Deps) {}, []string{"Last predictions"}},
		"about stations alone": {func(c *Config, d *Deps) {
			withStations(t, about)(c, d)
			d.Models = &models{current: about}
		}, []string{"The model in service is about stations", "Bislett"}},
	} {
		w := do(setup(t, tt.option).Handler(), "GET", "/dashboard", "")
		for _, want := range tt.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: no %q in %s", name, want, w.Body)
			}
		}
		if has := strings.Contains(w.Body.String(), `id="stations"`); has == (name == "none at all") {
			t.Errorf("%s: the stations are shown: %v", name, has)
		}
	}
}

// severalNetworks has none that stands for all.
type severalNetworks struct{}

func (severalNetworks) Current(network string) (*batch.Forecast, *batch.Failure, error) {
	return nil, nil, &dataset.NetworkError{Network: network, Known: []string{"a", "b"}}
}

func (severalNetworks) All() []batch.Summary { return nil }

// TestStationsAreSentOnce asks with the tag of what the client has.
func TestStationsAreSentOnce(t *testing.T) {
	t.Parallel()
	about := load(t, stationShortage(), "s1")
	now, from := noon, lately()
	k := keeper(t, from, about)
	s := setup(t, func(_ *Config, d *Deps) { d.Stations, d.DataNow = k, func() time.Time { return now } })
	for _, path := range []string{"/api/stations", "/api/stations/465"} {
		now, from.asOf = noon, noon.Add(-3*time.Minute)
		k.Refresh(t.Context())
		tag := do(s.Handler(), "GET", path, "").Header().Get("Etag")
		if !strings.HasPrefix(tag, `W/"`) {
			t.Fatalf("%s: the tag is %s", path, tag)
		}
		ask := func(what string, want int) {
			t.Helper()
			w := do(s.Handler(), "GET", path, "", "If-None-Match", tag)
			if w.Code != want || (w.Body.Len() == 0) != (want == 304) {
				t.Errorf("%s %s: %d %s", path, what, w.Code, w.Body)
			}
		}
		ask("at once", 304)
		now = noon.Add(time.Minute)
		ask("a minute later", 304)
		now = noon.Add(time.Hour)
		ask("too old meanwhile", 200)
		now, from.asOf = noon.Add(time.Minute), noon
		k.Refresh(t.Context())
		ask("of a new snapshot", 200)
	}
}
