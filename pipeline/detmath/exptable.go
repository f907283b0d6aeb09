package detmath

import "math/big"

// expTable holds 2^(i/128) = value · (1 + rest). It is computed once, in big
// numbers, so that it is exact and the same everywhere.
var expTable = makeExpTable()

type expEntry struct{ value, rest float64 }

func makeExpTable() (table [expSteps]expEntry) {
	const precision = 256
	root := new(big.Float).SetPrec(precision).SetInt64(2)
	for range expShift { // 2^(1/128) by taking the square root seven times
		root.Sqrt(root)
	}
	exact := new(big.Float).SetPrec(precision).SetInt64(1)
	rest := new(big.Float).SetPrec(precision)
	for i := range table {
		e := &table[i]
		e.value, _ = exact.Float64()
		rest.Sub(exact, new(big.Float).SetFloat64(e.value))
		rest.Quo(rest, exact)
		e.rest, _ = rest.Float64()
		exact.Mul(exact, root)
	}
	return table
}
