package features

import (
	"context"
	"time"
)

// Source makes the rows of a task from a history, block by block, so that all
// of them need not be in memory at a time. Its answers are a function of what
// it was made from: it may be walked again and again.
type Source struct {
	task       Task
	history    History
	transforms []Transform
}

// NewSource makes rows for a task, with the outputs of transforms, which are in
// their order; see Order.
func NewSource(task Task, h History, ts []Transform) (*Source, error) {
	if err := task.Validate(); err != nil {
		return nil, err
	}
	s := &Source{task: task, history: h, transforms: ts}
	if task.Entity == EntityStation {
		return s, checkStations(task, h)
	}
	return s, nil
}

// Task is the question that the rows are for.
func (s *Source) Task() Task { return s.task }

// Entities lists the stations that rows are about, by ID. It is nil for a
// network.
func (s *Source) Entities() []string {
	if s.task.Entity != EntityStation {
		return nil
	}
	ids := make([]string, len(s.history.Stations.List))
	for i, station := range s.history.Stations.List {
		ids[i] = station.ID
	}
	return ids
}

// Blocks calls yield with the rows from one time to another, both included; a
// zero time leaves that side open. Rows come in ascending order of time and,
// within a time, of entity, and a time is never cut in two. A frame may be
// overwritten once yield returns. The error of yield ends the walk and comes
// back.
func (s *Source) Blocks(ctx context.Context, from, to time.Time, yield func(*Frame) error) error {
	if s.task.Entity == EntityStation {
		return s.stationBlocks(ctx, from, to, yield)
	}
	var at []time.Time
	for _, t := range RowTimes(s.task, s.history.Series) {
		if !t.Before(from) && (to.IsZero() || !t.After(to)) {
			at = append(at, t)
		}
	}
	f, err := Build(s.task, s.history.Place, s.history.Series, at)
	if err != nil {
		return err
	}
	if err := ApplyTransforms(f, s.transforms); err != nil {
		return err
	}
	return yield(f)
}
