package torvyn

import (
	"iter"
	"time"

	"torvyn.dev/torvyn/internal/host"
)

// Runs of up to so many bytes are read in one piece; of larger ones an element at a time, so that a component needs no
// more memory than its largest element and this.
const readAtOnceBytes = 1 << 20

// Run is a run of elements that arrived together. It holds at least one, and is valid until the function it was given to
// returns.
type Run struct {
	batch        host.Batch
	sizes        []uint64
	payloads     []byte
	ends         []uint32
	metas        []host.Meta
	contentTypes []string
	current      int    // of readOne
	one          []byte // payload of `current` where a run is read an element at a time
}

func (run *Run) begin(batch host.Batch) {
	*run = Run{batch: batch, sizes: batch.Sizes(), current: -1}
}

// Len is the number of elements in the run.
func (run *Run) Len() int { return len(run.sizes) }

// At is one element of the run.
func (run *Run) At(index int) Element {
	_ = run.sizes[index]
	return Element{run, index}
}

// All is for ranging over the run: for i, in := range run.All() { … }
func (run *Run) All() iter.Seq2[int, Element] {
	return func(yield func(int, Element) bool) {
		for i := range run.sizes {
			if !yield(i, Element{run, i}) {
				return
			}
		}
	}
}

// Fail makes an error that is about one element of the run. Outputs from elements before it stand, and the host calls
// again with those after it. An error that was not made by Fail is about the run's first element.
func (run *Run) Fail(index int, err error) error {
	_ = run.sizes[index]
	return &elementError{index, err}
}

func (run *Run) payload(index int) []byte {
	if run.ends == nil && run.totalBytes() <= readAtOnceBytes {
		run.payloads, run.ends = run.batch.Read()
	}
	if run.ends == nil {
		if run.current != index {
			run.one, run.current = run.batch.ReadOne(index), index
		}
		return run.one
	}
	start := uint32(0)
	if index > 0 {
		start = run.ends[index-1]
	}
	// Capped: to append to one payload does not write over the next.
	return run.payloads[start:run.ends[index]:run.ends[index]]
}

func (run *Run) totalBytes() uint64 {
	total := uint64(0)
	for _, size := range run.sizes {
		total += size
	}
	return total
}

func (run *Run) meta(index int) *host.Meta {
	if run.metas == nil {
		run.metas = run.batch.Metas()
	}
	return &run.metas[index]
}

// Calls `each` for the elements in turn, until one fails.
func (run *Run) forEach(each func(Element) error) *host.Failure {
	for i := range run.sizes {
		mark := run.batch.Mark()
		if err := each(Element{run, i}); err != nil {
			return failureOf(i, err)
		}
		// A run that was read in one piece stays; one payload alone gives its memory back.
		if run.current >= 0 {
			run.current, run.one = -1, nil
			run.batch.Rewind(mark)
		}
	}
	return nil
}

// Element is one element of a stream: a payload, and what travels beside it. It is valid until the function it was given
// to returns.
type Element struct {
	run   *Run
	index int
}

// Bytes is the payload. It may be changed in place; it is overwritten after the function returns, so clone what is to be
// kept. Nothing is copied out of the host until a function asks for bytes.
func (e Element) Bytes() []byte { return e.run.payload(e.index) }

// Text is the payload as a string, which may be kept.
func (e Element) Text() string { return string(e.Bytes()) }

// Size is the payload's length in bytes. Costs no copy.
func (e Element) Size() int { return int(e.run.sizes[e.index]) }

// Sequence is the number of the element in its flow, from 0.
func (e Element) Sequence() uint64 { return e.run.meta(e.index).Sequence }

// Time is when the element entered the flow.
func (e Element) Time() time.Time { return time.Unix(0, int64(e.run.meta(e.index).TimestampNs)) }

// Deadline is the time that remains for the element; not ok if it has no deadline.
func (e Element) Deadline() (remaining time.Duration, ok bool) {
	ns := e.run.meta(e.index).DeadlineNs
	return time.Duration(ns), ns != 0
}

// ContentType is "" where none was set.
func (e Element) ContentType() string {
	if e.run.contentTypes == nil {
		e.run.contentTypes = e.run.batch.ContentTypes()
	}
	return e.run.contentTypes[e.run.meta(e.index).ContentType]
}

// FlowID is the flow's name.
func (e Element) FlowID() string { return e.run.batch.FlowID() }

// TraceID is the element's W3C trace id.
func (e Element) TraceID() string { return e.run.batch.TraceID(e.index) }

// SpanID is the W3C span id of this call.
func (e Element) SpanID() string { return e.run.batch.SpanID() }
