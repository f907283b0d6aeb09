// Package oip reads and writes the messages of the Open Inference Protocol,
// version 2, in its REST form: JSON without the binary tensor extension. It
// knows neither servers nor models.
//
// A request's members may come in any order and may be null where they are
// optional, as several clients write them. Members that the protocol does not
// have are passed over, since other servers' clients send some.
package oip

// ServerMetadata answers GET /v2.
type ServerMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

// ServerLive answers GET /v2/health/live.
type ServerLive struct {
	Live bool `json:"live"`
}

// ServerReady answers GET /v2/health/ready. The protocol has only Live in it;
// clients look for Ready all the same.
type ServerReady struct {
	Live  bool `json:"live"`
	Ready bool `json:"ready"`
}

// ModelReady answers GET /v2/models/{model}/ready.
type ModelReady struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
}

// ModelMetadata answers GET /v2/models/{model}.
type ModelMetadata struct {
	Name       string            `json:"name"`
	Versions   []string          `json:"versions"`
	Platform   string            `json:"platform"`
	Inputs     []TensorMetadata  `json:"inputs"`
	Outputs    []TensorMetadata  `json:"outputs"`
	Properties map[string]string `json:"properties"`
}

// TensorMetadata describes a tensor; -1 stands for any size of a dimension.
type TensorMetadata struct {
	Name     string   `json:"name"`
	Datatype Datatype `json:"datatype"`
	Shape    []int    `json:"shape"`
}

// RepositoryEntry is a line of the answer to POST /v2/repository/index.
type RepositoryEntry struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	State   State  `json:"state"`
	Reason  string `json:"reason"`
}

// State of a model in a repository.
type State string

// The states.
const (
	Ready       State = "READY"
	Unavailable State = "UNAVAILABLE"
)

// Error says what is wrong with one place of a message.
type Error struct {
	Path   string // e.g. "inputs[2].data[7]", counted row-major in flat and nested data alike; "" is the whole message
	Detail string
}
