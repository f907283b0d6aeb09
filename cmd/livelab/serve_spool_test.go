package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestDefaultSpool holds that each store has a folder of its own, with a name
// that a folder can have.
func TestDefaultSpool(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                                  "data/bikes.db.spool",
		"postgres://u:secret@db/bikes":      "livelab-db-5432-bikes.spool",
		"postgres://u:secret@db:5433/bikes": "livelab-db-5433-bikes.spool",
	} {
		a := &app{databaseURL: url, store: "data/bikes.db"}
		if got := a.defaultSpool(); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	seen := map[string]string{}
	for _, url := range []string{
		"postgres://db/bikes", "postgres://db:5433/bikes", "postgres://db2/bikes", "postgres://db/bikes2",
		"postgres://db/bikes?search_path=a", "postgres://db/bikes?search_path=b", "postgres://db/bikes?options=-c%20search_path%3Da",
		"postgres:///bikes?host=/run/pg", "postgres:///bikes?host=/run_pg", "postgres://db/a%2Fb", "postgres://db/a_b", "postgres://db/a%3Ab",
		"postgres://db/..%2F..%2Fetc", "postgres://db/" + strings.Repeat("x", 300), "postgres://db/" + strings.Repeat("x", 301),
		"postgres://db/bici%20%C3%A0%0A*?sslmode=disable",
	} {
		name := (&app{databaseURL: url}).defaultSpool()
		if other, ok := seen[name]; ok {
			t.Errorf("%s and %s share %s", url, other, name)
		}
		seen[name] = url
		if len(name) > 150 || filepath.Base(name) != name || strings.ContainsAny(name, " \n*?:%") || strings.Contains(name, "secret") {
			t.Errorf("%s: the name %q", url, name)
		}
	}
}
