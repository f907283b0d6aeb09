package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"livelab/runtime/predlog"
	"livelab/sql/pgtest"
	"livelab/sql/postgres"
)

// monday begins a week; prediction n is n hours after it.
var monday = time.Date(2024, 8, 19, 0, 0, 0, 0, time.UTC)

func prediction(n int) predlog.Prediction {
	return predlog.Prediction{
		ID:       uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)).String(),
		At:       monday.Add(time.Duration(n) * time.Hour),
		Role:     predlog.Served,
		Model:    "m",
		AsOf:     monday.Add(time.Duration(n)*time.Hour - 90*time.Second),
		Features: predlog.FeaturesOf(map[string]float64{"free_bikes": float64(n)}),
	}
}

func predictions(from, to int) (ps []predlog.Prediction) {
	for n := from; n < to; n++ {
		ps = append(ps, prediction(n))
	}
	return ps
}

func mustAdd(t *testing.T, s *postgres.Store, ps ...predlog.Prediction) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.AddPredictions(ctx, ps); err != nil {
		t.Fatalf("AddPredictions: %v", err)
	}
}

func mustPrune(t *testing.T, s *postgres.Store, before time.Time, want int64) {
	t.Helper()
	if n, err := s.PrunePredictions(t.Context(), before); err != nil || n != want {
		t.Errorf("pruned %d, %v; want %d", n, err, want)
	}
}

// mustHave compares the log, newest first, with predictions, oldest first.
func mustHave(t *testing.T, s *postgres.Store, want []predlog.Prediction) {
	t.Helper()
	got, err := s.RecentPredictions(t.Context(), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(got)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("predictions (-want +got):\n%s", diff)
	}
}

// query gives the first column of all rows.
func query[V any](t *testing.T, url, sql string) []V {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, _ := conn.Query(t.Context(), sql)
	values, err := pgx.CollectRows(rows, pgx.RowTo[V])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

const partitionNames = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'prediction_log'::regclass ORDER BY 1"

func mustHavePartitions(t *testing.T, url string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, query[string](t, url, partitionNames), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
}

func TestWeeklyPartitions(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	s := reopen(t, u, postgres.Options{})
	mustHavePartitions(t, u)
	mustAdd(t, s, prediction(-1), prediction(0), prediction(167), prediction(168))
	mustHavePartitions(t, u, "prediction_log_20240812", "prediction_log_20240819", "prediction_log_20240826")
	if ages := query[float64](t, u, "SELECT data_age FROM prediction_log"); !slices.Equal(ages, []float64{90, 90, 90, 90}) {
		t.Errorf("the ages of the data are %v, want 90 s each", ages)
	}
	// The rows before the bound go, and with the last of a week its partition.
	mustPrune(t, s, monday.Add(time.Hour), 2)
	mustHavePartitions(t, u, "prediction_log_20240819", "prediction_log_20240826")
	mustPrune(t, s, monday.AddDate(0, 0, 7), 1)
	mustHavePartitions(t, u, "prediction_log_20240826")
}

// TestPartitionGoneElsewhere has one process write to a week that another has
// removed meanwhile, or an operator has detached.
func TestPartitionGoneElsewhere(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	a, b := reopen(t, u, postgres.Options{}), reopen(t, u, postgres.Options{})
	mustAdd(t, a, predictions(0, 3)...)
	mustPrune(t, b, monday.AddDate(0, 0, 7), 3)
	mustAdd(t, a, predictions(-2, 2)...)
	mustHave(t, a, predictions(-2, 2))
	execute(t, u, "ALTER TABLE prediction_log DETACH PARTITION prediction_log_20240819")
	mustAdd(t, b, predictions(1, 4)...)
	mustHave(t, a, predictions(-2, 4))
}

// TestForeignPartition has a partition that an operator made: its rows count,
// and it goes when all of it is past.
func TestForeignPartition(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	s := reopen(t, u, postgres.Options{})
	execute(t, u, `CREATE TABLE "The past" PARTITION OF prediction_log FOR VALUES FROM (MINVALUE) TO ('2024-08-12 00:00+00')`)
	insert := `INSERT INTO prediction_log (ts, id, latency, proba, threshold, horizon, y, model, model_version, model_digest, request_id, features)
		VALUES ('2020-01-01', gen_random_uuid(), 0, 0, 0, 0, 0, '', '', '', '', '{}'), ('2021-01-01', gen_random_uuid(), 0, 0, 0, 0, 0, '', '', '', '', '{}')`
	execute(t, u, insert)
	mustAdd(t, s, prediction(0))
	mustPrune(t, s, time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC), 1)
	mustHavePartitions(t, u, `"The past"`, "prediction_log_20240819")
	mustPrune(t, s, monday, 1)
	mustHavePartitions(t, u, "prediction_log_20240819")
}

// TestPruneBesideAReader prunes while somebody reads the log for long. Writers
// go on, the rows go, and the empty partition goes the next time.
func TestPruneBesideAReader(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	s := reopen(t, u, postgres.Options{})
	mustAdd(t, s, predictions(0, 20)...)
	mustAdd(t, s, predictions(168, 170)...)
	reader, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.Background())
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT count(*) FROM prediction_log"); err != nil {
		t.Fatal(err)
	}
	pruned := make(chan struct{})
	go func() {
		defer close(pruned)
		mustPrune(t, s, monday.AddDate(0, 0, 7), 20)
	}()
	var slowest time.Duration
	for n := 1; ; n++ {
		p := prediction(n)
		p.At = monday.AddDate(0, 0, 7).Add(time.Duration(n) * time.Second)
		start := time.Now()
		mustAdd(t, s, p)
		slowest = max(slowest, time.Since(start))
		select {
		case <-pruned:
		default:
			continue
		}
		break
	}
	if slowest > 5*time.Second { // 100 ms, and what a busy machine adds
		t.Errorf("a writer waited %v", slowest)
	}
	mustHavePartitions(t, u, "prediction_log_20240819", "prediction_log_20240826")
	if _, err := reader.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	mustPrune(t, s, monday.AddDate(0, 0, 7), 0)
	mustHavePartitions(t, u, "prediction_log_20240826")
}

// TestCreateBesideAReader makes a partition while somebody reads and somebody
// writes, in transactions that stay open.
func TestCreateBesideAReader(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	s := reopen(t, u, postgres.Options{})
	mustAdd(t, s, prediction(0))
	other, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), "BEGIN; SELECT count(*) FROM prediction_log; UPDATE prediction_log SET latency = 0"); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, prediction(500))
	mustHave(t, s, []predlog.Prediction{prediction(0), prediction(500)})
}

// TestDatabaseRefuses has the database find fault with the data of a row.
func TestDatabaseRefuses(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	s := reopen(t, u, postgres.Options{})
	execute(t, u, "ALTER TABLE prediction_log ADD CONSTRAINT known CHECK (model <> 'unknown')")
	ps := predictions(0, 5)
	ps[3].Model = "unknown"
	err := s.AddPredictions(t.Context(), ps)
	if !errors.Is(err, predlog.ErrRefused) || !strings.Contains(err.Error(), ps[3].ID) {
		t.Errorf("error %v does not refuse prediction %s", err, ps[3].ID)
	}
	mustHave(t, s, nil)
	execute(t, u, "ALTER TABLE prediction_log RENAME TO elsewhere")
	if err := s.AddPredictions(t.Context(), ps); err == nil || errors.Is(err, predlog.ErrRefused) {
		t.Errorf("without a table: %v, want an error that is no refusal", err)
	}
}
