package features

// StationWorld is for the tests that know the package from outside only.
var StationWorld = stationWorld
