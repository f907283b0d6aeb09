package predlog

import "errors"

// ErrRefused marks, by [errors.Is], what a [Store] says of predictions that it
// will never take: the data is wrong, and asking again changes nothing. Every
// other error means that the store is away, and the same predictions are
// offered until it takes them.
var ErrRefused = errors.New("the store refuses the prediction")
