package ingest

import (
	"slices"
	"strings"
)

// outOfService are the words of extra.status that mean a station cannot be
// used. What is not among them, "online" or "1" or a word never seen, does
// not take a station with counts out of the totals.
var outOfService = []string{
	"offline", "closed", "close", "inactive", "out_of_service", "out of service", "outofservice",
	"disabled", "maintenance", "in_maintenance", "under maintenance", "not_in_service", "notinservice",
	"planned", "suspended", "removed", "deleted", "unavailable", "deactivated", "end_of_life",
	"not_available", "hors service", "cerrada", "fermée", "out-of-service", "off", "false",
}

// inService reads the several ways in which networks say that a station does
// not work.
func inService(b *stationBody) bool {
	e := &b.Extra.v
	status := strings.ToLower(strings.TrimSpace(string(e.Status)))
	return !slices.Contains(outOfService, status) && !isFalse(e.Online) && !isFalse(e.Renting) && !isTrue(e.Closed)
}

func isFalse(t text) bool {
	return slices.Contains([]string{"false", "0", "no", "off"}, strings.ToLower(strings.TrimSpace(string(t))))
}

func isTrue(t text) bool {
	return slices.Contains([]string{"true", "1", "yes"}, strings.ToLower(strings.TrimSpace(string(t))))
}
