package hostile

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// A cost is what a specimen takes of the machine. The process that compiles is
// the largest so far, so that it tells something where one specimen runs alone.
type cost struct {
	start    time.Time
	resident int64 // bytes, when it began
	children time.Duration
}

func startCost() cost {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak starts anew
	return cost{time.Now(), status("VmRSS:"), childTime()}
}

// more is how many bytes more than before were resident at one time.
func (c cost) more() int64 { return max(0, status("VmHWM:")-c.resident) }

func (c cost) log(t *testing.T) {
	var children syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children)
	t.Logf("%.2f s, of which %.2f s of processor time in a child of %d MiB; %d MiB more here, %d goroutines",
		time.Since(c.start).Seconds(), (childTime() - c.children).Seconds(), children.Maxrss>>10, c.more()>>20, runtime.NumGoroutine())
}

func childTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// status reads a number of bytes that the system knows of this process.
func status(name string) (bytesOf int64) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	if _, after, ok := bytes.Cut(text, []byte(name)); ok {
		_, _ = fmt.Sscan(string(after), &bytesOf)
	}
	return bytesOf << 10
}
