package predlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"
)

// asideFile, in this process's part of the spool, has what the store refused:
// one JSON object a line. What they are refused for can be mended, a column
// that someone added say, and the predictions be put in by hand.
const asideFile = "refused.jsonl"

// asideBytes is what the file has at most, and asideEpisode for how long
// nothing must be refused until it is worth saying again.
const (
	asideBytes   = 64 << 20
	asideEpisode = time.Minute
)

// aside is what was refused of the batch under way; the draining goroutine's
// own. It is kept when the whole batch is dealt with: one that is left to the
// next start is refused there once more.
type aside struct {
	lines   []byte
	first   error  // the store's
	firstID string // of the prediction that it is about

	said   string // of the episode
	saidAt time.Time
}

// refusal is a line of the file. The prediction's fields have the names of the
// log's columns.
type refusal struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"` // when it was refused
	Reason     string    `json:"reason"`
	Prediction struct {
		At        string            `json:"ts"` // as text, since it may be of no year that JSON's times have
		AsOf      string            `json:"as_of,omitempty"`
		Latency   time.Duration     `json:"latency"` // ns
		Proba     number            `json:"proba"`
		Threshold number            `json:"threshold"`
		Horizon   number            `json:"horizon"` // hours
		Role      Role              `json:"role"`
		Positive  bool              `json:"y"`
		Model     string            `json:"model"`
		Version   string            `json:"model_version"`
		Digest    string            `json:"model_digest"`
		RequestID string            `json:"request_id"`
		Network   string            `json:"network,omitempty"`
		Station   string            `json:"station,omitempty"`
		Features  map[string]number `json:"features"`
	} `json:"prediction"`
}

// number is told as text where JSON has none for it, which may be the very
// reason of a refusal.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return fmt.Appendf(nil, `"%v"`, float64(n)), nil
	}
	return json.Marshal(float64(n))
}

func (a *aside) add(p *Prediction, reason error) {
	r := refusal{ID: p.ID, Time: time.Now().UTC(), Reason: reason.Error()}
	to := &r.Prediction
	to.At, to.Latency, to.Role, to.Positive = p.At.Format(time.RFC3339Nano), p.Latency, p.Role, p.Positive
	if !p.AsOf.IsZero() {
		to.AsOf = p.AsOf.Format(time.RFC3339Nano)
	}
	to.Proba, to.Threshold, to.Horizon = number(p.Probability), number(p.Threshold), number(p.HorizonHours)
	to.Model, to.Version, to.Digest, to.RequestID = p.Model, p.Version, p.Digest, p.RequestID
	to.Network, to.Station, to.Features = p.Network, p.Station, make(map[string]number)
	for name, v := range p.Features.Map() {
		to.Features[name] = number(v)
	}
	if a.first == nil {
		a.first, a.firstID = reason, p.ID
	}
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // no field can be refused
	}
	a.lines = append(append(a.lines, line...), '\n')
}

// keepAside ends a batch of which the store refused some.
func (d *drain) keepAside() {
	a := &d.aside
	if a.first == nil {
		return
	}
	says, attrs := "the store refuses predictions: they are lost, since there is no spool to keep them in", []any{slog.String("id", a.firstID), slog.Any("error", a.first)}
	if s := d.w.spool.Load(); s != nil {
		path := filepath.Join(s.Dir(), asideFile)
		says, attrs = "the store refuses predictions: they are kept aside", append(attrs, slog.String("file", path))
		if err := appendLines(path, a.lines, asideBytes); err != nil {
			says, attrs = "the store refuses predictions, and they cannot be kept aside: they are lost", append(attrs, slog.Any("failed", err))
		}
	}
	if now := time.Now(); a.said != says || now.Sub(a.saidAt) > asideEpisode {
		d.w.cfg.Logger.Error(says, attrs...)
	}
	*a = aside{said: says, saidAt: time.Now()}
}

// appendLines takes lines to the disk, all or none, unless the file would have
// more bytes than most.
func appendLines(path string, lines []byte, most int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.Size()+int64(len(lines)) > most:
		err = fmt.Errorf("%s is full at %d bytes: move it away", path, info.Size())
	default:
		if _, err = f.Write(lines); err == nil {
			err = f.Sync()
		} else {
			err = errors.Join(err, f.Truncate(info.Size()))
		}
	}
	return errors.Join(err, f.Close())
}
