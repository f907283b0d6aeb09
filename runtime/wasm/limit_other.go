//go:build !linux

package wasm

import (
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

func executable() (string, error) { return os.Executable() }

func confine(*exec.Cmd) {}

func stoppedForTime(*os.ProcessState) bool { return false }

// limit this process. Where the system is not Linux only the process itself
// watches: time by the clock, at twice the limit, and memory that Go has
// taken. A single huge allocation is seen too late.
func (j job) limit() {
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(j.Memory)
	go j.watch()
}

func (j job) watch() {
	start := time.Now()
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	for {
		if time.Since(start) > 2*j.CPU {
			os.Exit(exitTime)
		}
		if metrics.Read(sample); int64(sample[0].Value.Uint64()) > j.Memory+16<<20 {
			os.Exit(exitMemory)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
