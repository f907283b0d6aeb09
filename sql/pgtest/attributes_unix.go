//go:build unix && !linux

package pgtest

import "syscall"

// processAttributes drops privileges. Only Linux can tie a child's life to its
// parent's; elsewhere Run has to stop the server.
func processAttributes(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred}
}
