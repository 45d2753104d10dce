package torvyn

import (
	"context"
	"errors"
	"fmt"

	"torvyn.dev/torvyn/internal/host"
)

// Kind says what an error means to the flow.
type Kind uint8

// The kinds, as the contract numbers them. What becomes of an element with an error of the first four is the node's
// on_error setting.
const (
	InvalidInput     Kind = iota // this element is not what the component can work on; asking again would not help
	Unavailable                  // not now: something the component needs is away
	Internal                     // the component failed on this element
	DeadlineExceeded             // the element's deadline passed
	Fatal                        // the component cannot go on; the flow ends
)

func (kind Kind) String() string {
	names := [...]string{"invalid input", "unavailable", "internal", "deadline exceeded", "fatal"}
	if int(kind) < len(names) {
		return names[kind]
	}
	return fmt.Sprintf("Kind(%d)", uint8(kind))
}

// Error is an error of a certain kind. Any other error that a component returns counts as Internal, but
// context.DeadlineExceeded, which is what it says.
type Error struct {
	Kind Kind
	Err  error
}

// Errorf makes an *Error as fmt.Errorf makes an error; %w works.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{kind, fmt.Errorf(format, args...)}
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Kind.String()
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// An error about one element of a whole run.
type elementError struct {
	index int
	err   error
}

func (e *elementError) Error() string { return fmt.Sprintf("element %d: %v", e.index, e.err) }
func (e *elementError) Unwrap() error { return e.err }

// Puts an error into the contract's words. `index` is the element it is about unless it says so itself.
func failureOf(index int, err error) *host.Failure {
	if err == nil {
		return nil
	}
	var about *elementError
	if errors.As(err, &about) {
		index, err = about.index, about.err
	}
	kind := Internal
	var typed *Error
	switch {
	case errors.As(err, &typed):
		kind = typed.Kind
	case errors.Is(err, context.DeadlineExceeded):
		kind = DeadlineExceeded
	}
	return &host.Failure{Index: index, Kind: uint8(kind), Text: err.Error()}
}
