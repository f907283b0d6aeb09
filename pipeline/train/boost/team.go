package boost

import (
	"sync"
	"sync/atomic"
)

// team is a number of goroutines that share tasks. Which of them takes a task
// is open, so a task's result must not depend on it.
type team int

// each has the team do tasks 0 to n-1 and waits for all. Tasks are numbered,
// and so are the workers, of which no two work at a time under one number.
func (t team) each(n int, do func(worker, task int)) {
	if t == 1 || n == 1 {
		for task := range n {
			do(0, task)
		}
		return
	}
	var next atomic.Int64
	work := func(worker int) {
		for task := int(next.Add(1)) - 1; task < n; task = int(next.Add(1)) - 1 {
			do(worker, task)
		}
	}
	var others sync.WaitGroup
	for worker := 1; worker < min(int(t), n); worker++ {
		others.Go(func() { work(worker) })
	}
	work(0)
	others.Wait()
}

// eachRange is each for the ranges of at most `step` of n things.
func (t team) eachRange(n, step int, do func(worker, lo, hi int)) {
	t.each((n+step-1)/step, func(worker, task int) {
		do(worker, task*step, min((task+1)*step, n))
	})
}
