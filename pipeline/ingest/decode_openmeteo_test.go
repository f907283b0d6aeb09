package ingest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// weatherString lists rows as "time temperature precipitation wind".
func weatherString(w Weather) string {
	var out []string
	for _, r := range w.Rows {
		out = append(out, fmt.Sprintf("%s %.6g %.6g %.6g", r.At.Format("01-02T15:04"), r.Temperature, r.Precipitation, r.WindSpeed))
	}
	return strings.Join(out, "; ")
}

func TestDecodeWeather(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, want string }{
		"current, a quarter of an hour": {`{"utc_offset_seconds":0,"current_units":{"temperature_2m":"°C","precipitation":"mm","wind_speed_10m":"km/h"},
			"current":{"time":"2026-05-11T06:15","interval":900,"temperature_2m":8.5,"precipitation":0.3,"wind_speed_10m":12}}`, "05-11T06:15 8.5 1.2 12"},
		"current, an hour":            {`{"current":{"time":"2026-05-11T06:15","interval":3600,"temperature_2m":8.5,"precipitation":0.3,"wind_speed_10m":12}}`, "05-11T06:15 8.5 0.3 12"},
		"no precipitation":            {`{"current":{"time":"2026-05-11T06:15","interval":900,"temperature_2m":8.5,"wind_speed_10m":12}}`, "05-11T06:15 8.5 NaN 12"},
		"no interval":                 {`{"current":{"time":"2026-05-11T06:15","temperature_2m":8.5,"precipitation":1,"wind_speed_10m":12}}`, "05-11T06:15 8.5 NaN 12"},
		"text and null":               {`{"current":{"time":"2026-05-11T06:15","interval":"900","temperature_2m":"8.5","precipitation":null,"wind_speed_10m":[]}}`, "05-11T06:15 8.5 NaN NaN"},
		"local time by offset":        {`{"utc_offset_seconds":7200,"timezone":"Europe/Rome","current":{"time":"2026-05-11T08:15","interval":900,"temperature_2m":8.5}}`, "05-11T06:15 8.5 NaN NaN"},
		"local time by name":          {`{"timezone":"Europe/Rome","current":{"time":"2026-05-11T08:15","interval":900,"temperature_2m":8.5}}`, "05-11T06:15 8.5 NaN NaN"},
		"Unix time":                   {`{"utc_offset_seconds":7200,"current":{"time":1778480100,"interval":900,"temperature_2m":8.5}}`, "05-11T06:15 8.5 NaN NaN"},
		"foreign units":               {`{"current_units":{"temperature_2m":"°F","precipitation":"inch","wind_speed_10m":"mp/h"},"current":{"time":"2026-05-11T06:15","interval":3600,"temperature_2m":50,"precipitation":1,"wind_speed_10m":10}}`, "05-11T06:15 10 25.4 16.0934"},
		"metres a second":             {`{"current_units":{"wind_speed_10m":"m/s"},"current":{"time":"2026-05-11T06:15","wind_speed_10m":10}}`, "05-11T06:15 NaN NaN 36"},
		"knots":                       {`{"current_units":{"wind_speed_10m":"kn"},"current":{"time":"2026-05-11T06:15","wind_speed_10m":10}}`, "05-11T06:15 NaN NaN 18.52"},
		"values that cannot be true":  {`{"current":{"time":"2026-05-11T06:15","interval":900,"temperature_2m":800,"precipitation":-1,"wind_speed_10m":3}}`, "05-11T06:15 NaN NaN 3"},
		"hours, the future dropped":   {`{"hourly_units":{"precipitation":"mm"},"hourly":{"time":["2026-05-11T05:00","2026-05-11T06:00","2026-05-11T07:00"],"temperature_2m":[1,2,3],"precipitation":[0.1,null,0.3],"wind_speed_10m":[4,5,6]}}`, "05-11T05:00 1 0.1 4; 05-11T06:00 2 NaN 5"},
		"hours without any value":     {`{"hourly":{"time":["2026-05-11T05:00","2026-05-11T06:00"],"temperature_2m":[1,null]}}`, "05-11T05:00 1 NaN NaN"},
		"only the future":             {`{"hourly":{"time":["2026-05-12T05:00"],"temperature_2m":[1]}}`, ""},
		"hours in disorder and twice": {`{"hourly":{"time":["2026-05-11T06:00","2026-05-11T05:00","2026-05-11T05:00"],"temperature_2m":[1,2,3]}}`, "05-11T05:00 3 NaN NaN; 05-11T06:00 1 NaN NaN"},
		"both, the current one wins":  {`{"hourly":{"time":["2026-05-11T05:00","2026-05-11T06:00"],"temperature_2m":[1,2]},"current":{"time":"2026-05-11T06:00","interval":900,"temperature_2m":8.5}}`, "05-11T05:00 1 NaN NaN; 05-11T06:00 8.5 NaN NaN"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeWeather([]byte(tc.body), fetched)
			if err != nil {
				t.Fatal(err)
			}
			if s := weatherString(got); s != tc.want {
				t.Errorf("rows %s, want %s", s, tc.want)
			}
		})
	}
}

func TestDecodeWeatherRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, want string }{
		"empty":            {"", "empty"},
		"HTML":             {"<html>", "HTML"},
		"cut off":          {`{"current":{"time":"2026`, "cut off"},
		"limit":            {`{"error":true,"reason":"Minutely API request limit exceeded. Please try again in one minute."}`, "Minutely API request limit"},
		"error only":       {`{"error":true}`, "refuses"},
		"several places":   {`[{"current":{}}]`, "not an object"},
		"nothing":          {`{"latitude":1}`, "neither"},
		"other shape":      {`{"hourly":[1,2]}`, "another shape"},
		"no variable":      {`{"current":{"time":"2026-05-11T06:15","interval":900,"rain":1}}`, "none of"},
		"no time":          {`{"current":{"temperature_2m":1}}`, "cannot be read"},
		"future":           {`{"current":{"time":"2026-05-11T07:15","temperature_2m":1}}`, "future"},
		"unknown unit":     {`{"current_units":{"temperature_2m":"K"},"current":{"time":"2026-05-11T06:15","temperature_2m":280}}`, `"K"`},
		"unknown zone":     {`{"timezone":"Mars/Olympus","current":{"time":"2026-05-11T06:15","temperature_2m":1}}`, "Mars"},
		"absurd offset":    {`{"utc_offset_seconds":1e9,"current":{"time":"2026-05-11T06:15","temperature_2m":1}}`, "utc_offset"},
		"uneven columns":   {`{"hourly":{"time":["2026-05-11T05:00"],"temperature_2m":[1,2]}}`, "2 values for 1 times"},
		"bad hour":         {`{"hourly":{"time":["yesterday"],"temperature_2m":[1]}}`, "yesterday"},
		"hour's unit":      {`{"hourly_units":{"precipitation":"cm"},"hourly":{"time":["2026-05-11T05:00"],"precipitation":[1]}}`, `"cm"`},
		"times no strings": {`{"hourly":{"time":[{"a":1}],"precipitation":[1]}}`, "cannot be read"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeWeather([]byte(tc.body), fetched)
			var decode *DecodeError
			if !errors.As(err, &decode) || !strings.Contains(err.Error(), tc.want) || decode.Hint == "" {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestDecodeRecordedWeather decodes recorded answers where they are found
// beside the repository.
func TestDecodeRecordedWeather(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"openmeteo_current_mainz_2026-02-09_no-precipitation-field.json": "02-09T18:00 4.2 NaN 3.6",
		"openmeteo_current_moscow_2025-12-25.json":                       "12-25T03:45 -4.1 0 7.6",
		"openmeteo_current_oman_2024-05-21.json":                         "05-21T00:30 30.1 0 23.4",
		"openmeteo_archive_hourly_1953.json":                             "01-30T22:00 5.8 NaN 23.2; 01-30T23:00 5.5 NaN 23.7; 01-31T00:00 5.1 NaN 24.8",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeWeather(fixture(t, name), fetched)
			if err != nil {
				t.Fatal(err)
			}
			if s := weatherString(got); s != want {
				t.Errorf("rows %s, want %s", s, want)
			}
		})
	}
	for _, name := range []string{"openmeteo_error_400_bad_variable_docs.json", "openmeteo_error_429_minutely.json", "gbfs_ecobici_bad-body_2024-04-12.txt"} {
		if _, err := DecodeWeather(fixture(t, name), fetched); err == nil {
			t.Errorf("%s was decoded", name)
		}
	}
}

func FuzzDecodeWeather(f *testing.F) {
	f.Add(`{"utc_offset_seconds":7200,"current_units":{"wind_speed_10m":"m/s"},"current":{"time":"2026-05-11T08:15","interval":900,"temperature_2m":8.5,"precipitation":"0.1"}}`)
	f.Add(`{"hourly":{"time":["2026-05-11T05:00","2026-05-11T06:00"],"temperature_2m":[1,null],"precipitation":[0,1],"wind_speed_10m":[4,5]}}`)
	f.Add(`{"error":true,"reason":"no"}`)
	f.Add("<html>")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := DecodeWeather([]byte(body), fetched)
		if err != nil {
			return
		}
		last := time.Time{}
		for _, r := range got.Rows {
			if !r.At.After(last) && !last.IsZero() || r.At.After(fetched.Add(futureSlack)) {
				t.Errorf("time %s after %s", r.At, last)
			}
			last = r.At
			if math.IsInf(r.Temperature, 0) || math.IsInf(r.WindSpeed, 0) || r.Precipitation < 0 || r.Precipitation > 1000 {
				t.Errorf("row %+v", r)
			}
		}
	})
}
