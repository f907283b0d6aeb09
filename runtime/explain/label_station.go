package explain

// stationLabels are what features are called where the row is a station's, and
// the words of labels, which speak of a network, would mislead or are missing.
var stationLabels = map[string]label{
	"free_bikes":  {"bici nella stazione", "bikes at the station", asNumber},
	"empty_slots": {"stalli vuoti della stazione", "empty docks of the station", asNumber},
	"total_slots": {"stalli della stazione", "docks of the station", asNumber},
	"capacity":    {"capacità della stazione", "capacity of the station", asNumber},
	"free_ratio":  {"quota di bici nella stazione", "share of bikes at the station", asPercent},
	"latitude":    place,
	"longitude":   place,

	"free_bikes_lag_30m":         {"bici 30 minuti prima", "bikes 30 minutes before", asNumber},
	"free_bikes_lag_60m":         {"bici un'ora prima", "bikes an hour before", asNumber},
	"free_bikes_lag_120m":        {"bici due ore prima", "bikes two hours before", asNumber},
	"free_bikes_lag_180m":        {"bici tre ore prima", "bikes three hours before", asNumber},
	"free_bikes_change_30m":      {"variazione delle bici in 30 minuti", "change of the bikes in 30 minutes", asChange},
	"free_bikes_change_60m":      {"variazione delle bici in un'ora", "change of the bikes in an hour", asChange},
	"free_bikes_change_120m":     {"variazione delle bici in due ore", "change of the bikes in two hours", asChange},
	"free_bikes_yesterday":       {"bici un giorno prima", "bikes a day before", asNumber},
	"free_bikes_yesterday_ahead": {"bici all'ora della previsione, un giorno prima", "bikes at the forecast hour, a day before", asNumber},
	"free_bikes_last_week":       {"bici una settimana prima", "bikes a week before", asNumber},
	"free_bikes_last_week_ahead": {"bici all'ora della previsione, una settimana prima", "bikes at the forecast hour, a week before", asNumber},

	"short_now":               {"carenza già in corso nella stazione", "shortage already under way at the station", asYesNo},
	"minutes_since_change":    {"minuti dall'ultimo movimento", "minutes since the last movement", asNumber},
	"minutes_since_short":     {"minuti dall'ultima carenza", "minutes since the last shortage", asNumber},
	"minutes_since_not_short": {"minuti dall'ultima volta senza carenza", "minutes since it was last not short", asNumber},

	"neighbours_free_bikes":  {"bici nelle stazioni vicine", "bikes at the stations nearby", asNumber},
	"neighbours_free_ratio":  {"quota di bici nelle stazioni vicine", "share of bikes at the stations nearby", asPercent},
	"neighbours_short_share": {"stazioni vicine in carenza", "stations nearby that are short", asPercent},
	"neighbours_change_60m":  {"variazione delle bici vicine in un'ora", "change of the bikes nearby in an hour", asChange},
	"nearest_free_bikes":     {"bici nella stazione più vicina", "bikes at the nearest station", asNumber},

	"network_free_ratio":             {"quota di bici libere in tutta la rete", "share of free bikes in the whole network", asPercent},
	"network_free_ratio_change_60m":  {"variazione della quota di bici libere nella rete in un'ora", "change of the share of free bikes in the network in an hour", asPoints},
	"network_short_share":            {"stazioni della rete in carenza", "stations of the network that are short", asPercent},
	"network_short_share_change_60m": {"variazione delle stazioni in carenza in un'ora", "change of the stations that are short in an hour", asPoints},

	"climatology":                 {"frequenza abituale delle carenze della stazione a quell'ora della settimana", "usual frequency of the station's shortages at that hour of the week", asPercent},
	"climatology_of_day":          {"frequenza abituale delle carenze della stazione a quell'ora del giorno", "usual frequency of the station's shortages at that hour of the day", asPercent},
	"shortage_rate":               {"frequenza delle carenze della stazione", "frequency of the station's shortages", asPercent},
	"onset_rate":                  {"quanto spesso la stazione si svuota a quell'ora della settimana", "how often the station empties at that hour of the week", asPercent},
	"onset_rate_of_day":           {"quanto spesso la stazione si svuota a quell'ora del giorno", "how often the station empties at that hour of the day", asPercent},
	"typical_bikes_change":        {"variazione abituale delle bici a quell'ora della settimana", "usual change of the bikes at that hour of the week", asChange},
	"typical_bikes_change_of_day": {"variazione abituale delle bici a quell'ora del giorno", "usual change of the bikes at that hour of the day", asChange},
	"typical_free_bikes":          {"bici abituali a quell'ora", "usual bikes at that hour", asNumber},
	"rate_at_bikes":               {"carenze della stazione dopo altrettante bici", "the station's shortages after as many bikes", asPercent},
	"rate_at_bikes_and_hour":      {"carenze della stazione dopo altrettante bici a quell'ora", "the station's shortages after as many bikes at that hour", asPercent},
	"network_rate_at_bikes":       {"carenze di tutte le stazioni dopo altrettante bici a quell'ora", "shortages of all stations after as many bikes at that hour", asPercent},
}

// place is one thing to people.
var place = label{"posizione della stazione", "location of the station", hidden}
