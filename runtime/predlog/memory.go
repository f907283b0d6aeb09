package predlog

import (
	"bytes"
	"slices"
	"sync"
)

// memory holds frames while the disk takes none. It is bounded, and what is in
// it is lost with the process unless the disk takes it after all.
type memory struct {
	mu     sync.Mutex
	chunks []chunk
	bytes  int
	n      int    // records, with those in flight
	flight *chunk // on its way to the store, and nowhere else
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
// as waiting until done, and are not to change until then.
func (m *memory) take(frames []byte, most int) (_ []byte, records int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.chunks) > 0 && (records == 0 || records+m.chunks[0].records <= most) {
		c := m.popLocked()
		frames = append(frames, c.frames...)
		records += c.records
	}
	if records > 0 {
		m.flight = &chunk{frames, records}
	}
	return frames, records
}

// done says that what was taken is stored.
func (m *memory) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.landLocked()
}

func (m *memory) landLocked() {
	if m.flight != nil {
		m.n -= m.flight.records
		m.flight = nil
	}
}

// move has all that waits kept elsewhere, the oldest first, until keep fails.
// What is on its way to the store is kept as well, since it may not arrive.
// One goroutine calls this and add.
func (m *memory) move(keep func(chunk) error) {
	for {
		m.mu.Lock()
		c, flight := chunk{}, m.flight
		switch {
		case len(m.chunks) > 0:
			c, flight = m.popLocked(), nil
		case flight != nil:
			c = chunk{bytes.Clone(flight.frames), flight.records}
		default:
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		err := keep(c)
		m.mu.Lock()
		switch {
		case err == nil && flight == nil:
			m.n -= c.records
		case err == nil && flight == m.flight:
			m.landLocked()
		case err != nil && flight == nil:
			m.chunks = slices.Insert(m.chunks, 0, c)
			m.bytes += len(c.frames)
		}
		m.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (m *memory) popLocked() chunk {
	c := m.chunks[0]
	m.chunks[0] = chunk{}
	m.chunks = m.chunks[1:]
	m.bytes -= len(c.frames)
	return c
}

func (m *memory) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}
