package main

import (
	"errors"
	"slices"
	"testing"

	"torvyn.dev/torvyn"
	"torvyn.dev/torvyn/torvyntest"
)

func TestShout(t *testing.T) {
	got, err := torvyntest.Start(t, "").Process("hello", "Torvyn")
	if want := []string{"HELLO", "TORVYN"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("it gave %q, %v; want %q", got, err, want)
	}
}

func TestShoutPutsThePrefixFirst(t *testing.T) {
	got, err := torvyntest.Start(t, `{"prefix": "- "}`).Process("hello")
	if want := []string{"- HELLO"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("it gave %q, %v; want %q", got, err, want)
	}
}

func TestShoutRefusesAnEmptyElement(t *testing.T) {
	_, err := torvyntest.Start(t, "").Process("hello", "")
	var failure *torvyn.Error
	if !errors.As(err, &failure) || failure.Kind != torvyn.InvalidInput {
		t.Errorf("it gave the error %v; want invalid input", err)
	}
}
