package wasm

import (
	"encoding/json"
	"fmt"
	"time"

	"livelab/plugins/abi"
)

// Step is one part of admission.
type Step string

// The steps, in order.
const (
	StepSize       Step = "size"       // of the file
	StepParse      Step = "parse"      // well formed and well typed, within limits
	StepSurface    Step = "surface"    // imports and exports
	StepMeter      Step = "meter"      // put fuel into the code
	StepCompile    Step = "compile"    // in a child process
	StepLoad       Step = "load"       // the machine code
	StepInitialise Step = "initialise" // an instance
	StepDescribe   Step = "describe"
	StepInputs     Step = "inputs" // are known columns
	StepAlloc      Step = "alloc"  // buffers that can be used
	StepProbe      Step = "probe"  // answers hang on a row's inputs alone
	StepGolden     Step = "golden" // pin the answers
)

// Verdict on a step.
type Verdict string

// The verdicts.
const (
	OK         Verdict = "ok"
	Refused    Verdict = "refused"
	Failed     Verdict = "failed" // the host could not tell
	NotReached Verdict = "not reached"
)

// Report is what admission found out about a module.
type Report struct {
	Digest      string           `json:"digest"` // hex SHA-256 of the bytes
	Accepted    bool             `json:"accepted"`
	Steps       []StepReport     `json:"steps"`
	Description *abi.Description `json:"description,omitempty"`
	Golden      string           `json:"golden,omitempty"`
	Facts       Facts            `json:"facts"`
	Console     string           `json:"console,omitempty"` // the first and last that it printed
}

// StepReport is a step with its verdict.
type StepReport struct {
	Step    Step     `json:"step"`
	Verdict Verdict  `json:"verdict"`
	Seconds Duration `json:"seconds"`
	Reason  string   `json:"reason,omitempty"`
}

// Facts about a module, as far as admission came.
type Facts struct {
	Bytes       int    `json:"bytes"`
	Functions   int    `json:"functions"`
	Metered     int    `json:"metered_bytes"`
	InitFuel    int64  `json:"init_fuel"`
	RowFuel     int64  `json:"row_fuel"` // mean of the probe's rows in one call
	MemoryPages uint32 `json:"memory_pages"`
	ProbeRows   int    `json:"probe_rows"`
	FailedRows  int    `json:"failed_rows"` // of the probe, which are errors of the row
	FirstFailed string `json:"first_failed,omitempty"`
}

// Duration is seconds in JSON.
type Duration time.Duration

// MarshalJSON writes seconds, to the microsecond.
func (d Duration) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.6f", time.Duration(d).Seconds()), nil
}

// UnmarshalJSON reads seconds.
func (d *Duration) UnmarshalJSON(p []byte) error {
	var s float64
	if err := json.Unmarshal(p, &s); err != nil {
		return err
	}
	*d = Duration(s * float64(time.Second))
	return nil
}

// Err is the first refusal or failure, nil for a module that was accepted.
func (r Report) Err() error {
	for _, s := range r.Steps {
		switch s.Verdict {
		case Refused:
			return &Refusal{Step: s.Step, Reason: s.Reason}
		case Failed:
			return fmt.Errorf("%s: %s", s.Step, s.Reason)
		}
	}
	return nil
}
