package torvyntest

import (
	"fmt"

	"torvyn.dev/torvyn/internal/host"
)

// A run in memory.
type batch struct {
	payloads    []string
	metas       []host.Meta
	contentType string
}

func (c *Component) batchOf(inputs []string) *batch {
	if len(inputs) == 0 {
		panic("torvyntest: a run holds at least one element")
	}
	b := &batch{payloads: inputs, contentType: c.ContentType}
	for range inputs {
		b.metas = append(b.metas, host.Meta{Sequence: c.sequence, TimestampNs: c.TimestampNs, DeadlineNs: c.DeadlineNs})
		c.sequence++
	}
	return b
}

func (b *batch) Sizes() []uint64 {
	var sizes []uint64
	for _, payload := range b.payloads {
		sizes = append(sizes, uint64(len(payload)))
	}
	return sizes
}

func (b *batch) Read() (payloads []byte, ends []uint32) {
	for _, payload := range b.payloads {
		payloads = append(payloads, payload...)
		ends = append(ends, uint32(len(payloads)))
	}
	return payloads, ends
}

func (b *batch) ReadOne(index int) []byte { return []byte(b.payloads[index]) }
func (b *batch) Metas() []host.Meta       { return b.metas }
func (b *batch) ContentTypes() []string   { return []string{b.contentType} }
func (b *batch) FlowID() string           { return "test" }
func (b *batch) TraceID(index int) string { return fmt.Sprintf("%032x", b.metas[index].Sequence+1) }
func (b *batch) SpanID() string           { return fmt.Sprintf("%016x", 1) }
func (b *batch) Mark() int                { return 0 }
func (b *batch) Rewind(int)               {}

// A writer into memory, as strict as the host's.
type writer struct {
	batch       *batch // nil for calls without a run
	outputs     []Output
	maxBytes    int
	contentType *string
}

func (w *writer) Emit(payloads []byte, ends, origins []uint32) *host.EmitError {
	if w.maxBytes != 0 && len(payloads) > w.maxBytes {
		return &host.EmitError{TooLarge: true}
	}
	if len(origins) != 0 && len(origins) != len(ends) {
		panic(fmt.Sprintf("emit: %d origins for %d outputs", len(origins), len(ends)))
	}
	start := uint32(0)
	for i, end := range ends {
		output := Output{Payload: string(payloads[start:end]), From: -1}
		if len(origins) != 0 {
			output.From = int(origins[i])
			output.ContentType = w.batch.contentType
		}
		if w.contentType != nil {
			output.ContentType = *w.contentType
		}
		w.outputs = append(w.outputs, output)
		start = end
	}
	if int(start) != len(payloads) {
		panic("emit: the ends do not end where the payloads do")
	}
	return nil
}

func (w *writer) Forward(port string, indices []uint32) {
	for _, index := range indices {
		w.outputs = append(w.outputs, Output{w.batch.payloads[index], w.batch.contentType, int(index), port, true})
	}
}

func (w *writer) SetContentType(contentType string) { w.contentType = &contentType }
