package matrix

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/model"
	"livelab/pipeline/train"
)

// rowsInGroup are written together: what of a Parquet file is in memory.
const rowsInGroup = 1 << 17

const shortNow = "short_now"

// writeParquet writes a column for each of at (Unix seconds), entity, label,
// short_now, part and the inputs, and probability where there is a model. An
// input that is missing is null.
func writeParquet(ctx context.Context, w io.Writer, l *train.Layout, m *model.Model) error {
	schema, err := schemaOf(l, m)
	if err != nil {
		return err
	}
	index := make(map[string]int)
	for i, path := range schema.Columns() {
		index[path[0]] = i
	}
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowsInGroup))
	next := 0
	err = l.Values(ctx, m, func(columns [][]float64, rows []int, p []float64) error {
		values := make(parquet.Row, len(index))
		set := func(name string, v parquet.Value, level int) {
			values[index[name]] = v.Level(0, level, index[name])
		}
		for i, row := range rows {
			set("at", parquet.Int64Value(l.At[next]), 0)
			set("entity", parquet.ByteArrayValue([]byte(entityOf(l, next))), 0)
			set("label", parquet.BooleanValue(l.Short[next]), 0)
			set(shortNow, parquet.BooleanValue(l.ShortNow[next]), 0)
			set("part", parquet.ByteArrayValue([]byte(l.Part[next].String())), 0)
			for j, name := range l.Inputs {
				if name == shortNow {
					continue // the column says the same
				}
				if v := columns[j][row]; math.IsNaN(v) {
					set(name, parquet.NullValue(), 0)
				} else {
					set(name, parquet.DoubleValue(v), 1)
				}
			}
			if m != nil {
				set("probability", parquet.DoubleValue(p[i]), 0)
			}
			if _, err := out.WriteRows([]parquet.Row{values}); err != nil {
				return err
			}
			next++
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Close()
}

func schemaOf(l *train.Layout, m *model.Model) (*parquet.Schema, error) {
	group := parquet.Group{
		"at":     parquet.Leaf(parquet.Int64Type),
		"entity": parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
		"label":  parquet.Leaf(parquet.BooleanType),
		shortNow: parquet.Leaf(parquet.BooleanType),
		"part":   parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
	}
	if m != nil {
		group["probability"] = parquet.Leaf(parquet.DoubleType)
	}
	for _, name := range l.Inputs {
		if name == shortNow {
			continue
		}
		if group[name] != nil {
			return nil, fmt.Errorf("the input %q has the name of another column", name)
		}
		group[name] = parquet.Optional(parquet.Leaf(parquet.DoubleType))
	}
	return parquet.NewSchema("rows", group), nil
}
