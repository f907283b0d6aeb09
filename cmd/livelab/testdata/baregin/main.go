// Command baregin is what BenchmarkLoad compares LiveLab with: a Gin handler
// that decodes eight features and encodes the answer that LiveLab would give,
// and does nothing else. It checks nothing, computes nothing and logs nothing.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"runtime"

	"github.com/gin-gonic/gin"
)

// question is a body of /predict.
type question struct {
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

// answer has the fields of LiveLab's own.
type answer struct {
	Y              int      `json:"y"`
	Proba          float64  `json:"proba"`
	Version        string   `json:"version"`
	Model          string   `json:"model"`
	ModelDigest    string   `json:"model_digest"`
	Threshold      float64  `json:"threshold"`
	HorizonMinutes int      `json:"horizon_minutes"`
	Network        *string  `json:"network"`
	Station        *string  `json:"station"`
	AsOf           *string  `json:"as_of"`
	WeatherAt      *string  `json:"weather_at"`
	Imputed        []string `json:"imputed"`
	RequestID      string   `json:"request_id"`
	PredictionID   string   `json:"prediction_id"`
}

func main() {
	listen := flag.String("listen", "", "`address` to serve on")
	file := flag.String("answer", "", "JSON `file` of the answer to give")
	flag.Parse()
	text, err := os.ReadFile(*file)
	if err != nil {
		log.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		log.Fatalf("read %s: %v", *file, err)
	}
	log.Fatal(http.ListenAndServe(*listen, routes(a)))
}

func routes(a answer) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.POST("/predict", func(c *gin.Context) {
		var q question
		if err := c.ShouldBindJSON(&q); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		c.JSON(http.StatusOK, a)
	})
	e.GET("/metrics", func(c *gin.Context) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		c.String(http.StatusOK, "go_memstats_mallocs_total %d\n", m.Mallocs)
	})
	return e
}
