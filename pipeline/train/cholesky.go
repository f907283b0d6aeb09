package train

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// gonum's matrices hold the numbers here, but its kernels do not compute them.
// They sum in another order where they are in assembly (amd64), and let the
// compiler fuse products into sums where they are not (arm64): mat.Cholesky,
// mat.Dense.Mul, floats.Sum and stat.Mean were seen to answer with other bits
// on the two, which would give one dataset two digests. gonum/optimize checks
// the optimum in the tests, where bits do not matter.

// leastPivot is the share of its diagonal element that a pivot must keep.
const leastPivot = 1e-13

// factor overwrites l with the Cholesky factor of the symmetric a, both of the
// same order, and reports whether a is numerically positive definite.
func factor(l *mat.TriDense, a *mat.SymDense) bool {
	n := a.SymmetricDim()
	for j := range n {
		for i := j; i < n; i++ {
			sum := a.At(i, j)
			for k := range j {
				sum -= float64(l.At(i, k) * l.At(j, k))
			}
			if i > j {
				l.SetTri(i, j, sum/l.At(j, j))
				continue
			}
			if !(sum > float64(leastPivot*a.At(j, j))) || math.IsInf(sum, 0) {
				return false
			}
			l.SetTri(j, j, math.Sqrt(sum))
		}
	}
	return true
}

// factorDamped factors a, or a with its diagonal grown by as little as makes
// it positive definite: columns that depend on each other under a weak penalty
// leave directions that only rounding decides. It reports false where even a
// doubled diagonal does not help, as with elements that are not finite.
func factorDamped(l *mat.TriDense, a *mat.SymDense) bool {
	if factor(l, a) {
		return true
	}
	n := a.SymmetricDim()
	damped := mat.NewSymDense(n, nil)
	for damping := 1e-12; damping <= 1; damping *= 10 {
		damped.CopySym(a)
		for i := range n {
			d := a.At(i, i)
			damped.SetSym(i, i, d+float64(damping*d)+math.SmallestNonzeroFloat64)
		}
		if factor(l, damped) {
			return true
		}
	}
	return false
}

// solve gives x with l·lᵀ·x = b.
func solve(l *mat.TriDense, b []float64) []float64 {
	n := len(b)
	x := append([]float64(nil), b...)
	for i := range n {
		for k := range i {
			x[i] -= float64(l.At(i, k) * x[k])
		}
		x[i] /= l.At(i, i)
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= float64(l.At(k, i) * x[k])
		}
		x[i] /= l.At(i, i)
	}
	return x
}
