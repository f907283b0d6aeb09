package sim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"livelab/pipeline/observation"
)

// dumpRow is a row of CityBikes' history: what a station showed from a time
// on. A station is known there by its operator's name for it, the uid of the
// live API's extra.
type dumpRow struct {
	Tag       string  `parquet:"tag,dict"`
	NUID      string  `parquet:"nuid,dict"`
	Name      string  `parquet:"name,dict"`
	Latitude  float64 `parquet:"latitude,dict"`
	Longitude float64 `parquet:"longitude,dict"`
	Bikes     *int32  `parquet:"bikes"`
	Free      *int32  `parquet:"free"` // empty slots
	Timestamp int64   `parquet:"timestamp,delta,timestamp(microsecond:local)"`
}

// change is a dumpRow without what the station's rows have in common.
type change struct {
	at          int64 // seconds
	bikes, free int32
}

// WriteDump writes the changes of a month as the Parquet file of CityBikes'
// history: the stations in order of ID, each with what it showed first and
// every later sample that differs. Samples are a step apart, and none is
// later than until.
func (c *City) WriteDump(ctx context.Context, w io.Writer, month, until time.Time, step time.Duration) error {
	changes, err := c.changes(ctx, month, until, step)
	if err != nil {
		return fmt.Errorf("write dump of %s: %w", c.network.ID, err)
	}
	out := parquet.NewGenericWriter[dumpRow](w, parquet.Compression(&zstd.Codec{}))
	for i := range c.stations {
		if _, err := out.Write(c.dumpRows(&c.stations[i], changes[i])); err != nil {
			return fmt.Errorf("write dump of %s: %w", c.network.ID, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write dump of %s: %w", c.network.ID, err)
	}
	return nil
}

// changes lists each station's changes in the month.
func (c *City) changes(ctx context.Context, month, until time.Time, step time.Duration) ([][]change, error) {
	from := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0).Add(-time.Second)
	if until.Before(to) {
		to = until
	}
	all := make([][]change, len(c.stations))
	for snapshot := range c.History(from, to, step) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, r := range snapshot.Readings {
			n := len(all[i])
			if n == 0 || all[i][n-1].bikes != r.FreeBikes || all[i][n-1].free != r.EmptySlots {
				all[i] = append(all[i], change{snapshot.At.Unix(), r.FreeBikes, r.EmptySlots})
			}
		}
	}
	return all, nil
}

func (c *City) dumpRows(s *station, changes []change) []dumpRow {
	rows := make([]dumpRow, len(changes))
	for i := range changes {
		ch := &changes[i]
		rows[i] = dumpRow{
			Tag: c.network.ID, NUID: s.uid, Name: s.Name, Latitude: s.Latitude, Longitude: s.Longitude,
			Bikes: &ch.bikes, Timestamp: ch.at * 1e6,
		}
		if ch.free != observation.Unknown {
			rows[i].Free = &ch.free
		}
	}
	return rows
}

// dump answers a month that has begun by the server's time.
func (s *Server) dump(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	c, month, ok := s.parseDump(r.PathValue("year"), r.PathValue("file"))
	if !ok || month.After(now) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.apache.parquet")
	if r.Method == http.MethodHead {
		return
	}
	if err := c.WriteDump(r.Context(), w, month, now, s.cfg.DumpStep); err != nil {
		panic(http.ErrAbortHandler) // the client must not take a torn file for a whole one
	}
}

func (s *Server) parseDump(year, file string) (*City, time.Time, bool) {
	stem, isDump := strings.CutSuffix(file, "-stats.parquet")
	digits, id, hasID := strings.Cut(stem, "-")
	month, err := time.Parse("200601", digits)
	c := s.cities[id]
	ok := isDump && hasID && err == nil && strings.HasPrefix(digits, year) && len(year) == 4 && c != nil
	return c, month, ok
}
