package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the kernel counts for a process, see proc(5).

// residentMiB is the memory that a process holds at the moment, peakMiB the
// most that it held since resetPeak.
func residentMiB(b *testing.B, pid int) float64 { return memoryMiB(b, pid, "VmRSS:") }
func peakMiB(b *testing.B, pid int) float64     { return memoryMiB(b, pid, "VmHWM:") }

func memoryMiB(b *testing.B, pid int, field string) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("this system does not tell how much memory a process holds: %v", err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), field); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatalf("no %s in the status of the process", field)
	return 0
}

func resetPeak(b *testing.B, pid int) {
	b.Helper()
	const peak = "5"
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peak), 0); err != nil {
		b.Fatalf("forget the peak of the memory: %v", err)
	}
}

// cpuTime is the processor time that a process has used, with the children
// that it has waited for.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	used, _, err := processTimes(pid)
	if err != nil {
		b.Fatal(err)
	}
	return used
}

// cpuTimeOfTree is that of a process and its children, ended or not. It
// overlooks grandchildren, of which PostgreSQL has none.
func cpuTimeOfTree(b *testing.B, root int) time.Duration {
	b.Helper()
	used := cpuTime(b, root)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, stat := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil {
			b.Fatal(err)
		}
		// One that cannot be read has ended meanwhile; its parent counts it.
		if child, parent, err := processTimes(pid); err == nil && parent == root {
			used += child
		}
	}
	return used
}

// clockTick is the unit of times in /proc, the same on every Linux that Go
// runs on.
const clockTick = 10 * time.Millisecond

func processTimes(pid int) (used time.Duration, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The name, in parentheses, may hold anything. After it the third field is
	// the state; the parent is the fourth, and the times are 14 to 17.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, 0, err
	}
	for _, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		used += time.Duration(ticks) * clockTick
	}
	return used, parent, nil
}
