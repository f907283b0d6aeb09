package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"livelab/sql/pgtest"
)

// BenchmarkTrainBesidePandas is `livelab train` of network-shortage on the
// recorded autumn in PostgreSQL, beside testdata/bench_pandas.py on the same
// snapshots as raw JSONB in the same PostgreSQL: both whole processes, one
// after the other in each round. The budget is a ratio of 0.1 in time and in
// memory to the trainer that reads the table as a data frame.
func BenchmarkTrainBesidePandas(b *testing.B) {
	const python = "/usr/bin/python3" // Debian's, which has the packages
	if out, err := exec.Command(python, "-c", "import pandas, sklearn, psycopg2").CombinedOutput(); err != nil {
		b.Skipf("%s lacks a package (install python3-pandas, python3-sklearn and python3-psycopg2): %s", python, out)
	}
	file, binary, server := oslo(b), buildBinary(b), pgtest.Start(b)
	dir := b.TempDir()
	env := []string{"DATABASE_URL=" + server.URL()}
	measure(b, livelab(binary, dir, env, "import", file))
	snapshots := loadPayloads(b, server.URL(), file)

	for _, way := range []string{"frame", "cursor"} {
		b.Run(fmt.Sprintf("snapshots=%d/%s", snapshots, way), func(b *testing.B) {
			var ours, theirs usage
			for range b.N {
				theirs.add(measure(b, exec.Command(python, "-B", "testdata/bench_pandas.py", server.URL(), way)))
				ours.add(measure(b, livelab(binary, dir, env, "train", "--json")))
			}
			checkTrained(b, snapshots, ours.stdout, theirs.stdout)
			b.ReportMetric(ours.seconds/float64(b.N), "livelab-s")
			b.ReportMetric(ours.mib, "livelab-MiB")
			b.ReportMetric(theirs.seconds/float64(b.N), "pandas-s")
			b.ReportMetric(theirs.mib, "pandas-MiB")
			b.ReportMetric(ours.seconds/theirs.seconds, "time-ratio")
			b.ReportMetric(ours.mib/theirs.mib, "memory-ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// add sums the time up and keeps the highest peak and the newest output.
func (u *usage) add(v usage) {
	u.seconds += v.seconds
	u.mib = max(u.mib, v.mib)
	u.stdout = v.stdout
}

// checkTrained sees to it that both have trained on the same snapshots.
func checkTrained(b *testing.B, snapshots int, ours, theirs []byte) {
	b.Helper()
	var trained struct {
		Digest  string
		Metrics struct{ F1, Brier float64 }
	}
	var pandas struct {
		Snapshots, Rows int
		F1, Brier       float64
	}
	if err := json.Unmarshal(ours, &trained); err != nil || trained.Digest == "" {
		b.Fatalf("livelab did not train: %v\n%s", err, ours)
	}
	if err := json.Unmarshal(theirs, &pandas); err != nil || pandas.Snapshots != snapshots {
		b.Fatalf("pandas has %d of %d snapshots: %v\n%s", pandas.Snapshots, snapshots, err, theirs)
	}
	b.Logf("on the test part: livelab F1 %.3f, Brier %.4f; pandas F1 %.3f, Brier %.4f, of %d rows in all",
		trained.Metrics.F1, trained.Metrics.Brier, pandas.F1, pandas.Brier, pandas.Rows)
}

// loadPayloads fills the table payloads with a JSONB value for each snapshot
// of the file, whose rows are grouped by time, and gives their number.
func loadPayloads(b *testing.B, url, file string) int {
	b.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE TABLE payloads (id integer PRIMARY KEY, payload jsonb NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	p := &payloads{rows: bufio.NewScanner(z)}
	p.rows.Scan() // the heading
	n, err := conn.CopyFrom(ctx, pgx.Identifier{"payloads"}, []string{"id", "payload"}, p)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE payloads"); err != nil {
		b.Fatal(err)
	}
	return int(n)
}

// payloads makes of rows `ts,network,station_id,free_bikes,empty_slots` what
// the CityBikes API answers, in short.
type payloads struct {
	rows *bufio.Scanner
	row  []string // the first of the next snapshot, nil where there is none
	id   int
	body bytes.Buffer
}

func (p *payloads) Next() bool {
	if p.row == nil && !p.read() {
		return false
	}
	p.id++
	at, network := p.row[0], p.row[1]
	p.body.Reset()
	fmt.Fprintf(&p.body, `{"network":{"id":%q,"stations":[`, network)
	for separator := ""; p.row != nil && p.row[0] == at; separator = "," {
		fmt.Fprintf(&p.body, `%s{"id":%q,"free_bikes":%s,"empty_slots":%s,"timestamp":%q}`, separator, p.row[2], p.row[3], p.row[4], at)
		p.read()
	}
	p.body.WriteString("]}}")
	return true
}

func (p *payloads) read() bool {
	p.row = nil
	if p.rows.Scan() {
		p.row = strings.Split(p.rows.Text(), ",")
	}
	return p.row != nil
}

func (p *payloads) Values() ([]any, error) { return []any{p.id, p.body.String()}, nil }
func (p *payloads) Err() error             { return p.rows.Err() }
