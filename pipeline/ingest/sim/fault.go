package sim

// episode is a stretch of time in seconds, the end excluded.
type episode struct{ from, to int64 }

func (e episode) holds(sec int64) bool { return e.from <= sec && sec < e.to }

// episodeOf gives the episode that begins on a day (counted from the epoch),
// if there is one: on one day in oneIn, at any minute, for shortest to longest
// hours.
func episodeOf(s source, days int64, oneIn uint64, shortest, longest int) (episode, bool) {
	r := s.child(int(days))
	if r.at(0)%oneIn != 0 {
		return episode{}, false
	}
	from := days*day + int64(r.between(1, 0, 24*60-1))*minute
	return episode{from, from + int64(r.between(2, shortest*60, longest*60))*minute}, true
}

// offline reports whether the station is out of service: about once in 45
// days, for one to eight hours.
func (s *station) offline(sec int64) bool {
	today := floorDiv(sec, day)
	for _, days := range [...]int64{today - 1, today} {
		if e, ok := episodeOf(s.outages, days, 45, 1, 8); ok && e.holds(sec) {
			return true
		}
	}
	return false
}

// mute gives the index of the one station whose feed does not tell its empty
// slots at the time, or -1: about every sixth day, for one to six hours.
func (c *City) mute(sec int64) int {
	today := floorDiv(sec, day)
	for _, days := range [...]int64{today - 1, today} {
		if e, ok := episodeOf(c.feed, days, 6, 1, 6); ok && e.holds(sec) {
			return c.feed.child(int(days)).between(3, 0, len(c.stations)-1)
		}
	}
	return -1
}
