package predlog

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"livelab/runtime/predlog/spool"
)

func TestRecordKeepsAll(t *testing.T) {
	t.Parallel()
	whole := sample()
	whole.ID, whole.Station, whole.Latency = "an id", "station é", -time.Second
	whole.Features.Values[2], whole.Features.Values[3] = math.NaN(), math.Inf(-1)
	fields := reflect.ValueOf(whole)
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			t.Fatalf("the test leaves out %s", fields.Type().Field(i).Name)
		}
	}
	others := sample()
	others.Features = Features{Names: []string{"empty_slots", "other"}, Values: []float64{1, 2}}
	longer := sample()
	longer.Features = Features{Names: []string{"empty_slots", "other", "third"}, Values: []float64{1, 2, 3}}
	want := []Prediction{whole, {}, sample(), others, sample(), longer, others}

	var frames []byte
	for i := range want {
		var ok bool
		if frames, ok = appendRecord(frames, &want[i]); !ok {
			t.Fatal("refused")
		}
	}
	var got []Prediction
	var d decoder
	spool.Each(frames, func(record []byte) {
		p, err := d.prediction(record)
		if err != nil {
			t.Error(err)
		}
		got = append(got, p)
	})
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	if !got[1].At.IsZero() {
		t.Errorf("a zero time became %v", got[1].At)
	}
}

func TestRecordTooLong(t *testing.T) {
	t.Parallel()
	p := Prediction{RequestID: string(make([]byte, spool.MaxRecord))}
	if frames, ok := appendRecord([]byte("before"), &p); ok || string(frames) != "before" {
		t.Errorf("taken, or %d bytes left", len(frames))
	}
}

func FuzzRecord(f *testing.F) {
	p := sample()
	frame, _ := appendRecord(nil, &p)
	spool.Each(frame, func(record []byte) { f.Add(record) })
	f.Add([]byte{recordVersion})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, record []byte) {
		var d decoder
		p, err := d.prediction(record)
		if err != nil {
			return
		}
		again, ok := appendRecord(nil, &p)
		if !ok {
			t.Skip("longer than a record may be")
		}
		spool.Each(again, func(record []byte) {
			q, err := d.prediction(record)
			if err != nil || !cmp.Equal(p, q, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()) {
				t.Errorf("%+v became %+v, %v", p, q, err)
			}
		})
	})
}
