package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line of CSV in bytes.
const maxLine = 1 << 18

// csvReader reads a CSV file line by line. The fields that it gives are valid
// until the next line. Quoted fields are understood, line breaks in them are
// not: no column of ours has any.
type csvReader struct {
	r      *bufio.Reader
	line   int64
	fields [][]byte
}

// next reads the next line that is not empty; io.EOF after the last.
func (c *csvReader) next() ([][]byte, error) {
	for {
		line, err := c.r.ReadSlice('\n')
		if len(line) > 0 {
			c.line++
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d is longer than %d bytes; is this a CSV file?", c.line, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("after line %d: %w", c.line, err)
		case err != nil && len(line) == 0:
			return nil, io.EOF
		}
		if c.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 {
			return c.split(line)
		}
	}
}

func (c *csvReader) split(line []byte) ([][]byte, error) {
	c.fields = c.fields[:0]
	if bytes.IndexByte(line, '"') >= 0 {
		return c.splitQuoted(line)
	}
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			c.fields = append(c.fields, line)
			return c.fields, nil
		}
		c.fields = append(c.fields, line[:i])
		line = line[i+1:]
	}
}

func (c *csvReader) splitQuoted(line []byte) ([][]byte, error) {
	r := csv.NewReader(bytes.NewReader(line))
	r.FieldsPerRecord = -1
	fields, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("line %d: quotes do not match: %q", c.line, excerpt(line))
	}
	for _, f := range fields {
		c.fields = append(c.fields, []byte(f))
	}
	return c.fields, nil
}

func (im *importer) readCSV(ctx context.Context, r io.Reader) error {
	c := &csvReader{r: bufio.NewReaderSize(r, maxLine)}
	header, err := c.next()
	if err != nil {
		return im.csvError(err)
	}
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = string(h)
	}
	if err := im.setLayout(names); err != nil {
		return err
	}
	row := rowReader{im: im, unit: "line"}
	for {
		fields, err := c.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return im.csvError(err)
		}
		row.number = c.line
		if len(fields) != im.layout.width {
			return row.fail(-1, nil, fmt.Sprintf("it has %d fields, the header has %d", len(fields), im.layout.width))
		}
		if err := row.add(fields); err != nil {
			return err
		}
		if err := im.progress(ctx); err != nil {
			return err
		}
	}
}

// csvError names the file. A stream that ends too early was cut off.
func (im *importer) csvError(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is empty", im.name)
	}
	return fmt.Errorf("read %s: %w; nothing of the file was stored", im.name, err)
}
