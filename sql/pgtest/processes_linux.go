package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// processes are the postmaster and, after it, its children: the backends and
// what works in the background.
func processes(postmaster int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", postmaster))
	if err != nil {
		return nil, fmt.Errorf("list PostgreSQL's processes: %w", err)
	}
	pids := []int{postmaster}
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("list PostgreSQL's processes: %w", err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// signalAll sends a signal to the postmaster and then to its children, which
// cannot become more once it is stopped or dead.
func signalAll(postmaster int, signal syscall.Signal) ([]int, error) {
	if _, err := processes(postmaster); err != nil {
		return nil, err // before the postmaster is dead and its children are not known
	}
	if signal == syscall.SIGKILL {
		// A dead postmaster tells nothing of its children.
		if _, err := signalAll(postmaster, syscall.SIGSTOP); err != nil {
			return nil, err
		}
	} else if err := syscall.Kill(postmaster, signal); err != nil {
		return nil, err
	}
	pids, err := processes(postmaster)
	if err != nil {
		return nil, err
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return nil, err
		}
	}
	return pids, nil
}

// killAll ends the server as kill -9 of all its processes does, and waits
// until they are gone: a new server would find them in its way.
func (s *Server) killAll(postmaster int) error {
	pids, err := signalAll(postmaster, syscall.SIGKILL)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(time.Millisecond) {
		if !anyAlive(pids) {
			return s.removeSharedMemory()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL's processes %v did not end", pids)
		}
	}
}

// anyAlive takes a process that nobody has waited for yet for dead.
func anyAlive(pids []int) bool {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		_, state, _ := bytes.Cut(stat, []byte(") "))
		if !bytes.HasPrefix(state, []byte("Z")) {
			return true
		}
	}
	return false
}

// removeSharedMemory gives back the segment that a killed server leaves in the
// kernel, whose key and number are line 7 of its postmaster.pid.
func (s *Server) removeSharedMemory() error {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return nil // killed before it had one
	}
	var key, id int
	if _, err := fmt.Sscan(lines[6], &key, &id); err != nil {
		return fmt.Errorf("read the shared memory's number in %q: %w", lines[6], err)
	}
	if _, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("remove shared memory %d: %w", id, err)
	}
	return nil
}

// cpuTime is what the server's living processes have used so far.
func cpuTime(postmaster int) (time.Duration, error) {
	pids, err := processes(postmaster)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			continue // ended meanwhile
		}
		var onCPU time.Duration
		if _, err := fmt.Sscan(string(text), &onCPU); err != nil {
			return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
		}
		sum += onCPU
	}
	return sum, nil
}
