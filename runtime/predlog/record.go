package predlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"livelab/runtime/predlog/spool"
)

// recordVersion is the first byte of a record. What follows are the fields of
// a Prediction in the order of appendPrediction: texts with their length before
// them, times as seconds and nanoseconds since 1970, numbers little-endian.
const recordVersion = 1

// appendRecord appends a prediction as a frame of the spool. It answers false,
// and appends nothing, where that would be too long.
func appendRecord(frames []byte, p *Prediction) ([]byte, bool) {
	start := len(frames)
	frames = spool.Reserve(frames)
	body := len(frames)
	frames = appendPrediction(append(frames, recordVersion), p)
	if len(frames)-body > spool.MaxRecord {
		return frames[:start], false
	}
	spool.Seal(frames, start)
	return frames, true
}

func appendPrediction(b []byte, p *Prediction) []byte {
	b = appendText(b, p.ID)
	b = appendTime(b, p.At)
	b = appendText(b, string(p.Role))
	b = appendText(b, p.RequestID)
	b = appendText(b, p.Model)
	b = appendText(b, p.Version)
	b = appendText(b, p.Digest)
	b = appendText(b, p.Network)
	b = appendText(b, p.Station)
	b = appendTime(b, p.AsOf)
	b = appendFloat(b, p.Probability)
	b = appendFloat(b, p.Threshold)
	b = appendFloat(b, p.HorizonHours)
	b = binary.AppendVarint(b, int64(p.Latency))
	if p.Positive {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	n := min(len(p.Features.Names), len(p.Features.Values))
	b = binary.AppendUvarint(b, uint64(n))
	for _, name := range p.Features.Names[:n] {
		b = appendText(b, name)
	}
	for _, v := range p.Features.Values[:n] {
		b = appendFloat(b, v)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

func appendFloat(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// decoder reads records. Texts and lists of names that repeat are kept once:
// most records differ in little but numbers.
type decoder struct {
	rest  []byte
	err   error
	texts map[string]string
	names []string // of the record before

	// Where what does not repeat goes, so that a batch needs few pieces of
	// memory. It is filled, and never used again: predictions keep parts of it.
	own    strings.Builder
	values []float64
}

var errRecord = errors.New("the record ends early")

// manyTexts is at how many texts a decoder forgets them. The other two are how
// many bytes and numbers it gets at a time.
const (
	manyTexts  = 1024
	ownBytes   = 8 << 10
	manyValues = 1024
)

// prediction reads one record.
func (d *decoder) prediction(record []byte) (p Prediction, err error) {
	if len(record) == 0 || record[0] != recordVersion {
		return p, fmt.Errorf("the record is of another version than %d", recordVersion)
	}
	d.rest, d.err = record[1:], nil
	p.ID = d.ownText()
	p.At = d.time()
	p.Role = Role(d.text())
	p.RequestID = d.ownText()
	p.Model = d.text()
	p.Version = d.text()
	p.Digest = d.text()
	p.Network = d.text()
	p.Station = d.text()
	p.AsOf = d.time()
	p.Probability = d.float()
	p.Threshold = d.float()
	p.HorizonHours = d.float()
	p.Latency = time.Duration(d.varint())
	p.Positive = d.byte() == 1
	p.Features = d.features()
	if d.err == nil && len(d.rest) > 0 {
		return p, fmt.Errorf("the record has %d bytes too many", len(d.rest))
	}
	return p, d.err
}

func (d *decoder) features() (f Features) {
	n := d.uvarint()
	if n > uint64(len(d.rest))/9 { // a length and a number each
		d.err = errRecord
	}
	if n == 0 || d.err != nil {
		return f
	}
	same := len(d.names) == int(n)
	for i := range int(n) {
		name := d.bytes()
		if same && d.names[i] == string(name) {
			continue
		}
		if same || i == 0 {
			d.names, same = slices.Clip(slices.Clone(d.names[:i])), false
		}
		d.names = append(d.names, d.kept(name))
	}
	f.Names = d.names
	if uint64(cap(d.values)-len(d.values)) < n {
		d.values = make([]float64, 0, max(n, manyValues))
	}
	from := len(d.values)
	d.values = d.values[:from+int(n)]
	f.Values = slices.Clip(d.values[from:])
	for i := range f.Values {
		f.Values[i] = d.float()
	}
	return f
}

// ownText is a text that no other record has.
func (d *decoder) ownText() string {
	b := d.bytes()
	if d.own.Cap()-d.own.Len() < len(b) {
		d.own = strings.Builder{}
		d.own.Grow(max(len(b), ownBytes))
	}
	from := d.own.Len()
	d.own.Write(b)
	return d.own.String()[from:]
}

func (d *decoder) text() string { return d.kept(d.bytes()) }

func (d *decoder) kept(b []byte) string {
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	if d.texts == nil || len(d.texts) >= manyTexts {
		d.texts = make(map[string]string)
	}
	s := string(b)
	d.texts[s] = s
	return s
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.err = errRecord
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// time keeps the zero time zero.
func (d *decoder) time() time.Time {
	seconds, nanoseconds := d.varint(), d.uvarint()
	if nanoseconds >= uint64(time.Second) {
		d.err = errRecord
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

func (d *decoder) float() float64 {
	if len(d.rest) < 8 {
		d.err, d.rest = errRecord, nil
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.rest))
	d.rest = d.rest[8:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.err = errRecord
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	return took(d, v, n)
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	return took(d, v, n)
}

// took consumes a number of n bytes, of which a failed decoding has none.
func took[T uint64 | int64](d *decoder, v T, n int) T {
	if n <= 0 {
		d.err, d.rest = errRecord, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}
