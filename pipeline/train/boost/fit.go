package boost

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"livelab/pipeline/model"
)

// fit is a fit under way.
type fit struct {
	opts     Options
	team     team
	m        Matrix
	training []int32
	y        []bool    // of the training rows
	z        []float64 // their log odds so far
	grower   *grower
	watch    *watch
	base     float64
}

func newFit(m Matrix, y []bool, training, validation []int32, base float64, o Options) *fit {
	f := &fit{
		opts: o, team: team(o.Workers), m: m, training: training, base: base,
		y: make([]bool, len(training)), z: make([]float64, len(training)),
		grower: newGrower(m, len(training), min(sampled(len(m.Codes), o.Columns), len(m.splitting(m.inputs()))), o),
		watch:  newWatch(m, y, validation, base, team(o.Workers)),
	}
	for i, r := range training {
		f.y[i] = y[r]
		f.z[i] = base
	}
	return f
}

// sampled is how many of the inputs a tree looks at.
func sampled(inputs int, share float64) int {
	return max(1, int(math.Round(float64(share*float64(inputs)))))
}

func (f *fit) run(ctx context.Context) (*Fitted, error) {
	trees := &model.Trees{Edges: f.m.Edges}
	inputs := len(f.m.Codes)
	all := sampled(inputs, f.opts.Columns) == inputs
	for round := range f.opts.Trees {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("boost: stopped after %d trees: %w", len(trees.Trees), err)
		}
		if !all || round == 0 {
			f.grower.look(f.m, f.m.splitting(f.draw(round)), f.training)
		}
		tree, leaves := f.step()
		if len(leaves) == 1 {
			if all {
				break // and so would those that follow
			}
			continue
		}
		trees.Trees = append(trees.Trees, *tree)
		f.watch.add(tree)
		if f.opts.Progress != nil {
			f.opts.Progress(f.watch.progress(f.opts.Trees))
		}
		if f.watch.trees-f.watch.best >= f.opts.Patience {
			break
		}
	}
	trees.Trees = slices.Clip(trees.Trees[:f.watch.best])
	return &Fitted{Trees: trees, Base: f.base, Losses: f.watch.losses}, nil
}

// inputs lists all of the matrix.
func (m Matrix) inputs() []int {
	inputs := make([]int, len(m.Codes))
	for i := range inputs {
		inputs[i] = i
	}
	return inputs
}

// splitting gives those of the inputs that a tree can split by: of one that has
// no edges there is nothing to count. Where that is none of them, it gives one.
func (m Matrix) splitting(inputs []int) []int {
	some := make([]int, 0, len(inputs))
	for _, j := range inputs {
		if len(m.Edges[j]) > 0 {
			some = append(some, j)
		}
	}
	if len(some) == 0 {
		return inputs[:1]
	}
	return some
}

// draw gives the inputs that a tree looks at, ascending.
func (f *fit) draw(round int) []int {
	inputs := f.m.inputs()
	n := sampled(len(inputs), f.opts.Columns)
	random := rand.NewPCG(f.opts.Seed, uint64(round))
	for i := range n {
		// Of few inputs the product's upper half is as good as even.
		j, _ := bits.Mul64(random.Uint64(), uint64(len(inputs)-i))
		inputs[i], inputs[i+int(j)] = inputs[i+int(j)], inputs[i]
	}
	inputs = inputs[:n]
	slices.Sort(inputs)
	return inputs
}

// step grows a tree and adds its values to the log odds.
func (f *fit) step() (*model.Tree, []*leaf) {
	f.team.eachRange(len(f.z), chunkRows, func(_, lo, hi int) {
		var e [chunkRows]float64
		gradients(f.grower.gradient[lo:hi], f.z[lo:hi], f.y[lo:hi], e[:hi-lo])
	})
	tree, leaves := f.grower.grow()
	if len(leaves) > 1 {
		f.team.each(len(leaves), func(_, i int) {
			l := leaves[i]
			value := f.grower.value(l.rows)
			tree.Value[l.node] = value
			for _, r := range l.rows {
				f.z[r] += value
			}
		})
	}
	return tree, leaves
}

// value of a leaf of these rows: a Newton step, from sums that are as fine as
// the gradients are.
func (g *grower) value(rows []int32) float64 {
	var sumG, sumH int64
	for _, r := range rows {
		v := g.gradient[r]
		sumG += int64(v)
		sumH += hessian(v)
	}
	return -float64(g.rate*float64(sumG)) / (float64(sumH) + float64(g.l2*gradientOne))
}
