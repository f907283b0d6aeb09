package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"livelab/sql/internal/value"
)

// week is a partition of the prediction log: weeks from Monday to Monday of
// UTC, of which number 0 holds the first second of Unix time.
type week int64

const (
	daySeconds  = 24 * 60 * 60
	weekSeconds = 7 * daySeconds
	// 1970-01-01 was a Thursday, so its week began three days before.
	firstMonday = -3 * daySeconds
)

func weekOf(micros int64) week {
	second := time.UnixMicro(micros).Unix() // rounded down, before 1970 too
	offset := second - firstMonday
	w := offset / weekSeconds
	if offset%weekSeconds < 0 {
		w--
	}
	return week(w)
}

// start is the first Unix second of the week.
func (w week) start() int64 { return int64(w)*weekSeconds + firstMonday }

// table is the name of the week's partition, which is also that of the
// migration that moved older rows.
func (w week) table() string {
	return "prediction_log_" + time.Unix(w.start(), 0).UTC().Format("20060102")
}

// partitions remembers the weeks whose partition is there. It may be wrong,
// after another process has removed one, and then the database says so.
type partitions struct {
	mu    sync.Mutex
	known map[week]bool
}

// missing gives the weeks of sorted rows that are not known, each once.
func (p *partitions) missing(rows []value.Prediction) (weeks []week) {
	p.mu.Lock()
	defer p.mu.Unlock()
	end := int64(0)
	for i := range rows {
		if at := rows[i].At; i == 0 || at >= end {
			w := weekOf(at)
			end = (w + 1).start() * microsPerS
			if !p.known[w] {
				weeks = append(weeks, w)
			}
		}
	}
	return weeks
}

func (p *partitions) remember(weeks []week) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[week]bool{}
	}
	for _, w := range weeks {
		p.known[w] = true
	}
}

func (p *partitions) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.known)
}

// ensurePartitions makes the partitions of the rows, which are sorted by time.
// It does so in a transaction of its own, so that the locks end at once.
func (s *Store) ensurePartitions(ctx context.Context, rows []value.Prediction) error {
	weeks := s.partitions.missing(rows)
	if len(weeks) == 0 {
		return nil
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, w := range weeks {
			if err := ensurePartition(ctx, tx, w); err != nil {
				return fmt.Errorf("make partition %s: %w", w.table(), err)
			}
		}
		return nil
	})
	if err == nil {
		s.partitions.remember(weeks)
	}
	return err
}

// attached says whether a table is a partition of the log. One of that name
// that is not is what an operator has detached, and is attached again.
const attached = `
	SELECT to_regclass($1) IS NOT NULL,
		EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'prediction_log'::regclass AND inhrelid = to_regclass($1))`

// ensurePartition makes a partition unless it is there. CREATE … PARTITION OF
// would stop everybody who reads or writes the log until the commit. ATTACH
// stops nobody but those who change partitions too, and the explicit lock, the
// same as that of ATTACH, makes them come one after the other.
func ensurePartition(ctx context.Context, tx pgx.Tx, w week) error {
	var there, done bool
	if err := tx.QueryRow(ctx, attached, w.table()).Scan(&there, &done); err != nil || done {
		return err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE prediction_log IN SHARE UPDATE EXCLUSIVE MODE"); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, attached, w.table()).Scan(&there, &done); err != nil || done {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, "CREATE TABLE "+w.table()+" (LIKE prediction_log INCLUDING ALL EXCLUDING INDEXES)"); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, fmt.Sprintf("ALTER TABLE prediction_log ATTACH PARTITION %s FOR VALUES FROM (to_timestamp(%d)) TO (to_timestamp(%d))",
		w.table(), w.start(), (w+1).start()))
	return err
}
