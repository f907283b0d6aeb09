package loader

import "errors"

// ErrNotLoaded says that a model, or a version of it, is not in service.
var ErrNotLoaded = errors.New("is not loaded")

// ErrFull says that as much is in service as may be.
var ErrFull = errors.New("no room for another model")

// ErrUnloaded says that a model was taken out of service on demand, and stays
// so until it is asked for.
var ErrUnloaded = errors.New("was unloaded")

// Entry is a line of the list of all that could serve.
type Entry struct {
	Name, Version string
	Ready         bool
	Reason        string // why it is not ready, empty where nobody asked for it
}
