package main

import (
	"slices"
	"testing"

	"torvyn.dev/torvyn/torvyntest"
)

func TestSinkSumsUpByRoom(t *testing.T) {
	sink := torvyntest.Start(t, "")
	if _, err := sink.Push(`{"room":"kitchen","celsius":20}`, `{"room":"attic","celsius":15.5}`, `{"room":"kitchen","celsius":21}`); err != nil {
		t.Fatal(err)
	}
	want := []string{"attic: 15.50 °C, the mean of 1", "kitchen: 20.50 °C, the mean of 2"}
	if got := report(); !slices.Equal(got, want) {
		t.Errorf("it reports %q; want %q", got, want)
	}
	if err := sink.Complete(); err != nil {
		t.Error(err)
	}
}

func TestSinkRefusesWhatIsNoReading(t *testing.T) {
	if _, err := torvyntest.Start(t, "").Push("kitchen 20"); err == nil {
		t.Error("it took a line that is no JSON")
	}
}
