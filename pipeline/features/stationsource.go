package features

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// blockRows is how many rows a block of stations has, about: so many that
// workers have something to do, and few enough to stay near the processor.
const blockRows = 1 << 16

// checkStations says what rows of stations cannot be made from.
func checkStations(task Task, h History) error {
	switch {
	case task.Target.Kind != AtMost:
		return fmt.Errorf("task %q: a station's target is %s, not %s", task.Name, AtMost, task.Target.Kind)
	case task.StateTTLMinutes < 1:
		return fmt.Errorf("task %q: state TTL is %d minutes, must be at least 1", task.Name, task.StateTTLMinutes)
	case h.Stations == nil:
		return fmt.Errorf("task %q: the data has no stations; freeze a dataset from a store that has them", task.Name)
	case len(h.Stations.Past) != len(h.Stations.List):
		return fmt.Errorf("task %q: %d stations have %d pasts", task.Name, len(h.Stations.List), len(h.Stations.Past))
	}
	for i := 1; i < len(h.Stations.List); i++ {
		if a, b := h.Stations.List[i-1].ID, h.Stations.List[i].ID; a >= b {
			return fmt.Errorf("task %q: stations are not sorted by ID at %s", task.Name, b)
		}
	}
	return ascending(h.Series, nil)
}

// startWalk makes a walk over a history.
func startWalk(task Task, h History) (*walk, error) {
	tl := newTimeline(task)
	tl.extend(h.Series)
	w := newWalk(task, h.Stations.List, tl)
	errs := make([]error, len(w.shown))
	w.parallel(func(lo, hi int) {
		for s := lo; s < hi; s++ {
			errs[s] = w.shown[s].extend(&h.Stations.Past[s])
		}
	})
	return w, errors.Join(errs...)
}

// stationBlocks walks the rows of stations.
func (s *Source) stationBlocks(ctx context.Context, from, to time.Time, yield func(*Frame) error) error {
	var points []int
	for _, i := range rowPoints(s.task, s.history.Series.Points) {
		if t := s.history.Series.Points[i].At; !t.Before(from) && (to.IsZero() || !t.After(to)) {
			points = append(points, i)
		}
	}
	stations := len(s.history.Stations.List)
	if len(points) == 0 || stations == 0 {
		return nil
	}
	w, err := startWalk(s.task, s.history)
	if err != nil {
		return err
	}
	times := min(max(blockRows/stations, 1), len(points))
	out, ms := newStationColumns(times*stations), make([]moment, 0, times)
	for first := true; len(points) > 0; first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		ms = ms[:0]
		for _, p := range points[:min(times, len(points))] {
			ms = append(ms, w.timeline.moment(p))
		}
		points = points[len(ms):]
		if first {
			w.catchUp(ms[0])
		}
		w.advance(ms, out)
		f := out.frame(s.task, len(ms)*stations)
		if err := ApplyTransforms(f, s.transforms); err != nil {
			return err
		}
		if err := yield(f); err != nil {
			return err
		}
	}
	return nil
}
