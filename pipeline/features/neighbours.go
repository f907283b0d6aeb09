package features

import (
	"math"
	"sort"

	"livelab/pipeline/detmath"
	"livelab/pipeline/observation"
)

const (
	mostNeighbours  = 5
	neighbourMetres = 2000
	earthMetres     = 6371008.8 // mean radius
)

// nearby lists for each station the others within neighbourMetres by
// great-circle distance, the nearest first and of two at one distance the one
// that is listed first. A station without coordinates has none.
func nearby(list []observation.Station) [][]int32 {
	points := make([][3]float64, len(list))
	for i, s := range list {
		points[i] = onSphere(s.Latitude, s.Longitude)
	}
	chord := float64(2 * detmath.Sin(neighbourMetres/(2*earthMetres)))
	near := make([][]int32, len(list))
	distance := make([]float64, len(list))
	for i := range list {
		for j := range list {
			distance[j] = squared(points[i], points[j])
			if i != j && distance[j] <= float64(chord*chord) { // false for NaN
				near[i] = append(near[i], int32(j))
			}
		}
		sort.SliceStable(near[i], func(a, b int) bool { return distance[near[i][a]] < distance[near[i][b]] })
	}
	return near
}

// onSphere is a place on the unit sphere.
func onSphere(latitude, longitude float64) [3]float64 {
	const degree = math.Pi / 180
	a, b := float64(latitude*degree), float64(longitude*degree)
	cos := detmath.Cos(a)
	return [3]float64{float64(cos * detmath.Cos(b)), float64(cos * detmath.Sin(b)), detmath.Sin(a)}
}

func squared(a, b [3]float64) float64 {
	var s float64
	for k := range a {
		d := a[k] - b[k]
		s += float64(d * d)
	}
	return s
}
