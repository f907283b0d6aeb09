package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"livelab/runtime/predlog"
)

// nowhere is a prediction store that forgets.
type nowhere struct{}

func (nowhere) AddPredictions(context.Context, []predlog.Prediction) error { return nil }

func (nowhere) PrunePredictions(context.Context, time.Time) (int64, error) { return 0, nil }

func (nowhere) RecentPredictions(context.Context, int) ([]predlog.Prediction, error) {
	return nil, nil
}

// bareGin decodes and answers the same JSON as /predict, and nothing else.
func bareGin(a answer) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.POST("/predict", func(c *gin.Context) {
		var body struct {
			Features struct {
				StationsCount float64 `json:"stations_count"`
				FreeBikes     float64 `json:"free_bikes"`
				EmptySlots    float64 `json:"empty_slots"`
				TotalSlots    float64 `json:"total_slots"`
				FreeRatio     float64 `json:"free_ratio"`
				Temp          float64 `json:"temp_2m"`
				Precipitation float64 `json:"precipitation"`
				WindSpeed     float64 `json:"wind_speed_10m"`
			} `json:"features"`
		}
		if err := c.ShouldBindJSON(&body); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		c.JSON(http.StatusOK, a)
	})
	return e
}

// handlers are what the benchmarks compare. Logging goes through the real
// writer.
func handlers(b *testing.B) []contender {
	b.Helper()
	w, err := predlog.NewWriter(predlog.Config{Store: nowhere{}})
	if err != nil {
		b.Fatal(err)
	}
	w.Start()
	b.Cleanup(func() { _ = w.Stop(context.Background()) })
	withLog := func(l Log) http.Handler {
		return setup(b, func(_ *Config, d *Deps) {
			d.Log, d.Now, d.Logger = l, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil))
		}).Handler()
	}
	s := setup(b)
	v, err := s.served()
	if err != nil {
		b.Fatal(err)
	}
	var q question
	if errs := decode([]byte(`{"features":`+classic+`}`), v.schema, form{instances: 100}, &q); len(errs) > 0 {
		b.Fatal(errs)
	}
	f, err := s.forecast(b.Context(), v, &q)
	if err != nil {
		b.Fatal(err)
	}
	return []contender{
		{"bare gin", bareGin(f.answer("request-1"))},
		{"predict, logged", withLog(w)},
		{"predict, not logged", withLog(nil)},
	}
}

type contender struct {
	name    string
	handler http.Handler
}

// BenchmarkPredict is the way of eight features through the handler, without a
// network.
func BenchmarkPredict(b *testing.B) {
	body := `{"features":` + classic + `}`
	for _, c := range handlers(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{header: make(http.Header)}
			for b.Loop() {
				r := httptest.NewRequest("POST", "/predict", strings.NewReader(body))
				clear(w.header)
				c.handler.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) WriteHeader(status int)            { d.status = status }
func (d *discard) Write(b []byte) (int, error)       { return len(b), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }

// BenchmarkPredictHTTP is the same over connections that stay open.
func BenchmarkPredictHTTP(b *testing.B) {
	body := `{"features":` + classic + `}`
	for _, c := range handlers(b) {
		b.Run(c.name, func(b *testing.B) {
			ts := httptest.NewServer(c.handler)
			defer ts.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Post(ts.URL+"/predict", "application/json", strings.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		})
	}
}
