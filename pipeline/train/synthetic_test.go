package train

import "livelab/pipeline/train/traintest"

// syntheticMatrix makes correlated columns and outcomes that depend on them,
// about one in five positive.
func syntheticMatrix(rows, cols int) (x [][]float64, y []bool) {
	return traintest.Straight(cols).Matrix(rows)
}
