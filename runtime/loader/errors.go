package loader

import "errors"

// ErrNotLoaded says that a model, or a version of it, is not in service.
var ErrNotLoaded = errors.New("is not loaded")

// ErrFull says that as much is in service as may be.
var ErrFull = errors.New("no room for another model")

// ErrUnloaded says that a model was taken out of service on demand, and stays
// so until it is asked for.
var ErrUnloaded = errors.New("was unloaded")
