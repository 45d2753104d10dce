// Package torvyntest calls a component as a host would, on the machine it is developed on:
//
//	func TestShout(t *testing.T) {
//		got, err := torvyntest.Start(t, "").Process("hello")
//		if err != nil || !slices.Equal(got, []string{"HELLO"}) {
//			t.Errorf("shout gave %q, %v", got, err)
//		}
//	}
//
// The component is the one that the package under test registers.
package torvyntest

import (
	"errors"
	"fmt"
	"testing"

	"torvyn.dev/torvyn"
	"torvyn.dev/torvyn/internal/host"
)

// Component is a started component. Each of its methods is one call of the host, with the inputs as one run.
//
// Errors are of type *torvyn.Error, of the kind that the flow would see. Outputs are those that stand beside the error:
// those of elements before the one that failed.
type Component struct {
	// Of the elements that are given from now on.
	ContentType string
	DeadlineNs  uint64
	TimestampNs uint64
	// The most bytes that the host takes in one buffer; 0 is no limit.
	MaxBufferBytes int

	// Of the last call: its outputs with all that is known of them, and the element that its error is about.
	Outputs  []Output
	FailedAt int

	sequence uint64
}

// Output is one element that the component gave.
type Output struct {
	Payload     string
	ContentType string
	From        int    // the element of the run it came from; -1 for one that comes from none
	Port        string // where a router sent it
	Forwarded   bool
}

// Start starts the component with these settings, a JSON object or text for the main one, and stops it when the test ends. An
// error ends the test.
func Start(t testing.TB, settings string) *Component {
	t.Helper()
	component, err := TryStart(t, settings)
	if err != nil {
		t.Fatalf("the component does not start: %v", err)
	}
	return component
}

// TryStart is Start for settings that may be refused.
func TryStart(t testing.TB, settings string) (*Component, error) {
	t.Helper()
	if host.Guest.Init == nil {
		t.Fatal("this package registers no stage: call torvyn.Processor, Filter, Router, Source, Sink or Aggregator in an init function")
	}
	component := &Component{}
	if failure := host.Guest.Init(settings); failure != nil {
		return nil, component.errorOf(failure)
	}
	t.Cleanup(host.Guest.Teardown)
	return component, nil
}

// Process gives a processor or a filter one run.
func (c *Component) Process(inputs ...string) ([]string, error) {
	must(host.Guest.Process != nil, "processor")
	return c.onRun(host.Guest.Process, inputs)
}

// Route gives a router one run. It returns what each port got.
func (c *Component) Route(inputs ...string) (map[string][]string, error) {
	must(host.Guest.Route != nil, "router")
	_, err := c.onRun(host.Guest.Route, inputs)
	ports := map[string][]string{}
	for _, output := range c.Outputs {
		ports[output.Port] = append(ports[output.Port], output.Payload)
	}
	return ports, err
}

// Ingest gives an aggregator one run.
func (c *Component) Ingest(inputs ...string) ([]string, error) {
	must(host.Guest.Ingest != nil, "aggregator")
	return c.onRun(host.Guest.Ingest, inputs)
}

// Flush ends an aggregator's stream.
func (c *Component) Flush() ([]string, error) {
	must(host.Guest.Flush != nil, "aggregator")
	writer := c.begin(nil)
	for {
		more, failure := host.Guest.Flush(writer)
		if failure != nil || !more {
			return c.end(writer, failure)
		}
	}
}

// Pull asks a source for up to so many elements. It has more until its stream has ended.
func (c *Component) Pull(most int) (outputs []string, more bool, err error) {
	must(host.Guest.Pull != nil, "source")
	writer := c.begin(nil)
	more, failure := host.Guest.Pull(most, writer)
	outputs, err = c.end(writer, failure)
	if len(outputs) > most {
		panic(fmt.Sprintf("the source gave %d elements, and %d were asked for", len(outputs), most))
	}
	return outputs, more, err
}

// Push gives a sink one run. It tells whether the sink asked for a pause.
func (c *Component) Push(inputs ...string) (pause bool, err error) {
	must(host.Guest.Push != nil, "sink")
	pause, failure := host.Guest.Push(c.begin(inputs).batch)
	return pause, c.errorOf(failure)
}

// Complete ends a sink's stream.
func (c *Component) Complete() error {
	if host.Guest.Complete == nil {
		return nil
	}
	return c.errorOf(host.Guest.Complete())
}

func must(is bool, role string) {
	if !is {
		panic("torvyntest: the component under test is no " + role)
	}
}

func (c *Component) onRun(call func(host.Batch, host.Writer) *host.Failure, inputs []string) ([]string, error) {
	writer := c.begin(inputs)
	return c.end(writer, call(writer.batch, writer))
}

func (c *Component) begin(inputs []string) *writer {
	c.Outputs, c.FailedAt = nil, 0
	w := &writer{maxBytes: c.MaxBufferBytes}
	if inputs != nil {
		w.batch = c.batchOf(inputs)
	}
	return w
}

// What the element that failed and those after it gave is void.
func (c *Component) end(writer *writer, failure *host.Failure) ([]string, error) {
	var payloads []string
	for _, output := range writer.outputs {
		if failure == nil || output.From < failure.Index {
			c.Outputs = append(c.Outputs, output)
			payloads = append(payloads, output.Payload)
		}
	}
	return payloads, c.errorOf(failure)
}

func (c *Component) errorOf(failure *host.Failure) error {
	if failure == nil {
		return nil
	}
	c.FailedAt = failure.Index
	return &torvyn.Error{Kind: torvyn.Kind(failure.Kind), Err: errors.New(failure.Text)}
}
