package ingest

import (
	"context"
	"time"
)

// SourceStatus says how one source of one network is doing.
type SourceStatus struct {
	LastSuccess time.Time // when it was last asked and recorded, zero for never
	LastFailure time.Time // when it last failed, zero for never
	LastError   string    // of that failure; empty again after a success
	Freshness   time.Time // the newest time that its own data names
}

// note takes in the outcome of one attempt.
func (s *SourceStatus) note(now time.Time, err error, freshness time.Time) {
	if freshness.After(s.Freshness) {
		s.Freshness = freshness
	}
	if err != nil {
		s.LastFailure, s.LastError = now.UTC(), err.Error()
		return
	}
	s.LastSuccess, s.LastError = now.UTC(), ""
}

// NetworkStatus is the status of both sources of a network.
type NetworkStatus struct {
	Network string
	Bikes   SourceStatus
	Weather SourceStatus
}

// Status is a snapshot of how each network is doing, in the order of the
// configuration. It may be called at any time, by anyone.
func (c *Collector) Status() []NetworkStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]NetworkStatus, 0, len(c.cfg.Networks))
	for _, network := range c.cfg.Networks {
		out = append(out, c.status[network])
	}
	return out
}

// standsStillAfter is the age at which a feed stands still: one that works is
// minutes old.
const standsStillAfter = time.Hour

// watch says, once until it moves again, that a feed stands still. A source
// can do so for months while it answers.
func (c *Collector) watch(ctx context.Context, r *NetworkResult) {
	if r.Freshness.IsZero() {
		return
	}
	age := c.cfg.Now().Sub(r.Freshness)
	still := age > standsStillAfter
	c.mu.Lock()
	known := c.still[r.Network]
	c.still[r.Network] = still
	c.mu.Unlock()
	if !still {
		return
	}
	r.Stale = age
	if !known {
		c.cfg.Logger.WarnContext(ctx, "the feed stands still", "network", r.Network,
			"freshness", r.Freshness, "age", age.Round(time.Minute))
	}
}

func (c *Collector) note(network string, change func(*NetworkStatus)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.status[network]
	change(&s)
	c.status[network] = s
}

// locate remembers where a network is, unless the configuration says it.
func (c *Collector) locate(p Place) {
	if c.cfg.Latitude != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.places[p.Network] = p
}

func (c *Collector) place(network string) (Place, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.places[network]
	return p, ok
}

// weatherDue reports whether it is time to ask for a network's weather. While
// nobody could say yet where the network is, the failure of the bikes is
// error enough.
func (c *Collector) weatherDue(network string) bool {
	if c.cfg.Weather == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.status[network]
	if _, located := c.places[network]; !located && s.Bikes.LastError != "" {
		return false
	}
	return s.Weather.LastSuccess.IsZero() || c.cfg.Now().Sub(s.Weather.LastSuccess) >= c.cfg.WeatherEvery
}
