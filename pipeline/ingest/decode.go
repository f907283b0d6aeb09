package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// futureSlack is how far a source's clock may run ahead of ours.
	futureSlack = 10 * time.Minute
	// maxCount is the largest count of bikes or docks that a single station
	// is believed to have.
	maxCount = 10_000
	// excerptRunes is how much of a bad body an error quotes.
	excerptRunes = 80
)

// earliest is the oldest time of a bike count that is believed: before it no
// source existed, and what claims to be older is a clock at its epoch.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// DecodeError says why a body could not be decoded.
type DecodeError struct {
	Source  string // "CityBikes" or "Open-Meteo"
	Problem string // what is wrong with the body
	Excerpt string // the beginning of the body
	Hint    string // what to do next
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("decode %s answer: %s; the body begins %q; %s", e.Source, e.Problem, e.Excerpt, e.Hint)
}

// excerpt is the beginning of a body, on one line.
func excerpt(body []byte) string {
	body = body[:min(len(body), 8*excerptRunes)]
	words := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "�")), " ")
	if utf8.RuneCountInString(words) <= excerptRunes {
		return words
	}
	return string([]rune(words)[:excerptRunes]) + "…"
}

// checkJSON tells what a body is that should be a JSON object. It answers
// the problem and a hint, both empty where the body will do.
func checkJSON(body []byte) (problem, hint string) {
	const retry = "ask again later; where it stays so, open the URL in a browser and check the base URL in the configuration"
	switch {
	case len(body) == 0:
		return "it is empty", retry
	case len(body) > DefaultMaxBody:
		return fmt.Sprintf("it has %d bytes, more than the %d that are read", len(body), DefaultMaxBody), retry
	case body[0] == '<':
		return "it is HTML or XML, not JSON", "check the base URL, and whether a proxy or a login page answers in the source's place"
	case json.Valid(body):
		if body[0] != '{' {
			return "it is JSON, but not an object", "check the base URL in the configuration"
		}
		return "", ""
	case body[0] == '{' || body[0] == '[':
		return "its JSON is broken or cut off: " + syntaxProblem(body), retry
	}
	return "it is not JSON", retry
}

func syntaxProblem(body []byte) string {
	var any json.RawMessage
	if err := json.Unmarshal(body, &any); err != nil {
		return err.Error()
	}
	return "unknown"
}

// trimBody drops a byte order mark and the white space around.
func trimBody(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
}

// cleanText makes a name fit for one line of text: valid UTF-8, no control
// characters, no white space around. It reports whether it changed anything
// but white space.
func cleanText(s string) (string, bool) {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return strings.Join(strings.Fields(clean), " "), clean != s || strings.ContainsRune(s, utf8.RuneError)
}

// timeLayouts are tried in turn. Fractions of seconds are read by all.
var timeLayouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
}

// parseTime reads the forms of time that sources use: RFC 3339, the same with
// a space for the T, without a zone (then in loc), with both an offset and a
// Z, where the offset counts, and Unix time in seconds or milliseconds. The
// answer is in UTC.
func parseTime(s string, loc *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if unix, err := strconv.ParseInt(s, 10, 64); err == nil {
		return unixTime(unix)
	}
	if len(s) > 10 && (s[10] == ' ' || s[10] == 't') {
		s = s[:10] + "T" + strings.TrimLeft(s[11:], " ")
	}
	s = strings.Replace(s, " ", "", 1) // before the zone
	s = strings.TrimSuffix(s, "UTC")
	if rest, cut := strings.CutSuffix(s, "Z"); cut && hasOffset(rest) {
		s = rest
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// unixTime tells seconds from milliseconds by their size.
func unixTime(unix int64) (time.Time, bool) {
	const maxSeconds = 1 << 34 // the year 2514
	switch {
	case unix <= 0 || unix > maxSeconds*1000:
		return time.Time{}, false
	case unix > maxSeconds:
		return time.UnixMilli(unix).UTC(), true
	}
	return time.Unix(unix, 0).UTC(), true
}

// hasOffset reports whether a time ends in +hh:mm or the like.
func hasOffset(s string) bool {
	return len(s) > 11 && strings.ContainsAny(s[11:], "+-")
}
