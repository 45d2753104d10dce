package main

import (
	"testing"

	"torvyn.dev/torvyn/torvyntest"
)

func TestSinkCounts(t *testing.T) {
	sink := torvyntest.Start(t, "")
	if _, err := sink.Push("one", "three"); err != nil {
		t.Fatal(err)
	}
	if _, err := sink.Push(""); err != nil {
		t.Fatal(err)
	}
	if err := sink.Complete(); err != nil {
		t.Fatal(err)
	}
	if want := (sums{elements: 3, bytes: 8}); counted != want {
		t.Errorf("it counted %+v; want %+v", counted, want)
	}
}
