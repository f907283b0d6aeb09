// Package value holds what both stores must do alike with a value before it
// meets SQL: what they refuse, how times and unknown counts are written, and
// how a prediction's features are encoded. The databases differ in what they
// would accept; the stores must not.
package value
