package pgtest

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childVariable makes the test binary play the test process that is killed.
const childVariable = "PGTEST_CHILD"

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestURLIsolates(t *testing.T) {
	t.Parallel()
	a, b := connect(t, URL(t)), connect(t, URL(t))
	for _, conn := range []*pgx.Conn{a, b} {
		if _, err := conn.Exec(t.Context(), "CREATE TABLE same_name (n int)"); err != nil {
			t.Fatalf("create a table of the same name in both: %v", err)
		}
	}
}

func TestURLDropsItsSchema(t *testing.T) {
	t.Parallel()
	var schema string
	t.Run("inner", func(t *testing.T) {
		if err := connect(t, URL(t)).QueryRow(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
			t.Fatal(err)
		}
	})
	var n int
	err := connect(t, URL(t)).QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace WHERE nspname = $1", schema).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("schema %q after its test: count %d, error %v", schema, n, err)
	}
}

func TestServerKeepsDataOverKillAndRestart(t *testing.T) {
	t.Parallel()
	server := Start(t)
	if err := server.exec("CREATE TABLE kept (n int)"); err != nil {
		t.Fatal(err)
	}
	server.Kill(t)
	server.Kill(t)
	if err := server.exec("SELECT 1"); err == nil {
		t.Error("a killed server answers")
	}
	server.Restart(t)
	if err := server.exec("SELECT n FROM kept"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestServerDiesWithItsProcess kills a test process that has started a server.
func TestServerDiesWithItsProcess(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		server := Start(t)
		pid := strconv.Itoa(server.process.cmd.Process.Pid)
		if err := os.WriteFile(os.Getenv(childVariable), []byte(pid+" "+server.dir+" end"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
	}
	t.Parallel()
	Start(t) // skips here where there is no PostgreSQL
	file := t.TempDir() + "/pid"
	child := exec.Command(os.Args[0], "-test.run=^TestServerDiesWithItsProcess$")
	child.Env = append(os.Environ(), childVariable+"="+file)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for deadline := time.Now().Add(2 * startTimeout); len(fields) < 3; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child did not start its server")
		}
		text, _ := os.ReadFile(file)
		fields = strings.Fields(string(text))
	}
	child.Process.Kill()
	child.Wait()
	t.Cleanup(func() { os.RemoveAll(fields[1]) })
	awaitGone(t, "/proc/"+fields[0])
}

func awaitGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("only Linux ties a child's life to its parent's")
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(path); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server outlived its test process: %s", path)
		}
	}
}

// TestFreezeAndThaw has a server answer nobody, then everybody.
func TestFreezeAndThaw(t *testing.T) {
	t.Parallel()
	server := Start(t)
	conn := connect(t, server.URL())
	server.Freeze(t)
	server.Freeze(t)
	answer := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "SELECT 1")
		answer <- err
	}()
	select {
	case err := <-answer:
		t.Fatalf("a frozen server answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	server.Thaw(t)
	if err := <-answer; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	if server.CPU(t) <= 0 {
		t.Error("the server has used no CPU time")
	}
}

// TestEndsFrozen stops, kills and restarts a server that is frozen.
func TestEndsFrozen(t *testing.T) {
	t.Parallel()
	server := Start(t)
	for name, end := range map[string]func(testing.TB){"stop": server.Stop, "kill": server.Kill, "restart": server.Restart} {
		server.Freeze(t)
		end(t)
		server.Restart(t)
		if err := server.exec("SELECT 1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	server.Freeze(t) // the clean-up has to end it
}
