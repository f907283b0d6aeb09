package postgres

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/jackc/pgx/v5"

	"livelab/sql/internal/value"
)

// predictionColumns are in the order of the table, which is that of
// appendPrediction.
const predictionColumns = `ts, id, as_of, data_age, latency, proba, threshold, horizon, role, y,
	model, model_version, model_digest, request_id, network, station, features`

func copyPredictions(ctx context.Context, conn *pgx.Conn, table string, rows []value.Prediction) error {
	_, err := conn.PgConn().CopyFrom(ctx, &copyReader[value.Prediction]{rows: rows, appendRow: appendPrediction},
		"COPY "+table+" ("+predictionColumns+") FROM STDIN (FORMAT binary)")
	return err
}

func appendPrediction(b []byte, p *value.Prediction) []byte {
	b = append(b, 0, 17) // columns
	b = appendInt64(b, pgTime(p.At))
	b = append(b, 0, 0, 0, 16)
	b = append(b, p.ID[:]...)
	if p.HasAsOf {
		b = appendInt64(b, pgTime(p.AsOf))
		b = appendFloat(b, p.DataAge())
	} else {
		b = appendNull(appendNull(b))
	}
	b = appendInt64(b, int64(p.Latency))
	b = appendFloat(b, p.Probability)
	b = appendFloat(b, p.Threshold)
	b = appendFloat(b, p.HorizonHours)
	b = appendText(b, string(p.Role))
	y := byte(0)
	if p.Positive {
		y = 1
	}
	b = append(b, 0, 0, 0, 2, 0, y)
	b = appendText(b, p.Model)
	b = appendText(b, p.Version)
	b = appendText(b, p.Digest)
	b = appendText(b, p.RequestID)
	b = appendName(b, p.Network)
	b = appendName(b, p.Station)
	return appendFeatures(b, p)
}

// appendFeatures writes the JSON behind its length, which is known afterwards.
func appendFeatures(b []byte, p *value.Prediction) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = value.AppendFeatures(b, p.Features)
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// pgTime is the binary timestamp of microseconds of Unix time.
func pgTime(micros int64) int64 { return micros - epoch*microsPerS }

func appendFloat(b []byte, v float64) []byte { return appendInt64(b, int64(math.Float64bits(v))) }
