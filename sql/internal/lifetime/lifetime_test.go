package lifetime

import (
	"errors"
	"testing"
)

var errDatabase, errOwn = errors.New("the database is away"), errors.New("no")

func TestGuard(t *testing.T) {
	t.Parallel()
	g := New([]string{"here"})
	if err := g.For("here"); err != nil {
		t.Error(err)
	}
	if err := g.For("there"); err == nil {
		t.Error("a network that was not named may be used")
	}
	if err := g.Fail(nil); err != nil || g.Open() != nil {
		t.Error("no error counts as one")
	}
	if err := g.Fail(errDatabase); err != errDatabase {
		t.Errorf("an error came back as %v", err)
	}
	if err := g.Fail(errOwn); err != errOwn || g.For("here") != errDatabase {
		t.Errorf("after two failures the first does not stand: %v", g.For("here"))
	}
	if err := g.End(nil); !errors.Is(err, errDatabase) {
		t.Errorf("a failure that was passed over ends with %v", err)
	}
	if err := g.Open(); err == nil || errors.Is(err, errDatabase) {
		t.Errorf("after the end: %v", err)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	if err := New(nil).End(nil); err != nil {
		t.Error(err)
	}
	g := New(nil)
	g.Fail(errDatabase)
	if err := g.End(errOwn); err != errOwn {
		t.Errorf("the function's own error ends as %v", err)
	}
}
