package features

var catalogue = []Feature{
	{Name: "stations_count", Unit: "stations", Doc: "stations in service whose counts are known", Classic: true, Network: Readable, Station: Readable, Min: 0, Max: 1e9},
	{Name: "free_bikes", Unit: "bikes", Doc: "bikes to take", Classic: true, Network: Readable, Station: Input, Min: 0, Max: 1e9},
	{Name: "empty_slots", Unit: "docks", Doc: "docks to return to", Classic: true, Network: Readable, Station: Input, Min: 0, Max: 1e9},
	{Name: "total_slots", Unit: "docks", Doc: "free_bikes + empty_slots; of a station whose empty slots are not known, its capacity", Classic: true, Network: Readable, Station: Input, Min: 0, Max: 1e9},
	{Name: "free_ratio", Unit: "ratio", Doc: "free_bikes / total_slots", Classic: true, Network: Readable, Station: Input, Min: 0, Max: 1},
	{Name: "temp_2m", Unit: "°C", Doc: "air temperature at 2 m", Classic: true, Network: Input, Station: Input, Min: -100, Max: 70},
	{Name: "precipitation", Unit: "mm/h", Doc: "rain and snow", Classic: true, Network: Input, Station: Input, Min: 0, Max: 1000},
	{Name: "wind_speed_10m", Unit: "km/h", Doc: "wind speed at 10 m", Classic: true, Network: Input, Station: Input, Min: 0, Max: 600},

	{Name: "free_ratio_lag_30m", Unit: "ratio", Doc: "free_ratio 30 minutes before t", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_lag_60m", Unit: "ratio", Doc: "free_ratio 60 minutes before t", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_lag_120m", Unit: "ratio", Doc: "free_ratio 120 minutes before t", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_lag_180m", Unit: "ratio", Doc: "free_ratio 180 minutes before t", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_yesterday", Unit: "ratio", Doc: "free_ratio a day before t", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_yesterday_ahead", Unit: "ratio", Doc: "free_ratio a day before t+h", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_last_week", Unit: "ratio", Doc: "free_ratio a week before t", Network: Readable, Min: 0, Max: 1},
	{Name: "free_ratio_last_week_ahead", Unit: "ratio", Doc: "free_ratio a week before t+h", Network: Readable, Min: 0, Max: 1},
	{Name: Threshold, Unit: "ratio", Doc: "q_t, under which free_ratio is a shortage", Network: Readable, Min: 0, Max: 1},

	// A fleet grows and shrinks, and the threshold with it, so models read
	// how far a ratio is from the threshold and not the ratio itself.
	{Name: "margin", Unit: "ratio", Doc: "free_ratio less the threshold", Network: Input, Of: "free_ratio"},
	{Name: "margin_lag_30m", Unit: "ratio", Doc: "free_ratio_lag_30m less the threshold", Network: Input, Of: "free_ratio_lag_30m", Else: "free_ratio"},
	{Name: "margin_lag_60m", Unit: "ratio", Doc: "free_ratio_lag_60m less the threshold", Network: Input, Of: "free_ratio_lag_60m", Else: "free_ratio"},
	{Name: "margin_lag_120m", Unit: "ratio", Doc: "free_ratio_lag_120m less the threshold", Network: Input, Of: "free_ratio_lag_120m", Else: "free_ratio"},
	{Name: "margin_lag_180m", Unit: "ratio", Doc: "free_ratio_lag_180m less the threshold", Network: Input, Of: "free_ratio_lag_180m", Else: "free_ratio"},
	{Name: "margin_yesterday", Unit: "ratio", Doc: "free_ratio_yesterday less the threshold", Network: Input, Of: "free_ratio_yesterday"},
	{Name: "margin_yesterday_ahead", Unit: "ratio", Doc: "free_ratio_yesterday_ahead less the threshold", Network: Input, Of: "free_ratio_yesterday_ahead"},
	{Name: "margin_last_week", Unit: "ratio", Doc: "free_ratio_last_week less the threshold", Network: Input, Of: "free_ratio_last_week"},
	{Name: "margin_last_week_ahead", Unit: "ratio", Doc: "free_ratio_last_week_ahead less the threshold", Network: Input, Of: "free_ratio_last_week_ahead"},
	{Name: shortNow, Unit: "0 or 1", Doc: "whether t itself is short", Network: Input, Station: Input, Of: "free_ratio"},

	{Name: "climatology", Unit: "probability", Doc: "how often the hour of the week of t+h was short, from labels observed before t", Network: Input, Station: Input, Min: 0, Max: 1},
	{Name: "typical_change", Unit: "ratio", Doc: "mean change of free_ratio over the horizon that ended in the hour of the week of t+h, before t", Network: Input, Min: -1, Max: 1},

	{Name: "hour_sin", Unit: "1", Doc: "sine of the hour of t+h, period 24 h, UTC", Network: Input, Station: Input, Min: -1, Max: 1},
	{Name: "hour_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 24 h, UTC", Network: Input, Station: Input, Min: -1, Max: 1},
	{Name: "half_day_sin", Unit: "1", Doc: "sine of the hour of t+h, period 12 h, UTC", Network: Input, Station: Input, Min: -1, Max: 1},
	{Name: "half_day_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 12 h, UTC", Network: Input, Station: Input, Min: -1, Max: 1},
	{Name: "weekend", Unit: "0 or 1", Doc: "whether t+h is a Saturday or Sunday, UTC", Network: Input, Station: Input, Min: 0, Max: 1},

	{Name: "unix_time", Unit: "s", Doc: "t in seconds since 1970-01-01 UTC, for transforms to read", Network: Readable, Station: Readable},
	{Name: "unix_time_ahead", Unit: "s", Doc: "t+h in seconds since 1970-01-01 UTC, for transforms to read", Network: Readable, Station: Readable},
	{Name: "latitude", Unit: "°", Doc: "of the place, WGS 84, north is positive", Network: Readable, Station: Input, Min: -90, Max: 90},
	{Name: "longitude", Unit: "°", Doc: "of the place, WGS 84, east is positive", Network: Readable, Station: Input, Min: -180, Max: 180},

	{Name: "capacity", Unit: "docks", Doc: "of the station, as its source says", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_lag_30m", Unit: "bikes", Doc: "free_bikes 30 minutes before t", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_lag_60m", Unit: "bikes", Doc: "free_bikes 60 minutes before t", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_lag_120m", Unit: "bikes", Doc: "free_bikes 120 minutes before t", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_lag_180m", Unit: "bikes", Doc: "free_bikes 180 minutes before t", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_change_30m", Unit: "bikes", Doc: "free_bikes less free_bikes_lag_30m", Station: Input},
	{Name: "free_bikes_change_60m", Unit: "bikes", Doc: "free_bikes less free_bikes_lag_60m", Station: Input},
	{Name: "free_bikes_change_120m", Unit: "bikes", Doc: "free_bikes less free_bikes_lag_120m", Station: Input},
	{Name: "free_bikes_yesterday", Unit: "bikes", Doc: "free_bikes a day before t", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_yesterday_ahead", Unit: "bikes", Doc: "free_bikes a day before t+h", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_last_week", Unit: "bikes", Doc: "free_bikes a week before t", Station: Input, Min: 0, Max: 1e9},
	{Name: "free_bikes_last_week_ahead", Unit: "bikes", Doc: "free_bikes a week before t+h", Station: Input, Min: 0, Max: 1e9},
	{Name: "minutes_since_change", Unit: "min", Doc: "since the station last showed something new, at most a day", Station: Input, Min: 0, Max: 1440},
	{Name: "minutes_since_short", Unit: "min", Doc: "since the station was last short, at most a day, which also stands for never", Station: Input, Min: 0, Max: 1440},
	{Name: "minutes_since_not_short", Unit: "min", Doc: "since the station was last in service and not short, at most a day, which also stands for never", Station: Input, Min: 0, Max: 1440},

	// The neighbours of a station are the nearest five within 2 km whose bikes
	// are known at t.
	{Name: "neighbours_free_bikes", Unit: "bikes", Doc: "mean free_bikes of the neighbours", Station: Input, Min: 0, Max: 1e9},
	{Name: "neighbours_free_ratio", Unit: "ratio", Doc: "mean free_ratio of the neighbours", Station: Input, Min: 0, Max: 1},
	{Name: "neighbours_short_share", Unit: "ratio", Doc: "share of the neighbours that are short", Station: Input, Min: 0, Max: 1},
	{Name: "neighbours_change_60m", Unit: "bikes", Doc: "mean free_bikes_change_60m of the neighbours", Station: Input},
	{Name: "nearest_free_bikes", Unit: "bikes", Doc: "free_bikes of the nearest neighbour", Station: Input, Min: 0, Max: 1e9},
	{Name: "network_free_ratio", Unit: "ratio", Doc: "free_ratio of the whole network", Station: Input, Min: 0, Max: 1},
	{Name: "network_free_ratio_change_60m", Unit: "ratio", Doc: "network_free_ratio less that 60 minutes before t", Station: Input, Min: -1, Max: 1},
	{Name: "network_short_share", Unit: "ratio", Doc: "share of the network's stations that are short", Station: Input, Min: 0, Max: 1},
	{Name: "network_short_share_change_60m", Unit: "ratio", Doc: "network_short_share less that 60 minutes before t", Station: Input, Min: -1, Max: 1},

	// What a station's past tells, from outcomes that were observed strictly
	// before t. Where there are few, the network's stand in.
	{Name: "shortage_rate", Unit: "probability", Doc: "how often the station was short", Station: Input, Min: 0, Max: 1},
	{Name: "climatology_of_day", Unit: "probability", Doc: "how often the station was short at the hour of the day of t+h", Station: Input, Min: 0, Max: 1},
	{Name: "onset_rate", Unit: "probability", Doc: "how often the station got short at the hour of the week of t+h, having been not short h before", Station: Input, Min: 0, Max: 1},
	{Name: "onset_rate_of_day", Unit: "probability", Doc: "how often the station got short at the hour of the day of t+h, having been not short h before", Station: Input, Min: 0, Max: 1},
	{Name: "typical_bikes_change", Unit: "bikes", Doc: "mean change of free_bikes over the horizon that ended in the hour of the week of t+h", Station: Input},
	{Name: "typical_bikes_change_of_day", Unit: "bikes", Doc: "mean change of free_bikes over the horizon that ended in the hour of the day of t+h", Station: Input},
	{Name: "typical_free_bikes", Unit: "bikes", Doc: "mean free_bikes at the hour of the day of t+h", Station: Input, Min: 0, Max: 1e9},
	{Name: "rate_at_bikes", Unit: "probability", Doc: "how often the station was short h after it had about as many bikes as now", Station: Input, Min: 0, Max: 1},
	{Name: "network_rate_at_bikes", Unit: "probability", Doc: "how often any station was short h after it had about as many bikes as now, at the hour of the day of t+h, weekends apart", Station: Input, Min: 0, Max: 1},
	{Name: "rate_at_bikes_and_hour", Unit: "probability", Doc: "how often the station was short h after it had about as many bikes as now, at the three hours of the day of t+h, weekends apart", Station: Input, Min: 0, Max: 1},

	{Name: "hour_ahead", Unit: "h", Doc: "hour of t+h with its fraction, UTC", Station: Input, Min: 0, Max: 24},
	{Name: "day_of_week_ahead", Unit: "1", Doc: "day of the week of t+h, 0 is Monday, UTC", Station: Input, Min: 0, Max: 6},
}
