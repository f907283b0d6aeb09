package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"time"

	"livelab/pipeline/features"
)

// Digest is the lower-case hex SHA-256 of the content: the network's ID and
// place, the origin, and every value in order, that of the stations last where
// there are any. Names are not in it, as nothing is computed from them. It does
// not depend on the file format.
func (d *Dataset) Digest() string {
	h := digester{Hash: sha256.New()}
	if d.Stations == nil {
		h.text("livelab dataset 2")
	} else {
		h.text("livelab dataset 3, with stations")
	}
	h.network(d)
	if d.Stations != nil {
		h.stations(d.Stations)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (h *digester) network(d *Dataset) {
	h.text(d.Network.ID)
	h.number(d.Network.Latitude)
	h.number(d.Network.Longitude)
	h.text(string(d.Origin))
	h.integer(int64(len(d.Series.Points)))
	for _, p := range d.Series.Points {
		h.integer(p.At.Unix())
		h.integer(int64(p.Stations))
		h.integer(int64(p.FreeBikes))
		h.integer(int64(p.EmptySlots))
	}
	h.integer(int64(len(d.Series.Weather)))
	for _, w := range d.Series.Weather {
		h.integer(w.At.Unix())
		h.number(w.Temperature)
		h.number(w.Precipitation)
		h.number(w.WindSpeed)
	}
}

// stations hashes the stations, and of each its changes: their number, and 17
// bytes for each.
func (h *digester) stations(s *features.Stations) {
	h.integer(int64(len(s.List)))
	var buf []byte
	for i := range s.List {
		st, c := &s.List[i], &s.Past[i]
		h.text(st.ID)
		h.number(st.Latitude)
		h.number(st.Longitude)
		h.integer(int64(st.Capacity))
		h.integer(unixOrZero(st.MovedAt))
		h.integer(int64(c.Len()))
		buf = buf[:0]
		for k := range c.At {
			buf = binary.LittleEndian.AppendUint64(buf, uint64(c.At[k]))
			buf = binary.LittleEndian.AppendUint32(buf, uint32(c.FreeBikes[k]))
			buf = binary.LittleEndian.AppendUint32(buf, uint32(c.EmptySlots[k]))
			inService := byte(0)
			if c.InService[k] {
				inService = 1
			}
			buf = append(buf, inService)
		}
		h.Write(buf)
	}
}

type digester struct {
	hash.Hash
	buf [8]byte
}

func (h *digester) text(s string) {
	h.integer(int64(len(s)))
	h.Write([]byte(s))
}

func (h *digester) integer(v int64) {
	binary.LittleEndian.PutUint64(h.buf[:], uint64(v))
	h.Write(h.buf[:])
}

// number hashes the bits, with one pattern for all that is missing.
func (h *digester) number(v float64) {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	h.integer(int64(math.Float64bits(v)))
}

// unixOrZero gives Unix seconds, 0 for the zero time.
func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
