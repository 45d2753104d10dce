package main

import (
	"slices"
	"testing"

	"torvyn.dev/torvyn/torvyntest"
)

func TestKeep(t *testing.T) {
	lines := []string{"an error", "all well", "another error"}
	for settings, want := range map[string][]string{
		`{"pattern": "error"}`:                   {"an error", "another error"},
		`{"pattern": "error", "invert": "true"}`: {"all well"},
		`{"pattern": ""}`:                        lines,
	} {
		got, err := torvyntest.Start(t, settings).Process(lines...)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("with %s it kept %q, %v; want %q", settings, got, err, want)
		}
	}
}

func TestPatternIsRequired(t *testing.T) {
	if _, err := torvyntest.TryStart(t, ""); err == nil {
		t.Error("it started without a pattern")
	}
}
