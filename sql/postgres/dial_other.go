//go:build !linux

package postgres

import "syscall"

// setUserTimeout leaves the kernel's own timeout: other systems have no such
// setting.
func setUserTimeout(string, string, syscall.RawConn) error { return nil }
