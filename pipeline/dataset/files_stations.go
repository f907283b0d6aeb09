package dataset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

type stationRow struct {
	ID        string   `parquet:"station_id"`
	Name      string   `parquet:"name"`
	Latitude  *float64 `parquet:"latitude,optional"`
	Longitude *float64 `parquet:"longitude,optional"`
	Capacity  int32    `parquet:"capacity"`          // -1 where not known
	MovedAt   *int64   `parquet:"moved_at,optional"` // Unix seconds
	Changes   int32    `parquet:"changes"`           // how many rows are its own
}

// changeRow is a change of one station. The rows are ordered by station and
// time.
type changeRow struct {
	Station    int32 `parquet:"station,delta"` // its row in the stations
	TS         int64 `parquet:"ts,delta"`      // Unix seconds
	FreeBikes  int32 `parquet:"free_bikes"`    // -1 where not known
	EmptySlots int32 `parquet:"empty_slots"`   // -1 where not known
	InService  bool  `parquet:"in_service"`
}

// rowsAtOnce is how many changes are in memory as rows: a city has millions.
const rowsAtOnce = 4096

func writeStations(dir string, s *features.Stations) error {
	rows := make([]stationRow, len(s.List))
	for i, st := range s.List {
		rows[i] = stationRow{
			ID: st.ID, Name: st.Name, Latitude: known(st.Latitude), Longitude: known(st.Longitude),
			Capacity: st.Capacity, Changes: int32(s.Past[i].Len()),
		}
		if !st.MovedAt.IsZero() {
			at := st.MovedAt.Unix()
			rows[i].MovedAt = &at
		}
	}
	if err := parquet.WriteFile(filepath.Join(dir, stationsFile), rows, parquet.Compression(&parquet.Zstd)); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, changesFile))
	if err != nil {
		return err
	}
	return errors.Join(writeChanges(f, s), f.Close())
}

func writeChanges(w io.Writer, s *features.Stations) error {
	out := parquet.NewGenericWriter[changeRow](w, parquet.Compression(&parquet.Zstd))
	rows := make([]changeRow, 0, rowsAtOnce)
	for i := range s.Past {
		c := &s.Past[i]
		for k := range c.At {
			rows = append(rows, changeRow{int32(i), c.At[k], c.FreeBikes[k], c.EmptySlots[k], c.InService[k]})
			if len(rows) < rowsAtOnce {
				continue
			}
			if _, err := out.Write(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	if _, err := out.Write(rows); err != nil {
		return err
	}
	return out.Close()
}

func readFrozenStations(dir string) (*features.Stations, error) {
	rows, err := parquet.ReadFile[stationRow](filepath.Join(dir, stationsFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stationsFile, err)
	}
	f, err := os.Open(filepath.Join(dir, changesFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// The reader would panic on a file that is not Parquet.
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", changesFile, err)
	}
	in := parquet.NewGenericReader[changeRow](file)
	defer in.Close()
	s, err := stationsOf(rows, in.NumRows())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stationsFile, err)
	}
	if err := readChanges(in, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", changesFile, err)
	}
	for i, r := range rows {
		if n := s.Past[i].Len(); n != int(r.Changes) {
			return nil, fmt.Errorf("read %s: the station %q has %d changes, the list says %d", changesFile, r.ID, n, r.Changes)
		}
	}
	return s, nil
}

// stationsOf makes room for the changes of each station, which are so many in
// all.
func stationsOf(rows []stationRow, changes int64) (*features.Stations, error) {
	s := &features.Stations{List: make([]observation.Station, len(rows)), Past: make([]features.Changes, len(rows))}
	for i, r := range rows {
		if i > 0 && r.ID <= rows[i-1].ID {
			return nil, fmt.Errorf("the stations are not in ascending order: %q comes after %q", r.ID, rows[i-1].ID)
		}
		if changes -= int64(r.Changes); r.Changes < 0 || changes < 0 {
			return nil, fmt.Errorf("the station %q has %d changes, more than there are", r.ID, r.Changes)
		}
		s.List[i] = observation.Station{ID: r.ID, Name: r.Name, Latitude: orNaN(r.Latitude), Longitude: orNaN(r.Longitude), Capacity: r.Capacity}
		if r.MovedAt != nil {
			s.List[i].MovedAt = time.Unix(*r.MovedAt, 0).UTC()
		}
		s.Past[i] = features.Changes{
			At:         make([]int64, 0, r.Changes),
			FreeBikes:  make([]int32, 0, r.Changes),
			EmptySlots: make([]int32, 0, r.Changes),
			InService:  make([]bool, 0, r.Changes),
		}
	}
	if changes != 0 {
		return nil, fmt.Errorf("%d changes are of no station", changes)
	}
	return s, nil
}

func readChanges(in *parquet.GenericReader[changeRow], s *features.Stations) error {
	rows := make([]changeRow, rowsAtOnce)
	last := int32(0)
	for {
		n, err := in.Read(rows)
		for _, r := range rows[:n] {
			if r.Station < last || int(r.Station) >= len(s.List) {
				return fmt.Errorf("a change is of station %d after one of station %d, of %d stations", r.Station, last, len(s.List))
			}
			last = r.Station
			c := &s.Past[r.Station]
			if err := follows(c, s.List[r.Station].ID, r.TS); err != nil {
				return err
			}
			c.Add(time.Unix(r.TS, 0), observation.State{FreeBikes: r.FreeBikes, EmptySlots: r.EmptySlots, InService: r.InService})
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
