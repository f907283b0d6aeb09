package postgres_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"

	"livelab/runtime/predlog"
	"livelab/sql/pgtest"
	"livelab/sql/postgres"
)

// migrateTo brings an empty schema to a version that is not the latest.
func migrateTo(t *testing.T, url string, version int64) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

// TestMigratePredictions has a log that was written before it had partitions,
// over weeks and centuries.
func TestMigratePredictions(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	migrateTo(t, u, 1)
	want := []predlog.Prediction{prediction(-2_000_000), prediction(-1), prediction(0), prediction(167), prediction(168), prediction(2_000_000)}
	for i := range want {
		p := &want[i]
		asOf, network := "NULL", "NULL"
		if i%2 == 0 {
			p.Network, p.AsOf = "oslo", p.At.Add(-time.Minute)
			asOf, network = "'"+p.AsOf.Format(time.RFC3339)+"'", "'oslo'"
		} else {
			p.AsOf = time.Time{}
		}
		p.Positive, p.Probability, p.Latency, p.Digest = i == 1, 0.1, time.Duration(i), "d"
		execute(t, u, fmt.Sprintf(`INSERT INTO prediction_log VALUES
			('%s', '%s', 'm', '', 'd', '', %s, %s, '{"free_bikes": %v}', 0.1, (%d = 1)::int, 0, 0, %[7]d)`,
			p.ID, p.At.Format(time.RFC3339), network, asOf, p.Features.Values[0], i, i))
	}
	s := reopen(t, u, postgres.Options{})
	mustHave(t, s, want)
	mustHavePartitions(t, u, "prediction_log_17960620", "prediction_log_20240812", "prediction_log_20240819", "prediction_log_20240826", "prediction_log_22521011")
	if n := query[int](t, u, "SELECT count(*)::int FROM prediction_log WHERE data_age = 60 AND role = 'served' AND station IS NULL"); n[0] != 3 {
		t.Errorf("%d rows have the age of their data, want 3", n[0])
	}
	// The same predictions again are stored already, in the same partitions.
	mustAdd(t, s, want...)
	mustHave(t, s, want)
	mustPrune(t, s, monday, 2)
}
