//go:build unix && !linux

package pgtest

import (
	"errors"
	"syscall"
	"time"
)

var errNotLinux = errors.New("only Linux tells the processes of a server")

func signalAll(int, syscall.Signal) ([]int, error) { return nil, errNotLinux }

func (s *Server) killAll(int) error { return errNotLinux }

func cpuTime(int) (time.Duration, error) { return 0, errNotLinux }
