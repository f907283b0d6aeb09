package ingest

import (
	"fmt"
	"strings"
)

// Oddity is a kind of flaw in a payload that decoding mends.
type Oddity uint8

// The oddities, in the order in which they are reported.
const (
	OddMissingCount  Oddity = iota // a count was absent or null and is Unknown
	OddDerivedSlots                // the empty slots were derived from the capacity
	OddNegativeCount               // a count below zero is Unknown
	OddAbsurdCount                 // a count above 10,000 is Unknown
	OddTextCount                   // a count came as text
	OddUnreadable                  // a value of the wrong type, or not a whole number
	OddMissingTime                 // a station without a readable time
	OddFutureTime                  // a station whose time lies ahead of ours
	OddStale                       // a station more than a day behind the newest is out of service
	OddDuplicate                   // a station listed again; the newest counts
	OddNoID                        // a station without an ID was dropped
	OddNoStation                   // an entry that is no station was dropped
	OddName                        // a name with characters that had to go
	OddCoordinates                 // coordinates absent, unreadable or off the globe
	OddWeatherValue                // a weather value that cannot be true is missing
	oddityKinds
)

var oddityNames = [oddityKinds]string{
	OddMissingCount:  "missing counts",
	OddDerivedSlots:  "derived empty slots",
	OddNegativeCount: "negative counts",
	OddAbsurdCount:   "absurd counts",
	OddTextCount:     "counts as text",
	OddUnreadable:    "unreadable values",
	OddMissingTime:   "missing times",
	OddFutureTime:    "future times",
	OddStale:         "stale stations",
	OddDuplicate:     "duplicate stations",
	OddNoID:          "stations without ID",
	OddNoStation:     "malformed stations",
	OddName:          "mended names",
	OddCoordinates:   "bad coordinates",
	OddWeatherValue:  "absurd weather values",
}

func (o Oddity) String() string { return oddityNames[o] }

// Oddities counts what was mended, by kind.
type Oddities [oddityKinds]int

// Total is the number of mended flaws.
func (o Oddities) Total() int {
	n := 0
	for _, c := range o {
		n += c
	}
	return n
}

// String lists what was found in a fixed order, for the log: "3 missing
// counts, 1 stale stations". It is empty where nothing was mended.
func (o Oddities) String() string {
	var parts []string
	for kind, n := range o {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, Oddity(kind)))
		}
	}
	return strings.Join(parts, ", ")
}
