package main

import (
	"errors"
	"slices"
	"testing"

	"torvyn.dev/torvyn"
	"torvyn.dev/torvyn/torvyntest"
)

func TestParse(t *testing.T) {
	got, err := torvyntest.Start(t, "").Process("kitchen 20.5")
	if want := []string{`{"room":"kitchen","celsius":20.5}`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("it gave %q, %v; want %q", got, err, want)
	}
}

func TestParseRefusesWhatIsNoReading(t *testing.T) {
	for _, line := range []string{"", "kitchen", "kitchen ?", "20.5"} {
		_, err := torvyntest.Start(t, "").Process(line)
		var failure *torvyn.Error
		if !errors.As(err, &failure) || failure.Kind != torvyn.InvalidInput {
			t.Errorf("%q gave the error %v; want invalid input", line, err)
		}
	}
}
