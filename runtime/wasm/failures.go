package wasm

// FailedRows counts the rows that it failed on since it was admitted, by what
// went wrong, in words that follow "it". Causes without a row are left out.
func (t *Transform) FailedRows() map[string]int64 {
	failed := make(map[string]int64)
	for cause, n := range t.Stats().Failed {
		if n > 0 {
			failed[cause.words()] += n
		}
	}
	return failed
}

func (c Cause) words() string {
	return [...]string{
		OutOfFuel: "spent more fuel than a row may", TooDeep: "nested calls too deep", Trapped: "trapped",
		Returned: "returned an error", Infinite: "gave an infinity", OutOfRange: "gave a value outside of its bounds",
	}[c]
}
