package meter

// InGlobal are options for a module that keeps its fuel in the global alone.
var InGlobal = Options{noLocal: true}
