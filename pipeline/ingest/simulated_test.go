package ingest_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/observation"
	"livelab/sql/sqlite"
)

// TestHistoryMeetsLiveData fetches history and then the present from a
// simulated city over HTTP: the stations are the same ones in both, and the
// totals of the history are what the live data showed at the time.
func TestHistoryMeetsLiveData(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	city, err := sim.NewCity(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	handler, err := sim.NewServer(sim.ServerConfig{Cities: []*sim.City{city}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)

	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "store.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	client := ingest.NewClient(ingest.ClientConfig{Now: clock})
	bikes := ingest.NewCityBikes(ingest.CityBikesConfig{BaseURL: server.URL + "/v2", HistoryURL: server.URL}, client)
	rec := &ingest.Recorder{Store: s, Origin: observation.OriginSimulated}
	b, err := ingest.NewBackfiller(ingest.BackfillConfig{History: bikes, Recorder: rec, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	network := city.Network()
	from := now.AddDate(0, 0, -10)
	if _, err := b.Backfill(ctx, network, from, now); err != nil {
		t.Fatal(err)
	}
	c, err := ingest.NewCollector(ingest.CollectorConfig{Networks: []string{network.ID}, Bikes: bikes, Recorder: rec, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Collect(ctx).Err(); err != nil {
		t.Fatal(err)
	}

	stations, err := s.Stations(ctx, network.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(stations) != len(city.Stations()) {
		t.Errorf("the store knows %d stations, the city has %d", len(stations), len(city.Stations()))
	}
	totals, err := s.Totals(ctx, network.ID, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range totals {
		if want := city.Snapshot(got.At).Totals(); got != want {
			t.Errorf("the store has %+v, the city showed %+v", got, want)
		}
	}
	if len(totals) < 1400 {
		t.Errorf("ten days have %d snapshots", len(totals))
	}
}
