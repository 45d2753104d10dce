package main

import (
	"slices"
	"testing"

	"torvyn.dev/torvyn/torvyntest"
)

func TestNextGivesLinesAndEnds(t *testing.T) {
	got, more, err := torvyntest.Start(t, `{"count": 3}`).Pull(10)
	if want := []string{"kitchen 18.0", "attic 19.5", "cellar 21.0"}; err != nil || more || !slices.Equal(got, want) {
		t.Errorf("it gave %q, more %v, %v; want %q and the end", got, more, err, want)
	}
}
