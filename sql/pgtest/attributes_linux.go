package pgtest

import "syscall"

// processAttributes drops privileges, and makes the kernel end the child when
// the test process dies, however it dies. SIGQUIT is PostgreSQL's immediate
// shutdown, which also gives its shared memory back.
func processAttributes(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGQUIT}
}
