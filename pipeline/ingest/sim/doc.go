// Package sim is a city that LiveLab makes itself: stations, commuters,
// weather and faults, all a pure function of a seed and the time. Nothing is
// kept from one moment to the next, so any moment can be had at once, in any
// order, with the same bits on every machine. A Server speaks the two HTTP
// APIs that real data comes from, so that demos and tests go the way of real
// data, and History makes the past without HTTP.
//
// # The model
//
// Times are UTC, h is the hour of the day, N(name, P) is smooth noise of mean
// 0 and variance 1 that takes about the time P to change, and
// bell(h; c, d) = exp(-((h-c)/d)²/2).
//
// Weather. The temperature in °C is the course of the year (3 to 19) and of
// the day (±2 to ±5), fronts of 3.8·N(2 d) and 1.2·N(9 h), and up to 2.5 less
// in rain. Precipitation in mm/h is 2.4·max(0, wetness - 0.95), where wetness
// = 0.65·N(40 h) + 0.76·N(3 h): spells of hours on wet days, a sixth of the
// time. Wind in km/h is about 12, more in fronts and rain.
//
// Appeal. How much of the usual riding the weather leaves:
//
//	appeal = sigmoid(temperature/6) · 1/(1 + 1.8·rain) · 1/(1 + (wind/38)²)
//
// Rides seen now were begun a while ago, so the weather of 40 minutes before
// counts.
//
// Demand. Commuters ride on workdays around 7.9 h and 17.3 h; leisure rides
// on free days around 14.8 h, on workdays at noon, and on summer evenings
// around 20.6 h, and feels the weather twice (the city's day begins at 03:00):
//
//	commuting = 0.02 + 0.80·bell(h; 7.9, 0.9) + 0.95·bell(h; 17.3, 1.4)       workdays
//	            0.02                                                          free days
//	leisure   = 0.02 + 0.30·bell(h; 13, 2)      + evening                     workdays
//	            0.02 + 1.05·bell(h; 14.8, 2.8)  + evening                     free days
//	evening   = 0.45·summer·bell(h; 20.6, 1.8), summer from 0 in January to 1 in July
//
//	usual  = commuting(h)·appeal + leisure(h)·appeal²
//	odds   = 0.45 · usual · exp(0.18·N(1 d) + 0.20·N(4 h) + 0.12·N(45 min))
//	ridden = odds / (1 + odds)
//
// Bikes. The working fleet is 0.56 of the docks, drifting by at most ±10 % as
// bikes break and come back: drift = 0.032·N(26 d) + 0.015·N(5 d). So that
//
//	bikes at stations = 0.56 · docks · (1 + drift) · (1 - ridden)
//
// and the network's free ratio falls where many ride.
//
// Stations. Each is residential, office, leisure or hub. Its draw in log-odds
// is the tide of its kind (offices fill when people are at work, and so on),
// its lasting popularity and its own noise of hours and minutes, of which the
// vans set right the larger part at night. Its fill is
// sigmoid(level + draw), where the level, common to all, is solved such that
// the fills times the capacities sum up to the bikes at stations. Bikes are
// the capacity times the fill, rounded, so a network's sum is within a few
// bikes of the model's.
//
// Faults. A station goes offline about once in 45 days for hours, and about
// every sixth day one station does not tell its empty slots for hours.
package sim
