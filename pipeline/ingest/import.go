package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"livelab/pipeline/observation"
)

// ImportOptions say how to read a file. The zero value will do for files that
// name their network.
type ImportOptions struct {
	// Network is that of rows which name none. Default: none, such rows are
	// refused.
	Network string
	// Progress, where set, hears of every 100,000 rows and of the end of the
	// reading. It is called from the goroutine of Import.
	Progress func(ImportProgress)
	// Logger hears of ignored columns. Default: nobody does.
	Logger *slog.Logger
	// Now is the clock, for rows that claim to be of the future. Default
	// time.Now.
	Now func() time.Time
}

// ImportProgress is how far an import has come.
type ImportProgress struct {
	Rows  int64
	Bytes int64 // read from the file, before decompression
	Total int64 // bytes of the file, 0 where nobody knows
}

// ImportResult says what an import stored.
type ImportResult struct {
	Kind     observation.Kind // what the file has
	Rows     int64            // in the file, the header not counted
	Networks []string         // sorted
	First    time.Time        // the range of the file's times, zero for stations
	Last     time.Time
	Stations int // that a file of stations describes

	Repeated     int      // rows that said again what another said
	Contradicted int      // rows that another of the same time and station replaced
	Ignored      []string // columns that mean nothing here

	Recorded // what is new in the store
}

// RowError names the row, column and value for which a file was refused.
type RowError struct {
	File    string
	Unit    string // "line" or, in Parquet, "row"
	Row     int64  // from 1
	Column  string // empty where the row as a whole is meant
	Value   string
	Problem string
}

func (e *RowError) Error() string {
	what := e.Problem
	if e.Column != "" {
		what = fmt.Sprintf("%s %q %s", e.Column, excerpt([]byte(e.Value)), e.Problem)
	}
	return fmt.Sprintf("%s, %s %d: %s; nothing of the file was stored", e.File, e.Unit, e.Row, what)
}

// Import reads a file of recorded data, CSV (also gzipped) or Parquet, and
// stores it in one transaction. The header tells bikes
// (ts,network,station_id,free_bikes,empty_slots) from weather
// (ts,temp_2m,precipitation,wind_speed_10m, with or without network) and from
// stations (station_id,name,lat,lon,capacity, with or without network). A bad
// row is a *RowError, and then nothing is stored.
func Import(ctx context.Context, rec *Recorder, path string, opts ImportOptions) (ImportResult, error) {
	f, err := os.Open(path)
	if err != nil {
		return ImportResult{}, fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return ImportResult{}, fmt.Errorf("import: %s is a folder; name the files in it", path)
	}
	return ImportReader(ctx, rec, f, path, opts)
}

// ImportReader is Import for what is already open; name stands in messages.
// Parquet that does not come as an *os.File is copied to a temporary file.
func ImportReader(ctx context.Context, rec *Recorder, r io.Reader, name string, opts ImportOptions) (ImportResult, error) {
	im := newImporter(name, opts)
	if err := im.read(ctx, r); err != nil {
		return ImportResult{}, fmt.Errorf("import: %w", err)
	}
	series, err := im.finish()
	if err != nil {
		return ImportResult{}, fmt.Errorf("import: %w", err)
	}
	if im.result.Recorded, err = rec.Record(ctx, series...); err != nil {
		return ImportResult{}, fmt.Errorf("import %s: %w", name, err)
	}
	return im.result, nil
}

// importer holds the rows of one file while it is read.
type importer struct {
	name   string
	opts   ImportOptions
	latest int64 // the latest time that is believed, Unix seconds
	result ImportResult
	layout layout

	bikes    readingTable
	weather  weatherTable
	stations stationTable

	input     *countingReader
	totalSize int64
}

func newImporter(name string, opts ImportOptions) *importer {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &importer{name: name, opts: opts, latest: opts.Now().Add(24 * time.Hour).Unix()}
}

// countingReader counts the bytes that pass.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// read tells the format by the first bytes, whatever the file is called.
func (im *importer) read(ctx context.Context, r io.Reader) error {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			im.totalSize = info.Size()
		}
	}
	im.input = &countingReader{r: r}
	buffered := bufio.NewReaderSize(im.input, 1<<16)
	magic, err := buffered.Peek(4)
	switch {
	case len(magic) == 0 && (err == nil || errors.Is(err, io.EOF)):
		return fmt.Errorf("%s is empty", im.name)
	case len(magic) == 0:
		return fmt.Errorf("read %s: %w", im.name, err)
	case string(magic) == "PAR1":
		return im.readParquet(ctx, r, buffered)
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("unzip %s: %w", im.name, err)
		}
		return im.readCSV(ctx, unzipped)
	}
	return im.readCSV(ctx, buffered)
}

// progress is called for each row.
func (im *importer) progress(ctx context.Context) error {
	im.result.Rows++
	if im.result.Rows%100_000 != 0 {
		return nil
	}
	im.report()
	return ctx.Err()
}

func (im *importer) report() {
	if im.opts.Progress != nil {
		im.opts.Progress(ImportProgress{Rows: im.result.Rows, Bytes: im.input.n, Total: im.totalSize})
	}
}

// finish sorts what was read and describes it.
func (im *importer) finish() ([]Series, error) {
	if im.result.Rows == 0 {
		return nil, fmt.Errorf("%s has a header but no rows", im.name)
	}
	im.report()
	im.result.Kind = im.layout.kind
	var series []Series
	switch im.layout.kind {
	case KindStations:
		im.result.Repeated, im.result.Contradicted = im.stations.repeated, im.stations.contradicted
		im.result.Stations = im.stations.count()
		series = im.stations.series()
	case observation.KindBikes:
		im.result.Repeated, im.result.Contradicted = im.bikes.sort()
		series = im.bikes.series()
		for _, r := range im.bikes.rows {
			im.extend(time.Unix(int64(r.at), 0).UTC())
		}
	default:
		im.result.Repeated, im.result.Contradicted = im.weather.sort()
		series = im.weather.series()
		for _, s := range series {
			im.extend(s.Weather[0].At)
			im.extend(s.Weather[len(s.Weather)-1].At)
		}
	}
	for _, s := range series {
		im.result.Networks = append(im.result.Networks, s.Network)
	}
	return series, nil
}

// extend widens the range of the file's times.
func (im *importer) extend(at time.Time) {
	if im.result.First.IsZero() || at.Before(im.result.First) {
		im.result.First = at
	}
	if at.After(im.result.Last) {
		im.result.Last = at
	}
}
