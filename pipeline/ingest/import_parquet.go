package ingest

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
)

// readParquet reads a Parquet file. It needs one that can be read anywhere;
// a stream is copied to a temporary file first.
func (im *importer) readParquet(ctx context.Context, r io.Reader, buffered io.Reader) error {
	f, ok := r.(*os.File)
	if !ok || im.totalSize == 0 {
		spool, err := os.CreateTemp("", "livelab-import-*.parquet")
		if err != nil {
			return fmt.Errorf("spool %s: %w", im.name, err)
		}
		defer os.Remove(spool.Name())
		defer spool.Close()
		if im.totalSize, err = io.Copy(spool, buffered); err != nil {
			return fmt.Errorf("spool %s: %w", im.name, err)
		}
		f = spool
	}
	table, err := openParquet(f, im.totalSize)
	if err != nil {
		return fmt.Errorf("read %s: %w", im.name, err)
	}
	if err := im.setLayout(table.columns); err != nil {
		return err
	}
	return im.readTable(ctx, table)
}

// readTable brings each row into the form of a row of CSV, so that both
// formats are judged by the same rules.
func (im *importer) readTable(ctx context.Context, table *parquetTable) error {
	var fields []field
	var wanted []int
	for f, column := range im.layout.column {
		if column >= 0 {
			fields, wanted = append(fields, field(f)), append(wanted, column)
			im.layout.column[f] = len(wanted) - 1
		}
	}
	var unit time.Duration
	if i := im.layout.column[fieldTime]; i >= 0 {
		unit = table.timeUnit(wanted[i])
	}
	row := rowReader{im: im, unit: "row"}
	cells := make([][]byte, len(wanted))
	return table.each(wanted, func(number int64, values []parquet.Value) error {
		row.number = number
		for i, v := range values {
			cells[i] = appendCell(cells[i][:0], v)
			if fields[i] == fieldTime {
				cells[i] = appendTime(cells[i], v, unit)
			}
		}
		if err := row.add(cells); err != nil {
			return err
		}
		return im.progress(ctx)
	})
}

// appendTime replaces a cell by Unix seconds where the value is a timestamp.
// Text and plain numbers stay as they are.
func appendTime(cell []byte, v parquet.Value, unit time.Duration) []byte {
	if v.Kind() != parquet.Int96 && (v.Kind() != parquet.Int64 || unit == 0) {
		return cell
	}
	t, ok := timeOf(v, unit)
	if !ok {
		return cell[:0]
	}
	return strconv.AppendInt(cell[:0], t.Unix(), 10)
}
