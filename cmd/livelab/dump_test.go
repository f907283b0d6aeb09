package main

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// dumped are the queries that show all that a store holds of its sources, in
// an order of their own and without the keys that depend on history.
var dumped = []struct{ table, query string }{
	{"origin", "SELECT value FROM store_meta WHERE key = 'origin'"},
	{"networks", "SELECT id, name, latitude, longitude FROM networks ORDER BY id"},
	{"stations", "SELECT network, station_id, name, capacity FROM stations ORDER BY 1, 2"},
	{"observations", "SELECT network, station_id, at, free_bikes, o.empty_slots, in_service FROM observations o JOIN stations s ON o.station = s.key ORDER BY 1, 2, 3"},
	{"snapshots", "SELECT network, at, stations, free_bikes, empty_slots FROM snapshots ORDER BY 1, 2"},
	{"weather", "SELECT network, at, temp_2m, precipitation, wind_speed_10m FROM weather ORDER BY 1, 2"},
	{"raw_bikes", "SELECT network, hex(digest) FROM raw_bikes ORDER BY 1, 2"},
	{"raw_weather", "SELECT network, hex(digest) FROM raw_weather ORDER BY 1, 2"},
}

// dumpSQLite writes a SQLite store as text: two stores that hold the same are
// the same text.
func dumpSQLite(path string) (string, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var out strings.Builder
	for _, d := range dumped {
		rows, err := db.Query(d.query)
		if err != nil {
			return "", fmt.Errorf("dump %s: %w", d.table, err)
		}
		if err := dumpRows(&out, d.table, rows); err != nil {
			return "", fmt.Errorf("dump %s: %w", d.table, err)
		}
	}
	return out.String(), nil
}

func dumpRows(out *strings.Builder, table string, rows *sql.Rows) error {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		fmt.Fprint(out, table)
		for _, v := range values {
			fmt.Fprint(out, " ", *v.(*any))
		}
		fmt.Fprintln(out)
	}
	return rows.Err()
}

// expand finds the one file that a pattern stands for.
func expand(pattern string) (string, error) {
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) != 1 {
		err = fmt.Errorf("%s stands for %d files, want one", pattern, len(files))
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
}
