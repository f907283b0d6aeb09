package model

// expected is the mean answer of the trees over the rows of their training:
// what explanations start from.
func (f *forest) expected(z float64) float64 {
	for i, root := range f.roots {
		end := len(f.nodes)
		if i+1 < len(f.roots) {
			end = int(f.roots[i+1])
		}
		mean := 0.0
		for at := int(root); at < end; at++ {
			if f.nodes[at].input == Leaf {
				mean += float64(f.nodes[at].value * (float64(f.rows[at]) / float64(f.rows[root])))
			}
		}
		z += mean
	}
	return z
}

// explain adds to contributions what each input adds to the expected answer:
// the Shapley values of the game in which an input that is not known goes both
// ways, by the rows of the training that did (Lundberg et al., 2018, the values
// of "path-dependent" TreeSHAP).
//
// Were input i known with chance t, and so were all others, then a leaf would
// be reached with chance Π p_i(t), p_i(t) = t·o_i + (1−t)·z_i over the inputs on
// its path; o_i is whether the row goes the way of the path at the nodes of i
// (1 or 0), and z_i the share of rows that do. The Shapley value of i is the
// integral over t of the gradient along i (Owen, 1972),
//
//	∫ value · (o_i − z_i) · Π_{j≠i} p_j(t) dt from 0 to 1,
//
// of a polynomial, so that a Gauss-Legendre rule of half as many points as
// there are inputs on the path gives it exactly. All nodes are visited once,
// and nothing large cancels out.
func (f *forest) explain(contributions, x []float64) {
	e := explainer{f: f, x: x, contributions: contributions, on: make([]onPath, len(x))}
	for i := range e.on {
		e.on[i] = onPath{1, 1} // one that is not on the path changes nothing: p is 1
	}
	for i, root := range f.roots {
		e.rule = rules()[f.points[i]]
		points := len(e.rule)
		if need := (MostDepth + 2) * points; len(e.reach) < need {
			e.reach, e.sums = make([]float64, need), make([]float64, need)
		}
		for q := range points {
			e.reach[q] = 1
		}
		e.visit(int(root), 0)
	}
}

// explainer walks a tree, with one stretch of reach and sums, of one number for
// each point of the rule, for each level.
type explainer struct {
	f                *forest
	x, contributions []float64
	rule             []point
	on               []onPath  // of each input
	reach            []float64 // Π p(t) down to a node of the level
	sums             []float64 // of reach times value over the leaves below a node of the level
}

// onPath is what the nodes of an input make of a path: o and z, see explain.
type onPath struct{ o, z float64 }

func (p onPath) at(t point) float64 { return float64(t.t*p.o) + float64(t.rest*p.z) }

// visit explains by all leaves below a node and leaves their sums.
func (e *explainer) visit(at, level int) {
	n := &e.f.nodes[at]
	points := len(e.rule)
	reach := e.reach[level*points : (level+1)*points]
	sums := e.sums[level*points : (level+1)*points]
	if n.input == Leaf {
		for q := range sums {
			sums[q] = n.value * reach[q]
		}
		return
	}
	clear(sums)
	goes := at + 1
	if !n.left(e.x[n.input]) {
		goes = int(n.right)
	}
	for _, child := range [...]int{at + 1, int(n.right)} {
		before := e.on[n.input]
		after := onPath{z: before.z * (float64(e.f.rows[child]) / float64(e.f.rows[at]))}
		if child == goes {
			after.o = before.o
		}
		down := e.reach[(level+1)*points : (level+2)*points]
		for q, t := range e.rule {
			down[q] = reach[q] * (after.at(t) / before.at(t))
		}
		e.on[n.input] = after
		e.visit(child, level+1)
		e.on[n.input] = before
		e.contributions[n.input] += e.credit(e.sums[(level+1)*points:(level+2)*points], sums, before, after)
	}
}

// credit gives what an input adds by the leaves below a node in which the path
// parts by it, less what the nodes of it further up will count of them, and
// adds the leaves to the sums of the level above.
func (e *explainer) credit(below, sums []float64, before, after onPath) float64 {
	total := 0.0
	for q, t := range e.rule {
		gain := (after.o-after.z)/after.at(t) - (before.o-before.z)/before.at(t)
		total += float64(float64(t.weight*below[q]) * gain)
		sums[q] += below[q]
	}
	return total
}
