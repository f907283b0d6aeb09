package matrix

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"livelab/pipeline/model"
	"livelab/pipeline/train"
)

// writeNPZ writes what numpy.load reads: a zip of one array a file.
//
//	inputs       names of the columns of x
//	stations     IDs, where rows are of stations
//	at           Unix seconds
//	entity       row of stations, -1 for a network
//	label        1 where it was short at t+h
//	short_now    1 where it was short at t
//	climatology  what the rival of that name forecasts with, NaN where missing
//	part         0 none, 1 train, 2 validation, 3 test
//	x            a row of inputs each
//	probability  where there is a model
//
// Arrays are stored as they are: they hardly shrink, and this is read faster.
func writeNPZ(ctx context.Context, w io.Writer, l *train.Layout, m *model.Model) error {
	z := zip.NewWriter(w)
	n := len(l.At)
	a := archive{z: z}
	a.texts("inputs", l.Inputs)
	a.texts("stations", l.Stations)
	a.array("at", "<i8", n, 0, func(w *bufio.Writer) { write(w, l.At) })
	a.array("entity", "<i4", n, 0, func(w *bufio.Writer) { write(w, entities(l)) })
	a.array("label", "|u1", n, 0, func(w *bufio.Writer) { write(w, l.Short) })
	a.array("short_now", "|u1", n, 0, func(w *bufio.Writer) { write(w, l.ShortNow) })
	a.array("climatology", "<f8", n, 0, func(w *bufio.Writer) { write(w, l.Climatology) })
	a.array("part", "|u1", n, 0, func(w *bufio.Writer) { write(w, l.Part) })
	var probability []float64
	a.array("x", "<f8", n, len(l.Inputs), func(w *bufio.Writer) {
		a.fail(l.Values(ctx, m, func(columns [][]float64, rows []int, p []float64) error {
			probability = append(probability, p...)
			var buf [8]byte
			for _, row := range rows {
				for _, c := range columns {
					binary.LittleEndian.PutUint64(buf[:], math.Float64bits(c[row]))
					if _, err := w.Write(buf[:]); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	})
	if m != nil {
		a.array("probability", "<f8", n, 0, func(w *bufio.Writer) { write(w, probability) })
	}
	a.fail(z.Close())
	return a.err
}

func write(w *bufio.Writer, values any) {
	// A bufio.Writer keeps its error until it is flushed.
	_ = binary.Write(w, binary.LittleEndian, values)
}

func entities(l *train.Layout) []int32 {
	if l.Entity != nil {
		return l.Entity
	}
	none := make([]int32, len(l.At))
	for i := range none {
		none[i] = -1
	}
	return none
}

// archive is a zip under way. After an error it does nothing.
type archive struct {
	z   *zip.Writer
	err error
}

func (a *archive) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// array adds an array of n values, or of n rows where there are columns.
func (a *archive) array(name, kind string, n, columns int, fill func(*bufio.Writer)) {
	if a.err != nil {
		return
	}
	f, err := a.z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
	if err != nil {
		a.err = err
		return
	}
	shape := fmt.Sprintf("(%d,)", n)
	if columns > 0 {
		shape = fmt.Sprintf("(%d, %d)", n, columns)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	w.WriteString(header(kind, shape))
	fill(w)
	a.fail(w.Flush())
}

// header is that of a .npy file, version 1.0: its data begins at a multiple of
// 64 bytes.
func header(kind, shape string) string {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", kind, shape)
	const before = 10 // magic, version, length
	text += strings.Repeat(" ", 63-(before+len(text))%64) + "\n"
	length := binary.LittleEndian.AppendUint16(nil, uint16(len(text)))
	return "\x93NUMPY\x01\x00" + string(length) + text
}

// texts adds an array of texts, four bytes a character, all as long as the
// longest.
func (a *archive) texts(name string, texts []string) {
	longest := 1
	for _, s := range texts {
		longest = max(longest, len([]rune(s)))
	}
	a.array(name, fmt.Sprintf("<U%d", longest), len(texts), 0, func(w *bufio.Writer) {
		for _, s := range texts {
			padded := make([]rune, longest)
			copy(padded, []rune(s))
			write(w, padded)
		}
	})
}
