package pgtest

import (
	"syscall"
	"testing"
	"time"
)

// Freeze stops all processes of the server where they are, with SIGSTOP: its
// connections stay open and take what is sent, and nothing answers. New ones
// are accepted by the kernel and answered as little. Freezing twice does
// nothing more.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	s.signalAll(t, "freeze", syscall.SIGSTOP)
	s.frozen = true
}

// Thaw lets a frozen server go on, with all that was sent to it meanwhile.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	s.signalAll(t, "thaw", syscall.SIGCONT)
	s.frozen = false
}

func (s *Server) signalAll(t testing.TB, what string, signal syscall.Signal) {
	t.Helper()
	if s.process == nil {
		t.Fatalf("%s postgres: it does not run", what)
	}
	if _, err := signalAll(s.process.cmd.Process.Pid, signal); err != nil {
		t.Fatalf("%s postgres: %v", what, err)
	}
}

// Kill ends all processes of the server with SIGKILL, frozen or not. Killing a
// stopped server does nothing.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	p := s.process
	if err := s.killAll(p.cmd.Process.Pid); err != nil {
		t.Fatalf("kill postgres: %v", err)
	}
	<-p.done
	s.process, s.frozen = nil, false
}

// CPU is the processor time that the server's processes have used so far.
func (s *Server) CPU(t testing.TB) time.Duration {
	t.Helper()
	if s.process == nil {
		t.Fatal("the CPU time of postgres: it does not run")
	}
	used, err := cpuTime(s.process.cmd.Process.Pid)
	if err != nil {
		t.Fatalf("the CPU time of postgres: %v", err)
	}
	return used
}
