package loader

import "errors"

// ErrNotLoaded says that a model, or a version of it, is not in service.
var ErrNotLoaded = errors.New("is not loaded")

// Entry is a line of the list of all that could serve.
type Entry struct {
	Name, Version string
	Ready         bool
	Reason        string // why it is not ready, empty where nobody asked for it
}
