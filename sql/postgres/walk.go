package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"livelab/pipeline/observation"
	"livelab/sql/internal/value"
)

// Changes implements [dataset.Store]. The walk sees the store as it was at its
// start, whatever is written meanwhile. It holds one connection.
func (s *Store) Changes(ctx context.Context, network string, from, to time.Time, yield func(observation.Observation) error) error {
	// Cancelling ends the query when yield has had enough. Reading the rest,
	// to keep the connection, could take far longer than making a new one.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := walk{yield: yield, stop: cancel}
	w.first, w.last = value.Range(from, to)
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if value.Short(w.first, w.last) {
			return w.short(ctx, tx, network)
		}
		return w.network(ctx, tx, network)
	})
	if w.refused != nil {
		return w.refused
	}
	if err != nil {
		return fmt.Errorf("read changes: %w", s.explain(ctx, err))
	}
	return nil
}

// walk goes over the changes of a network, station by station: each is a range
// of the primary key, in order. One query over all stations would have to sort
// them. The queries are sent together, so the network's delay counts once, and
// the rows are read from the wire without an allocation.
type walk struct {
	first, last int64
	yield       func(observation.Observation) error
	stop        func()
	refused     error // what yield returned
}

const walkQuery = `
	SELECT at, free_bikes, empty_slots, in_service FROM observations
	WHERE station = $1 AND at BETWEEN $2 AND $3 ORDER BY at`

func (w *walk) network(ctx context.Context, tx pgx.Tx, network string) error {
	rows, _ := tx.Query(ctx, "SELECT station_id, key FROM stations WHERE network = $1 ORDER BY station_id", network)
	var ids []string
	var keys []int32
	var id string
	var key int32
	_, err := pgx.ForEachRow(rows, []any{&id, &key}, func() error {
		ids, keys = append(ids, id), append(keys, key)
		return nil
	})
	if err != nil {
		return err
	}
	stmt, err := tx.Prepare(ctx, "livelab_changes", walkQuery)
	if err != nil {
		return err
	}
	results := tx.Conn().PgConn().ExecBatch(ctx, w.batch(stmt.Name, keys))
	for _, id := range ids {
		if !results.NextResult() {
			break // Close tells why
		}
		if w.refused = w.station(id, results.ResultReader()); w.refused != nil {
			w.stop()
			break
		}
	}
	return results.Close()
}

// shortQuery asks for all stations at once. OFFSET keeps the planner from
// turning the probes of the primary key, one a station, into a scan of all
// observations: there is no index by time alone, which every write would pay
// for.
const shortQuery = `
	SELECT s.station_id, o.at, coalesce(o.free_bikes, -1), coalesce(o.empty_slots, -1), o.in_service
	FROM stations s CROSS JOIN LATERAL (
		SELECT at, free_bikes, empty_slots, in_service FROM observations
		WHERE station = s.key AND at BETWEEN $2 AND $3 ORDER BY at OFFSET 0
	) o
	WHERE s.network = $1 ORDER BY s.station_id, o.at`

// short walks over a short range, where a query a station would be most of the
// cost.
func (w *walk) short(ctx context.Context, tx pgx.Tx, network string) error {
	rows, _ := tx.Query(ctx, shortQuery, network, value.Second(w.first), value.Second(w.last))
	var o observation.Observation
	_, err := pgx.ForEachRow(rows, []any{&o.StationID, &o.At, &o.FreeBikes, &o.EmptySlots, &o.InService}, func() error {
		o.At = o.At.UTC()
		w.refused = w.yield(o)
		return w.refused
	})
	return err
}

// batch asks for each station, in binary form throughout.
func (w *walk) batch(stmt string, keys []int32) *pgconn.Batch {
	formats := []int16{pgx.BinaryFormatCode} // one for all
	first := binary.BigEndian.AppendUint64(nil, uint64(pgMicros(w.first)))
	last := binary.BigEndian.AppendUint64(nil, uint64(pgMicros(w.last)))
	batch := &pgconn.Batch{}
	for _, key := range keys {
		station := binary.BigEndian.AppendUint32(nil, uint32(key))
		batch.ExecPrepared(stmt, [][]byte{station, first, last}, formats, formats)
	}
	return batch
}

// station hands the rows of one station on.
func (w *walk) station(id string, rows *pgconn.ResultReader) error {
	for rows.NextRow() {
		v := rows.Values()
		o := observation.Observation{StationID: id, At: second(int64(binary.BigEndian.Uint64(v[0])))}
		o.FreeBikes, o.EmptySlots, o.InService = count(v[1]), count(v[2]), v[3][0] != 0
		if err := w.yield(o); err != nil {
			return err
		}
	}
	return nil // an error of the query comes back from the batch
}

// count reads a count, Unknown from NULL.
func count(v []byte) int32 {
	if v == nil {
		return observation.Unknown
	}
	return int32(binary.BigEndian.Uint32(v))
}
