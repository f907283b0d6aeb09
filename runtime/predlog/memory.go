package predlog

import "sync"

// memory holds frames while the disk takes none. It is bounded, and what is in
// it is lost with the process.
type memory struct {
	mu     sync.Mutex
	chunks []chunk
	bytes  int
	n      int // records, with those in flight
}

type chunk struct {
	frames  []byte
	records int
}

// add copies frames, and says how many records had to go: the oldest ones, or
// these.
func (m *memory) add(frames []byte, records, most int, oldestFirst bool) (dropped int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for oldestFirst && len(m.chunks) > 0 && m.bytes+len(frames) > most {
		dropped += m.popLocked().records
	}
	m.n -= dropped
	if m.bytes+len(frames) > most {
		return dropped + records
	}
	m.chunks = append(m.chunks, chunk{append([]byte(nil), frames...), records})
	m.bytes += len(frames)
	m.n += records
	return dropped
}

// take gives the oldest frames, about as many records as asked for. They count
// as waiting until done.
func (m *memory) take(frames []byte, most int) (_ []byte, records int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.chunks) > 0 && (records == 0 || records+m.chunks[0].records <= most) {
		c := m.popLocked()
		frames = append(frames, c.frames...)
		records += c.records
	}
	return frames, records
}

func (m *memory) popLocked() chunk {
	c := m.chunks[0]
	m.chunks[0] = chunk{}
	m.chunks = m.chunks[1:]
	m.bytes -= len(c.frames)
	return c
}

func (m *memory) done(records int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n -= records
}

func (m *memory) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}
