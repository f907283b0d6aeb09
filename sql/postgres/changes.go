package postgres

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/jackc/pgx/v5/pgtype"

	"livelab/pipeline/observation"
	"livelab/sql/internal/value"
)

// writeChanges stores changes, which are sorted by station and time and hold
// each of these pairs once. Where they cannot meet stored rows, as in a first
// import and in every fresh snapshot, they are copied straight into the table;
// else they go through a temporary one.
func (t *tx) writeChanges(ctx context.Context, changes []value.Change) error {
	if len(changes) == 0 {
		return nil
	}
	meet, err := t.meetStored(ctx, changes)
	if err != nil {
		return err
	}
	if !meet {
		return t.copyChanges(ctx, "observations", changes)
	}
	const prepare = `
		CREATE TEMPORARY TABLE IF NOT EXISTS new_observations (LIKE observations) ON COMMIT DROP;
		TRUNCATE new_observations`
	if _, err := t.tx.Exec(ctx, prepare); err != nil {
		return err
	}
	if err := t.copyChanges(ctx, "new_observations", changes); err != nil {
		return err
	}
	_, err = t.tx.Exec(ctx, `
		INSERT INTO observations (at, station, free_bikes, empty_slots, in_service)
		SELECT at, station, free_bikes, empty_slots, in_service FROM new_observations
		ON CONFLICT (station, at) DO UPDATE SET free_bikes = excluded.free_bikes,
			empty_slots = excluded.empty_slots, in_service = excluded.in_service`)
	return err
}

// meetStored reports whether a station has a stored row between its first and
// its last change: one index probe a station. The networks' locks keep other
// writers from adding one after the look.
func (t *tx) meetStored(ctx context.Context, changes []value.Change) (meet bool, err error) {
	var stations []int32
	var first, last []pgtype.Timestamptz
	for i, c := range changes {
		if i == 0 || c.Station != changes[i-1].Station {
			stations = append(stations, c.Station)
			first = append(first, timestamp(c.At))
			last = append(last, timestamp(c.At))
		}
		last[len(last)-1].Time = value.Second(c.At)
	}
	err = t.tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT FROM unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) AS n (station, first, last)
			CROSS JOIN LATERAL (
				SELECT FROM observations o WHERE o.station = n.station AND o.at BETWEEN n.first AND n.last LIMIT 1
			) found
		)`, stations, first, last).Scan(&meet)
	return meet, err
}

func (t *tx) copyChanges(ctx context.Context, table string, changes []value.Change) error {
	_, err := t.tx.Conn().PgConn().CopyFrom(ctx, &copyReader{changes: changes},
		"COPY "+table+" (at, station, free_bikes, empty_slots, in_service) FROM STDIN (FORMAT binary)")
	return err
}

// copyReader gives changes in the binary form of COPY: a header, the rows,
// and a row of -1 columns at the end. pgx could do so from rows of any values,
// at an allocation a value.
type copyReader struct {
	changes []value.Change
	buffer  []byte // encoded, not yet read
	started bool
	ended   bool
}

// rowsPerFill bounds the buffer to about 40 KiB.
const rowsPerFill = 1000

// Read implements [io.Reader].
func (r *copyReader) Read(p []byte) (int, error) {
	if len(r.buffer) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		r.fill()
	}
	n := copy(p, r.buffer)
	r.buffer = r.buffer[n:]
	return n, nil
}

func (r *copyReader) fill() {
	b := r.buffer[:0]
	if !r.started {
		r.started = true
		b = append(b, "PGCOPY\n\xff\r\n\x00"...)
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no flags, no extension
	}
	n := min(len(r.changes), rowsPerFill)
	for i := range n {
		b = appendRow(b, &r.changes[i])
	}
	r.changes = r.changes[n:]
	if len(r.changes) == 0 {
		r.ended = true
		b = binary.BigEndian.AppendUint16(b, 0xffff)
	}
	r.buffer = b
}

func appendRow(b []byte, c *value.Change) []byte {
	b = append(b, 0, 5) // columns
	b = append(b, 0, 0, 0, 8)
	b = binary.BigEndian.AppendUint64(b, uint64(pgMicros(c.At)))
	b = append(b, 0, 0, 0, 4)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Station))
	b = appendCount(b, c.FreeBikes)
	b = appendCount(b, c.EmptySlots)
	inService := byte(0)
	if c.InService {
		inService = 1
	}
	return append(b, 0, 0, 0, 1, inService)
}

// appendCount writes a count, or NULL, which is a length of -1.
func appendCount(b []byte, n int32) []byte {
	if n == observation.Unknown {
		return append(b, 0xff, 0xff, 0xff, 0xff)
	}
	b = append(b, 0, 0, 0, 4)
	return binary.BigEndian.AppendUint32(b, uint32(n))
}
