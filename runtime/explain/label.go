package explain

import (
	"math"

	"livelab/pipeline/features"
)

// label is how a feature is called in a sentence. Features of one label are
// spoken of as one, by the sum of what they add: the sine and the cosine of an
// hour mean nothing to anybody, the hour does.
type label struct {
	italian, english string
	shown            shown
}

// shown is how a value is written.
type shown int

const (
	asNumber  shown = iota
	asPercent       // a ratio as a percentage
	asPoints        // a difference of ratios in percentage points
	asChange        // a difference, with its sign
	asYesNo         // 0 or 1
	withUnit        // the catalogue's unit after the number
	hidden          // a value that says nothing by itself
)

var labels = map[string]label{
	"stations_count": {"stazioni in servizio", "stations in service", asNumber},
	"free_bikes":     {"bici libere", "free bikes", asNumber},
	"empty_slots":    {"stalli vuoti", "empty docks", asNumber},
	"total_slots":    {"stalli in totale", "docks in total", asNumber},
	"free_ratio":     {"quota di bici libere", "share of free bikes", asPercent},
	"temp_2m":        {"temperatura dell'aria", "air temperature", withUnit},
	"precipitation":  {"precipitazioni", "precipitation", withUnit},
	"wind_speed_10m": {"vento", "wind", withUnit},

	"free_ratio_lag_30m":         {"quota di bici libere 30 minuti prima", "share of free bikes 30 minutes before", asPercent},
	"free_ratio_lag_60m":         {"quota di bici libere un'ora prima", "share of free bikes an hour before", asPercent},
	"free_ratio_lag_120m":        {"quota di bici libere due ore prima", "share of free bikes two hours before", asPercent},
	"free_ratio_lag_180m":        {"quota di bici libere tre ore prima", "share of free bikes three hours before", asPercent},
	"free_ratio_yesterday":       {"quota di bici libere un giorno prima", "share of free bikes a day before", asPercent},
	"free_ratio_yesterday_ahead": {"quota di bici libere all'ora della previsione, un giorno prima", "share of free bikes at the forecast hour, a day before", asPercent},
	"free_ratio_last_week":       {"quota di bici libere una settimana prima", "share of free bikes a week before", asPercent},
	"free_ratio_last_week_ahead": {"quota di bici libere all'ora della previsione, una settimana prima", "share of free bikes at the forecast hour, a week before", asPercent},
	"shortage_threshold":         {"livello di carenza della quota di bici libere", "shortage level of the share of free bikes", asPercent},

	"margin":                 {"margine sul livello di carenza", "margin over the shortage level", asPoints},
	"margin_lag_30m":         {"margine 30 minuti prima", "margin 30 minutes before", asPoints},
	"margin_lag_60m":         {"margine un'ora prima", "margin an hour before", asPoints},
	"margin_lag_120m":        {"margine due ore prima", "margin two hours before", asPoints},
	"margin_lag_180m":        {"margine tre ore prima", "margin three hours before", asPoints},
	"margin_yesterday":       {"margine un giorno prima", "margin a day before", asPoints},
	"margin_yesterday_ahead": {"margine all'ora della previsione, un giorno prima", "margin at the forecast hour, a day before", asPoints},
	"margin_last_week":       {"margine una settimana prima", "margin a week before", asPoints},
	"margin_last_week_ahead": {"margine all'ora della previsione, una settimana prima", "margin at the forecast hour, a week before", asPoints},
	"short_now":              {"carenza già in corso", "shortage already under way", asYesNo},

	"climatology":    {"frequenza abituale delle carenze a quell'ora", "usual frequency of shortages at that hour", asPercent},
	"typical_change": {"variazione abituale della quota di bici libere", "usual change of the share of free bikes", asPoints},

	"hour_sin":     hour,
	"hour_cos":     hour,
	"half_day_sin": hour,
	"half_day_cos": hour,
	"weekend":      {"fine settimana", "weekend", asYesNo},

	"unix_time":       instant,
	"unix_time_ahead": instant,
	"latitude":        {"latitudine", "latitude", withUnit},
	"longitude":       {"longitudine", "longitude", withUnit},

	"hour_ahead":        hour,
	"day_of_week_ahead": {"giorno della settimana", "day of the week", hidden},
}

var (
	hour    = label{"ora del giorno", "hour of the day", hidden}
	instant = label{"data e ora", "date and time", hidden}
)

// labelOf calls what the catalogue does not know, the outputs of transforms, by
// its own name.
func labelOf(e features.Entity, feature string) label {
	if e == features.EntityStation {
		if l, ok := stationLabels[feature]; ok {
			return l
		}
	}
	if l, ok := labels[feature]; ok {
		return l
	}
	return label{feature, feature, asNumber}
}

// value writes a part's value; empty where it says nothing.
func (l Language) value(e features.Entity, p *Part) string {
	shown := labelOf(e, p.Feature).shown
	if math.IsNaN(p.Value) && shown != hidden {
		return l.in("dato mancante", "missing")
	}
	switch shown {
	case asPercent:
		return l.percent(p.Value, 1)
	case asPoints:
		return l.signed(100*p.Value, 1) + l.in(" punti percentuali", " percentage points")
	case asChange:
		return l.signed(p.Value, decimals(p.Value))
	case asYesNo:
		return l.yesNo(p.Value)
	case withUnit:
		return l.plain(p.Value) + " " + p.Unit
	case hidden:
		return ""
	}
	return l.plain(p.Value)
}

// yesNo writes 0 and 1 as words. A mean that stands in may be between them.
func (l Language) yesNo(v float64) string {
	switch v {
	case 0:
		return "no"
	case 1:
		return l.in("sì", "yes")
	}
	return l.plain(v)
}

// names are the labels of features, each once.
func (l Language) names(e features.Entity, of []string) []string {
	var names []string
	seen := make(map[label]bool)
	for _, feature := range of {
		if found := labelOf(e, feature); !seen[found] {
			seen[found] = true
			names = append(names, l.in(found.italian, found.english))
		}
	}
	return names
}
