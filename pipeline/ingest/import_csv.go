package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
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
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("after line %d: the gzip file ends too early, it was not copied whole: %w", c.line, err)
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

// header reads the first line, and says of what is no CSV what it looks like.
func (c *csvReader) header() ([][]byte, error) {
	start, err := c.r.Peek(512) // the first line, or enough of it
	line, _, _ := bytes.Cut(start, []byte{'\n'})
	if !looksLikeText(line) {
		return nil, fmt.Errorf("it is neither CSV, gzipped CSV nor Parquet: it begins %q", excerpt(line[:min(len(line), 16)]))
	}
	if err != nil && !errors.Is(err, io.EOF) && len(start) == 0 {
		return nil, err
	}
	header, err := c.next()
	if err != nil || len(header) > 1 {
		return header, err
	}
	for _, separator := range []string{";", "\t", "|"} {
		if bytes.Contains(header[0], []byte(separator)) {
			return nil, fmt.Errorf("its columns are separated by %q; write commas", separator)
		}
	}
	return header, nil
}

// looksLikeText holds for UTF-8, whose last character may be cut off, without
// control characters but those of lines.
func looksLikeText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax:
			return false
		case r < ' ' && r != '\n' && r != '\r' && r != '\t':
			return false
		}
		b = b[n:]
	}
	return true
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
	header, err := c.header()
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
