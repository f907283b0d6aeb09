package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
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
	text := []byte(`{"features":` + classic + `}`)
	for _, c := range handlers(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{header: make(http.Header)}
			body := bytes.NewReader(text)
			r := httptest.NewRequest("POST", "/predict", body)
			r.Header.Set("Content-Type", "application/json")
			for b.Loop() {
				body.Reset(text)
				clear(w.header)
				c.handler.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// discard is a client that reads the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) WriteHeader(status int)            { d.status = status }
func (d *discard) Write(b []byte) (int, error)       { return len(b), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }

// BenchmarkPredictMany is a list of a hundred rows.
func BenchmarkPredictMany(b *testing.B) {
	const rows = 100
	text := []byte(`{"instances":[` + strings.Repeat(classic+",", rows-1) + classic + `]}`)
	for _, c := range handlers(b)[1:] {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{header: make(http.Header)}
			body := bytes.NewReader(text)
			r := httptest.NewRequest("POST", "/predict", body)
			for b.Loop() {
				body.Reset(text)
				clear(w.header)
				c.handler.ServeHTTP(w, r)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}

// BenchmarkPredictHTTP is the same over connections that stay open. The client
// is as cheap as one can be: it is in the same process and has the same cores.
func BenchmarkPredictHTTP(b *testing.B) {
	body := `{"features":` + classic + `}`
	request := []byte(fmt.Sprintf("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	for _, c := range handlers(b) {
		b.Run(c.name, func(b *testing.B) {
			ts := httptest.NewServer(c.handler)
			defer ts.Close()
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", ts.Listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				answers := bufio.NewReader(conn)
				for pb.Next() {
					if err := ask(conn, answers, request); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

// ask sends a request and reads past its answer, which must have the
// status 200 and a length.
func ask(conn net.Conn, answers *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("the answer is %q", line)
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(text)))
		}
		if len(line) == 2 {
			break
		}
	}
	if length == 0 {
		return errors.New("the answer has no length")
	}
	_, err := answers.Discard(length)
	return err
}
