package ingest

import (
	"context"
	"fmt"
	"iter"
	"time"

	"livelab/pipeline/observation"
)

// flushRows is how many rows are gathered before they are written.
const flushRows = 50_000

// snapshotWriter puts an ascending sequence of snapshots among the stored
// ones. It works in blocks: the new snapshots between two neighbouring stored
// times. Within a block each snapshot is compared with the one before it; at
// the stored snapshot that follows the block, what held there is restored.
type snapshotWriter struct {
	ctx     context.Context
	tx      Tx
	network string

	started bool
	last    time.Time   // of the sequence
	stored  []time.Time // stored snapshot times from the first new one on
	next    int         // the first of them that is not before last

	ledger *ledger                      // of the open block, nil where none is open
	held   map[string]observation.State // at heldAt, the stored snapshot after the block
	heldAt time.Time

	pending Batch
	result  Recorded
}

// recordSnapshots stores the snapshots of a sequence whose times are new.
func recordSnapshots(ctx context.Context, tx Tx, network string, snapshots iter.Seq2[observation.Snapshot, error]) (Recorded, error) {
	w := &snapshotWriter{ctx: ctx, tx: tx, network: network}
	for s, err := range snapshots {
		if err == nil {
			err = w.add(s)
		}
		if err != nil {
			return Recorded{}, err
		}
	}
	if err := w.closeBlock(); err != nil {
		return Recorded{}, err
	}
	return w.result, w.flush()
}

func (w *snapshotWriter) add(s observation.Snapshot) error {
	if err := w.follow(&s); err != nil {
		return err
	}
	for w.next < len(w.stored) && w.stored[w.next].Before(s.At) {
		if err := w.closeBlock(); err != nil {
			return err
		}
		w.next++
	}
	if w.next < len(w.stored) && w.stored[w.next].Equal(s.At) {
		w.result.Skipped++
		return nil
	}
	if err := w.openBlock(s.At); err != nil {
		return err
	}
	return w.append(s)
}

// follow checks the order of the sequence and, at its first snapshot, learns
// what is stored from there on.
func (w *snapshotWriter) follow(s *observation.Snapshot) (err error) {
	s.At = s.At.UTC().Truncate(time.Second)
	if w.started && !s.At.After(w.last) {
		return fmt.Errorf("snapshot of %s comes after that of %s; snapshots must ascend", s.At.Format(time.RFC3339), w.last.Format(time.RFC3339))
	}
	w.last = s.At
	if !w.started {
		w.started = true
		w.stored, err = w.tx.SnapshotTimes(w.ctx, w.network, s.At, time.Time{})
	}
	return err
}

// openBlock learns what held before the block and what holds after it. Both
// are asked for before the block writes anything.
func (w *snapshotWriter) openBlock(at time.Time) (err error) {
	if w.ledger != nil {
		return nil
	}
	before := w.held
	if known := w.next > 0 && w.held != nil && w.heldAt.Equal(w.stored[w.next-1]); !known {
		if before, err = w.tx.States(w.ctx, w.network, at); err != nil {
			return err
		}
	}
	w.ledger, w.held = newLedger(before), nil
	if w.next < len(w.stored) {
		w.heldAt = w.stored[w.next]
		w.held, err = w.tx.States(w.ctx, w.network, w.heldAt)
	}
	return err
}

func (w *snapshotWriter) append(s observation.Snapshot) (err error) {
	if w.pending.Changes, err = w.ledger.apply(s, w.pending.Changes); err != nil {
		return err
	}
	w.pending.Totals = append(w.pending.Totals, s.Totals())
	if w.result.From.IsZero() {
		w.result.From = s.At
	}
	w.result.To = s.At
	if len(w.pending.Changes)+len(w.pending.Totals) >= flushRows {
		return w.flush()
	}
	return nil
}

// closeBlock restores what held at the stored snapshot after the open block.
func (w *snapshotWriter) closeBlock() error {
	if w.ledger == nil {
		return nil
	}
	if w.next < len(w.stored) {
		w.pending.Changes = w.ledger.restore(w.heldAt, w.held, w.pending.Changes)
	}
	w.ledger = nil
	return w.flush()
}

func (w *snapshotWriter) flush() error {
	b := &w.pending
	if len(b.Changes)+len(b.Totals) == 0 {
		return nil
	}
	if err := w.tx.Write(w.ctx, w.network, *b); err != nil {
		return err
	}
	w.result.Changes += len(b.Changes)
	w.result.Snapshots += len(b.Totals)
	b.Changes, b.Totals = b.Changes[:0], b.Totals[:0]
	return nil
}
