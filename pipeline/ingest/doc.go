// Package ingest brings observations in. It asks the sources (CityBikes for
// bikes, Open-Meteo for weather), decodes what they answer with all its
// oddities, and records payloads and what was observed through a Store.
// History comes in by Backfill, recorded files by Import, live data by a
// Collector; all of them end in a Recorder, which holds one promise: for every
// stored snapshot and every station, the last change not after the snapshot
// is what the snapshot showed, in whatever order snapshots arrive.
package ingest
