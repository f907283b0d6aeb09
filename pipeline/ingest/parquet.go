package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetTable reads some columns of a flat Parquet file row by row.
type parquetTable struct {
	file    *parquet.File
	columns []string // names of the leaf columns, in order
}

// guardParquet turns a panic of the Parquet library, which some broken files
// cause, into an error.
func guardParquet(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the Parquet file is broken: %v", p)
	}
}

func openParquet(r io.ReaderAt, size int64) (t *parquetTable, err error) {
	defer guardParquet(&err)
	if err := checkFrame(r, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("open Parquet file: %w", err)
	}
	t = &parquetTable{file: file}
	for _, f := range file.Root().Columns() {
		if !f.Leaf() || f.Repeated() {
			return nil, fmt.Errorf("column %q is nested; only flat columns are read", f.Name())
		}
		t.columns = append(t.columns, f.Name())
	}
	return t, nil
}

const parquetMagic = "PAR1" // at both ends of a file

// checkFrame checks that a file begins and ends like Parquet, and what the
// library takes on trust: that the footer is not longer than the file. It
// would make room for up to 4 GiB of it.
func checkFrame(r io.ReaderAt, size int64) error {
	const frame = 12 // magic at both ends and the footer's length
	var head [64]byte
	var tail [8]byte
	if size < frame {
		return fmt.Errorf("%d bytes are too few for a Parquet file", size)
	}
	n, err := r.ReadAt(head[:min(size, int64(len(head)))], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read start of Parquet file: %w", err)
	}
	if !bytes.HasPrefix(head[:n], []byte(parquetMagic)) {
		return fmt.Errorf("it is no Parquet file: it begins %q", excerpt(head[:n]))
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return fmt.Errorf("read Parquet footer: %w", err)
	}
	if string(tail[4:]) != parquetMagic {
		return errors.New("the Parquet file has no footer; it is cut off")
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:])); n > size-frame {
		return fmt.Errorf("the Parquet footer claims %d bytes of a file of %d; it is broken", n, size)
	}
	return nil
}

// each calls yield for every row with the values of the columns wanted, by
// index. The values are valid during the call only.
func (t *parquetTable) each(wanted []int, yield func(row int64, values []parquet.Value) error) (err error) {
	defer guardParquet(&err)
	row := int64(0)
	for _, group := range t.file.RowGroups() {
		if err := t.eachOf(group, wanted, &row, yield); err != nil {
			return err
		}
	}
	return nil
}

func (t *parquetTable) eachOf(group parquet.RowGroup, wanted []int, row *int64, yield func(int64, []parquet.Value) error) (err error) {
	cursors := openCursors(group, wanted)
	defer closeCursors(cursors)
	values := make([]parquet.Value, len(wanted))
	for range group.NumRows() {
		*row++
		for i, c := range cursors {
			if values[i], err = c.next(); err != nil {
				return fmt.Errorf("row %d, column %q: %w", *row, t.columns[wanted[i]], err)
			}
		}
		if err := yield(*row, values); err != nil {
			return err
		}
	}
	return nil
}

// columnCursor reads one column of a row group value by value.
type columnCursor struct {
	r        parquet.ColumnChunkValueReader
	buf      [512]parquet.Value
	pos, end int
}

func openCursors(group parquet.RowGroup, wanted []int) []*columnCursor {
	chunks := group.ColumnChunks()
	cursors := make([]*columnCursor, len(wanted))
	for i, column := range wanted {
		cursors[i] = &columnCursor{r: parquet.NewColumnChunkValueReader(chunks[column])}
	}
	return cursors
}

func closeCursors(cursors []*columnCursor) {
	for _, c := range cursors {
		c.r.Close()
	}
}

func (c *columnCursor) next() (parquet.Value, error) {
	if c.pos == c.end {
		n, err := c.r.ReadValues(c.buf[:])
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return parquet.Value{}, err
		}
		c.pos, c.end = 0, n
	}
	v := c.buf[c.pos]
	c.pos++
	return v, nil
}

// appendCell writes a value as CSV would have it: nothing for null, a NaN or
// a missing value.
func appendCell(to []byte, v parquet.Value) []byte {
	switch v.Kind() {
	case parquet.Int32:
		return strconv.AppendInt(to, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(to, v.Int64(), 10)
	case parquet.Float:
		return appendNumber(to, float64(v.Float()), 32)
	case parquet.Double:
		return appendNumber(to, v.Double(), 64)
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return append(to, v.ByteArray()...)
	case parquet.Boolean:
		return strconv.AppendBool(to, v.Boolean())
	}
	return to
}

func appendNumber(to []byte, v float64, bits int) []byte {
	if math.IsNaN(v) {
		return to
	}
	return strconv.AppendFloat(to, v, 'f', -1, bits)
}

// timeUnit is the unit of a timestamp column, 0 where its type names none.
func (t *parquetTable) timeUnit(column int) time.Duration {
	logical := t.file.Root().Columns()[column].Type().LogicalType()
	if logical == nil {
		return 0
	}
	stamp, ok := logical.Value.(*format.TimestampType)
	if !ok || stamp.Unit.Value == nil {
		return 0
	}
	return stamp.Unit.Value.Duration()
}

// timeOf reads a value as a time: a Parquet timestamp of the unit, an INT96,
// Unix time, or text.
func timeOf(v parquet.Value, unit time.Duration) (time.Time, bool) {
	switch v.Kind() {
	case parquet.Int64:
		if unit == 0 {
			return unixTime(v.Int64())
		}
		perSecond := int64(time.Second / unit)
		seconds, rest := v.Int64()/perSecond, v.Int64()%perSecond
		return time.Unix(seconds, rest*int64(unit)).UTC(), true
	case parquet.Int96: // nanoseconds of the day, then the Julian day
		const julian1970 = 2440588
		stamp := v.Int96()
		nanos := int64(stamp[0]) | int64(stamp[1])<<32
		return time.Unix((int64(stamp[2])-julian1970)*24*3600, nanos).UTC(), true
	case parquet.ByteArray:
		return parseTime(string(v.ByteArray()), time.UTC)
	case parquet.Int32:
		return unixTime(int64(v.Int32()))
	}
	return time.Time{}, false
}
