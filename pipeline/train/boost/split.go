package boost

const (
	// leastGain is the loss that a split must save, in the units of the score.
	// Under it is what rounding makes of a split that saves nothing.
	leastGain = 1e-6 * gainUnit
	gainUnit  = 1 << (2*coarseGradientBits - coarseHessianBits)

	// leastHessian of a leaf, a thousandth: with less its value is anything.
	leastHessian = 1 << coarseHessianBits / 1000
)

// split of a node's rows by one input. Its gain is twice the loss saved, in
// units of 1/gainUnit; 0 where there is no split.
type split struct {
	gain        float64
	k           int // of the tree's inputs
	edge        int
	missingLeft bool
	left        int // rows
}

// rules of a fit for its splits.
type rules struct {
	minRows int
	l2      float64 // in units of a hessian
}

// score is what a leaf of these sums saves.
func (r rules) score(b bin) float64 {
	g := float64(b.gradient)
	return float64(g*g) / (float64(b.hessian()) + r.l2)
}

func (r rules) allow(b bin) bool {
	return b.rows() >= r.minRows && b.hessian() >= leastHessian
}

// best gives the split of an input with the highest gain, the one at the
// lowest edge where several have it. sums are those of the input's codes, as
// many as it has.
func (r rules) best(k int, sums []bin, all bin) split {
	s := split{k: k}
	least := r.score(all) + leastGain
	top := least
	missing := sums[0]
	var left bin
	for code := 1; code < len(sums)-1; code++ {
		if sums[code].rows() == 0 {
			continue // as the edge before
		}
		left = left.plus(sums[code])
		if right := all.minus(left); r.allow(left) && r.allow(right) {
			if score := r.score(left) + r.score(right); score > top {
				top = score
				s.edge, s.missingLeft, s.left = code-1, false, left.rows()
			}
		}
		if missing.rows() == 0 {
			continue
		}
		with := left.plus(missing)
		if right := all.minus(with); r.allow(with) && r.allow(right) {
			if score := r.score(with) + r.score(right); score > top {
				top = score
				s.edge, s.missingLeft, s.left = code-1, true, with.rows()
			}
		}
	}
	if top > least {
		s.gain = top - least + leastGain
		if missing.rows() == 0 {
			// Nothing says where one belongs: with most rows.
			s.missingLeft = 2*s.left >= all.rows()
		}
	}
	return s
}
