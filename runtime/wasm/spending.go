package wasm

import "livelab/pipeline/features"

// most rows that a call takes now.
func (s *session) most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chunk
}

// narrow calls to what buffers have room for.
func (s *session) narrow(rows int) {
	s.mu.Lock()
	s.widest, s.chunk = min(s.widest, rows), min(s.chunk, rows)
	s.mu.Unlock()
}

// waste counts fuel of a call that must be judged again, or failed. A module
// that fails slowly would hold up its caller by the number of its rows, times
// the fuel that each may spend.
func (s *session) waste(fuel int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wasted += fuel
	if most := s.maxWasted + wasteShare*s.useful; s.maxWasted > 0 && s.wasted > most {
		return refuse("its calls that failed spent more than %d of fuel, %d of it for instances made anew after traps: return an error instead of a trap, and fail early", most, s.making)
	}
	return nil
}

// spent is all fuel, of calls and instances.
func (s *session) spent() int64 { return s.useful + s.wasted }

// remake an instance in place of one that was discarded. There may be one
// beside an error.
func (s *session) remake() (*instance, error) {
	g, err := s.pool.make()
	if err != nil {
		return nil, err
	}
	fuel := g.started + g.making
	s.mu.Lock()
	s.making += fuel
	s.mu.Unlock()
	return g, s.waste(fuel)
}

// settle counts a call, and discards the instance after a trap.
func (s *session) settle(g *instance, o outcome) (*instance, error) {
	s.stats.calls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.maxFuel > 0 && s.spent()+o.spent > s.maxFuel {
		g.close()
		if s.first == nil && o.failed { // for the one who says why
			s.first = &features.RowError{Transform: s.judge.description.Name, Reason: o.reason}
		}
		return nil, errFuel
	}
	if !o.trapped {
		return g, nil
	}
	g.close()
	s.stats.discards.Add(1)
	return nil, nil
}

// fitted counts a call that succeeded, and lets calls grow again where fuel is
// plenty.
func (s *session) fitted(n int, spent int64) {
	s.mu.Lock()
	s.useful += spent
	s.judged += n
	if n == s.chunk && spent <= s.judge.alone()/4 {
		if s.streak++; s.streak > 1 {
			s.chunk, s.streak = min(2*n, s.widest), 0
		}
	}
	s.mu.Unlock()
}

// unfit remembers that a call of n rows costs too much, or has rows that fail:
// where many do, large calls are for nothing.
func (s *session) unfit(n int) {
	s.mu.Lock()
	s.chunk, s.streak = min(s.chunk, n/2), 0
	s.mu.Unlock()
}
