package main

import (
	"slices"
	"testing"

	"torvyn.dev/torvyn/torvyntest"
)

func TestNextGivesAsManyAsAsked(t *testing.T) {
	source := torvyntest.Start(t, `{"count": 3}`)
	got, more, err := source.Pull(2)
	if want := []string{"{{name}} 0\n", "{{name}} 1\n"}; err != nil || !more || !slices.Equal(got, want) {
		t.Errorf("it gave %q, more %v, %v; want %q", got, more, err, want)
	}
	got, more, err = source.Pull(2)
	if want := []string{"{{name}} 2\n"}; err != nil || more || !slices.Equal(got, want) {
		t.Errorf("it gave %q, more %v, %v; want %q and the end", got, more, err, want)
	}
}
