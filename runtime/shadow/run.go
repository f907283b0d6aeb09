package shadow

import (
	"time"

	"livelab/runtime/predlog"
)

// run scores in batches until Stop, then what still waits.
func (s *Shadow) run() {
	defer close(s.done)
	w := &worker{metrics: s.metrics, batch: make([]predlog.Prediction, 0, s.cfg.Batch)}
	for {
		select {
		case o := <-s.queue:
			s.score(w, o)
			s.gather(w)
		case <-s.stopping:
			for len(s.queue) > 0 {
				s.score(w, <-s.queue)
				s.drain(w)
				s.log(w)
			}
			return
		}
		s.log(w)
	}
}

// gather waits a while for others to join the first of a batch.
func (s *Shadow) gather(w *worker) {
	timer := time.NewTimer(s.cfg.Interval)
	defer timer.Stop()
	for len(w.batch) < s.cfg.Batch {
		select {
		case o := <-s.queue:
			s.score(w, o)
		case <-timer.C:
			return
		case <-s.stopping:
			return
		}
	}
}

// drain takes what waits, without waiting for more.
func (s *Shadow) drain(w *worker) {
	for len(w.batch) < s.cfg.Batch && len(s.queue) > 0 {
		s.score(w, <-s.queue)
	}
}

func (s *Shadow) score(w *worker, o *offer) {
	w.score(o)
	s.free(o)
}

// log hands a batch over. It waits while the log is slow, and drops then count
// what that costs.
func (s *Shadow) log(w *worker) {
	if len(w.batch) > 0 {
		s.cfg.Log.Add(w.batch)
	}
	w.empty()
}
