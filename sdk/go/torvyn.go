// Package torvyn makes a Torvyn component of a function.
//
//	package main
//
//	import (
//		"bytes"
//
//		"torvyn.dev/torvyn"
//	)
//
//	func init() { torvyn.Processor(shout) }
//
//	func shout(in torvyn.Element, out *torvyn.Output) error {
//		out.Emit(bytes.ToUpper(in.Bytes()))
//		return nil
//	}
//
//	func main() {} // never called: the host calls shout
//
// A component is one stage of a flow: a source, a processor, a filter, a router, an aggregator or a sink. It says so in an
// init function, where it may also name its settings and what to do at its start and end. The host calls it with runs of
// elements, and this package calls the function for each of them.
//
// One call runs at a time. Goroutines run only while a call does, and only when it waits.
//
// On the machine that develops a component the package does nothing by itself; package torvyntest calls a component there as
// a host would.
package torvyn

import (
	"errors"
	"io"
	"slices"

	"torvyn.dev/torvyn/internal/host"
)

// The one component of this program.
var component struct {
	role  string   // "" until one is registered
	also  []string // what it exports beside
	start []func() error
	stop  []func()

	run     Run
	out     Output
	ended   bool  // the source has said io.EOF
	pending error // what the source said after it had given something
	pause   bool  // the sink asked for it
}

// What a program registers, `torvyn build` reads off the module: the linker keeps these texts only where they are used.
const (
	processorWorld  = "torvyn-world=torvyn:batching/managed-batch-transform@0.1.0;"
	routerWorld     = "torvyn-world=torvyn:batching/batch-content-router@0.1.0;"
	sourceWorld     = "torvyn-world=torvyn:batching/batch-data-source@0.1.0;"
	aggregatorWorld = "torvyn-world=torvyn:batching/batch-stream-aggregator@0.1.0;"
	sinkWorld       = "torvyn-world=torvyn:batching/batch-data-sink@0.1.0;"
	acksExport      = "torvyn-export=torvyn:acks/acks@0.1.0;"
)

func register(role string) {
	if component.role != "" {
		panic("torvyn: a component is one stage, and this program registers two")
	}
	component.role = role
	host.Guest.Init = initialize
	host.Guest.Teardown = teardown
}

// Processor registers a stage of one element in and any number out. An element that nothing is emitted for counts as
// filtered.
func Processor(process func(in Element, out *Output) error) {
	register(processorWorld)
	host.Guest.Process = processEach(process)
}

// BatchProcessor registers a processor that takes the whole run at once. It says with Output.From which element its
// outputs come from, and with Run.Fail which one an error is about.
func BatchProcessor(process func(run *Run, out *Output) error) {
	register(processorWorld)
	host.Guest.Process = func(batch host.Batch, writer host.Writer) *host.Failure {
		run, out := begin(batch, writer)
		return out.end(failureOf(0, process(run, out)))
	}
}

// Filter registers a stage that keeps the elements `keep` returns true for, as they are.
func Filter(keep func(in Element) (bool, error)) {
	register(processorWorld)
	host.Guest.Process = processEach(func(in Element, out *Output) error {
		kept, err := keep(in)
		if kept && err == nil {
			out.Forward()
		}
		return err
	})
}

func processEach(process func(Element, *Output) error) func(host.Batch, host.Writer) *host.Failure {
	return func(batch host.Batch, writer host.Writer) *host.Failure {
		run, out := begin(batch, writer)
		return out.end(run.forEach(func(in Element) error {
			out.From(in.index)
			return process(in, out)
		}))
	}
}

// Router registers a stage that names the ports each element goes to, as it is: none drops it, several share it.
func Router(route func(in Element) (ports []string, err error)) {
	register(routerWorld)
	var ports []string // in the order in which they were named first
	indices := map[string][]uint32{}
	host.Guest.Route = func(batch host.Batch, writer host.Writer) *host.Failure {
		run, _ := begin(batch, writer)
		ports = ports[:0]
		clear(indices)
		failure := run.forEach(func(in Element) error {
			names, err := route(in)
			if err != nil {
				return err
			}
			for i, name := range names {
				if slices.Contains(names[:i], name) {
					continue
				}
				if _, known := indices[name]; !known {
					ports = append(ports, name)
				}
				indices[name] = append(indices[name], uint32(in.index))
			}
			return nil
		})
		for _, port := range ports {
			writer.Forward(port, indices[port])
		}
		return failure
	}
}

// Source registers a stage that elements come from. `pull` emits one or a few, and returns io.EOF when the stream has ended,
// after the last ones or with them. It is not to wait for long: where nothing is there yet, it emits nothing, and is asked
// again later.
func Source(pull func(out *Output) error) {
	register(sourceWorld)
	host.Guest.Pull = func(most int, writer host.Writer) (bool, *host.Failure) {
		out := &component.out
		out.begin(writer, nil)
		out.most = most
		out.drainBacklog()
		err := component.pending
		component.pending = nil
		for err == nil && !component.ended && out.emitted < most && out.failure == nil {
			before := out.emitted
			out.typeIsSet, out.contentType = false, ""
			if err = pull(out); errors.Is(err, io.EOF) {
				component.ended, err = true, nil
			}
			if out.emitted == before {
				break
			}
		}
		// What was given before an error is delivered first: the error comes with the next call.
		if err != nil && out.emitted > 0 {
			component.pending, err = err, nil
		}
		if failure := out.end(failureOf(0, err)); failure != nil {
			return true, failure
		}
		return !component.ended || len(out.backlog) > 0 || component.pending != nil, nil
	}
}

// OnBackpressure is told when the flow has become slower (pause) or faster than the source. It is advice: nothing is lost if it
// is ignored.
func OnBackpressure(notify func(pause bool)) { host.Guest.NotifyBackpressure = notify }

// OnAcknowledge is told that every element up to the upTo-th which this source emitted, counted from 1, has met its
// fate: written, dropped or failed for good.
func OnAcknowledge(acknowledge func(upTo uint64)) {
	component.also = append(component.also, acksExport)
	host.Guest.Acknowledge = acknowledge
}

// Aggregator registers a stage of many elements in and few out. `ingest` takes one, and may emit; `flush` emits what is
// left when the stream has ended.
func Aggregator(ingest func(in Element, out *Output) error, flush func(out *Output) error) {
	register(aggregatorWorld)
	host.Guest.Ingest = func(batch host.Batch, writer host.Writer) *host.Failure {
		run, out := begin(batch, writer)
		out.uncharged = true
		return out.end(run.forEach(func(in Element) error { return ingest(in, out) }))
	}
	host.Guest.Flush = func(writer host.Writer) (bool, *host.Failure) {
		out := &component.out
		out.begin(writer, nil)
		return false, out.end(failureOf(0, flush(out)))
	}
}

// Sink registers a stage where elements end.
func Sink(push func(in Element) error) {
	register(sinkWorld)
	host.Guest.Push = func(batch host.Batch) (bool, *host.Failure) {
		run, _ := begin(batch, nil)
		return endPush(run.forEach(push))
	}
}

// BatchSink registers a sink that takes the whole run at once.
func BatchSink(push func(run *Run) error) {
	register(sinkWorld)
	host.Guest.Push = func(batch host.Batch) (bool, *host.Failure) {
		run, _ := begin(batch, nil)
		return endPush(failureOf(0, push(run)))
	}
}

// Pause asks, in a sink, that the next elements wait for a while. Those of this run have been taken.
func Pause() { component.pause = true }

func endPush(failure *host.Failure) (bool, *host.Failure) {
	pause := component.pause
	component.pause = false
	return pause, failure
}

// OnComplete is called in a sink after the last element, at orderly ends only: what was held back is to be written now.
func OnComplete(complete func() error) {
	host.Guest.Complete = func() *host.Failure { return failureOf(0, complete()) }
}

// OnStart is called once before the first element, when the settings are known. An error ends the flow before it began.
func OnStart(start func() error) { component.start = append(component.start, start) }

// OnStop is called once after the last element, but not after a trap.
func OnStop(stop func()) { component.stop = append(component.stop, stop) }

func begin(batch host.Batch, writer host.Writer) (*Run, *Output) {
	component.run.begin(batch)
	component.out.begin(writer, &component.run)
	return &component.run, &component.out
}

func initialize(config string) *host.Failure {
	component.ended, component.pending, component.pause, component.out = false, nil, false, Output{}
	if err := readSettings(config); err != nil {
		return failureOf(0, err)
	}
	for _, start := range component.start {
		if err := start(); err != nil {
			return failureOf(0, err)
		}
	}
	return nil
}

func teardown() {
	for _, stop := range slices.Backward(component.stop) {
		stop()
	}
}
