package postgres

import (
	"context"

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
	_, err := t.tx.Conn().PgConn().CopyFrom(ctx, &copyReader[value.Change]{rows: changes, appendRow: appendChange},
		"COPY "+table+" (at, station, free_bikes, empty_slots, in_service) FROM STDIN (FORMAT binary)")
	return err
}

func appendChange(b []byte, c *value.Change) []byte {
	b = append(b, 0, 5) // columns
	b = appendInt64(b, pgMicros(c.At))
	b = appendInt32(b, c.Station)
	b = appendCount(b, c.FreeBikes)
	b = appendCount(b, c.EmptySlots)
	inService := byte(0)
	if c.InService {
		inService = 1
	}
	return append(b, 0, 0, 0, 1, inService)
}

func appendCount(b []byte, n int32) []byte {
	if n == observation.Unknown {
		return appendNull(b)
	}
	return appendInt32(b, n)
}
