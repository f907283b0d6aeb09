package wasm

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"syscall"
	"time"
)

// executable is the program that runs, even where another one lies in its
// place by now: the two might disagree on machine code.
func executable() (string, error) { return "/proc/self/exe", nil }

func confine(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
}

func stoppedForTime(state *os.ProcessState) bool {
	w, ok := state.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && w.Signal() == syscall.SIGXCPU
}

// threadStacks is room for the stacks of threads that the Go runtime starts: by
// the C library they take 8 MiB each, of which hardly a page is ever touched.
const threadStacks = 64 << 20

// limit this process. None of the module's code runs in it, only the compiler,
// so that a goroutine of its own can watch time to the millisecond; the
// system's limits stand behind it, and stop a single huge allocation.
func (j job) limit() {
	before, data := memory()
	seconds := uint64(j.CPU/time.Second) + 2
	for what, most := range map[int]uint64{
		syscall.RLIMIT_CORE:  0,
		syscall.RLIMIT_CPU:   seconds,
		syscall.RLIMIT_DATA:  uint64(data + j.Memory + j.Memory/2 + threadStacks),
		syscall.RLIMIT_FSIZE: 1 << 30,
	} {
		if err := syscall.Setrlimit(what, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			fmt.Println("set a limit:", err)
			os.Exit(1)
		}
	}
	debug.SetGCPercent(25)
	debug.SetMemoryLimit(j.Memory * 3 / 4) // so that what it watches is hardly ever garbage
	go j.watch(before)
}

func (j job) watch(before int64) {
	for {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err == nil {
			if time.Duration(used.Utime.Nano()+used.Stime.Nano()) > j.CPU {
				os.Exit(exitTime)
			}
		}
		if now, _ := memory(); now-before > j.Memory {
			os.Exit(exitMemory)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// memory is the bytes that are resident and this process's own, and those that
// are mapped for data. Pages of the program's file are left out: which of them
// are in memory hangs on what else ran, and not on the module.
func memory() (own, data int64) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0
	}
	var size, res, shared, code, lib, d int64
	if _, err := fmt.Sscan(string(text), &size, &res, &shared, &code, &lib, &d); err != nil {
		return 0, 0
	}
	page := int64(os.Getpagesize())
	return (res - shared) * page, d * page
}
