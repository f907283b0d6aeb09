package predlog

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// identify gives an ID to each prediction that has none: UUIDv7s, which sort
// by time, and within the batch by place. What identifies is unique and no
// secret, so that Go's own generator will do: it is seeded by the operating
// system, never repeats itself in practice and needs neither a lock nor a
// system call.
func identify(batch []Prediction, now time.Time) {
	at := ticks(now)
	for i := range batch {
		if batch[i].ID == "" {
			batch[i].ID = newID(at + uint64(i))
		}
	}
}

// ticks are 4096ths of a millisecond since 1970, which is as fine as a UUIDv7
// can be (RFC 9562, section 6.2, method 3).
func ticks(t time.Time) uint64 {
	n := uint64(t.UnixNano())
	return n/1e6<<12 | n%1e6<<12/1e6
}

// newID makes a UUIDv7: 48 bits of milliseconds, the version, 12 bits more of
// time, the variant, and 62 bits of chance.
func newID(ticks uint64) string {
	const version, variant = 7 << 12, 1 << 63
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], ticks>>12<<16|version|ticks&0xfff)
	binary.BigEndian.PutUint64(id[8:], variant|rand.Uint64()>>2)
	return id.String()
}
