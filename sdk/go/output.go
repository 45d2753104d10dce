package torvyn

import (
	"fmt"
	"unsafe"

	"torvyn.dev/torvyn/internal/host"
)

const (
	// What is emitted goes to the host when so much has come together, and at the end of the run.
	emitAtBytes = 64 << 10
	// A payload of this size goes there by itself, without being copied first.
	emitAloneBytes = 16 << 10
)

// Output takes what a component emits. The payloads that come of a run travel to the host together, in one copy.
//
// Nothing here returns an error: if the host does not take an output, the call of the element it came from fails.
type Output struct {
	writer host.Writer
	run    *Run // nil where there are no inputs: a source, and flush
	origin int  // the element that outputs are charged to
	// An aggregator's outputs come of a run, but are charged to none of its elements.
	uncharged bool

	// What was emitted and not handed over yet: either outputs or forwards, so that their order is kept.
	payloads []byte
	ends     []uint32
	origins  []uint32
	forwards []uint32

	contentType string // of the outputs that are held
	typeIsSet   bool   // for them
	hostType    string // what the writer was told last
	hostIsTold  bool

	emitted int // outputs of this call
	most    int // of this call, for a source; what is more waits in `backlog`
	backlog []heldOutput

	failure *host.Failure // the first one; what is emitted after it is lost anyway
}

type heldOutput struct {
	payload     []byte
	contentType string
	typeIsSet   bool
}

// Begins a call.
func (out *Output) begin(writer host.Writer, run *Run) {
	*out = Output{
		writer: writer, run: run,
		payloads: out.payloads[:0], ends: out.ends[:0], origins: out.origins[:0], forwards: out.forwards[:0],
		backlog: out.backlog,
	}
}

// From says which element of the run the outputs that follow come from; it never goes back. Only for functions of a
// whole run: for the others it is the element they were called with.
func (out *Output) From(index int) {
	if out.run == nil || index < out.origin || index >= out.run.Len() {
		panic(fmt.Sprintf("Output.From(%d): outputs come from the elements of the run in order, and %d was the last", index, out.origin))
	}
	out.origin = index
	// Unless it is set, an output has the type of the element it came from.
	out.typeIsSet, out.contentType = false, ""
}

// Emit gives one output. The payload is copied: it is the caller's again afterwards.
func (out *Output) Emit(payload []byte) {
	if out.failure != nil {
		return
	}
	if out.most != 0 && out.emitted == out.most {
		out.backlog = append(out.backlog, heldOutput{append([]byte(nil), payload...), out.contentType, out.typeIsSet})
		return
	}
	out.emitted++
	if len(out.forwards) > 0 {
		out.flush()
	}
	out.tellType()
	if len(payload) >= emitAloneBytes {
		out.flush()
		out.send(payload, []uint32{uint32(len(payload))}, out.originsOf(out.origin))
		return
	}
	out.payloads = append(out.payloads, payload...)
	out.ends = append(out.ends, uint32(len(out.payloads)))
	if out.isCharged() {
		out.origins = append(out.origins, uint32(out.origin))
	}
	if len(out.payloads) >= emitAtBytes {
		out.flush()
	}
}

// EmitText gives one output.
func (out *Output) EmitText(payload string) {
	// Emit only reads it.
	out.Emit(unsafe.Slice(unsafe.StringData(payload), len(payload)))
}

// Forward passes the input on as it is, payload, content type and all. It copies nothing.
func (out *Output) Forward() {
	if !out.isCharged() {
		panic("Output.Forward: only a processor has an input to forward")
	}
	if len(out.ends) > 0 {
		out.flush()
	}
	out.forwards = append(out.forwards, uint32(out.origin))
}

// SetContentType names the type of what is emitted after it in this call; until then an output has its input's.
func (out *Output) SetContentType(contentType string) {
	out.contentType, out.typeIsSet = contentType, true
}

func (out *Output) isCharged() bool { return out.run != nil && !out.uncharged }

func (out *Output) originsOf(index int) []uint32 {
	if !out.isCharged() {
		return nil
	}
	return []uint32{uint32(index)}
}

// The writer keeps a type for the rest of its call. So once one was set, it is told of every other, an input's own
// included.
func (out *Output) tellType() {
	if !out.typeIsSet && !out.hostIsTold {
		return
	}
	wanted := out.contentType
	if !out.typeIsSet && out.isCharged() {
		wanted = out.run.At(out.origin).ContentType()
	}
	if out.hostIsTold && wanted == out.hostType {
		return
	}
	out.flush()
	out.writer.SetContentType(wanted)
	out.hostType, out.hostIsTold = wanted, true
}

// Hands over what is held.
func (out *Output) flush() {
	if len(out.ends) > 0 {
		out.send(out.payloads, out.ends, out.origins)
	}
	if len(out.forwards) > 0 {
		out.writer.Forward("", out.forwards)
	}
	out.payloads, out.ends, out.origins, out.forwards = out.payloads[:0], out.ends[:0], out.origins[:0], out.forwards[:0]
}

// Hands over these outputs, in two halves where they are too much for the host in one.
func (out *Output) send(payloads []byte, ends, origins []uint32) {
	if out.failure != nil {
		return
	}
	refused := out.writer.Emit(payloads, ends, origins)
	if refused == nil {
		return
	}
	if !refused.TooLarge || len(ends) == 1 {
		out.fail(refused, len(payloads), origins)
		return
	}
	half := len(ends) / 2
	size := ends[half-1]
	rest := make([]uint32, len(ends)-half)
	for i := range rest {
		rest[i] = ends[half+i] - size
	}
	var first, second []uint32
	if len(origins) > 0 {
		first, second = origins[:half], origins[half:]
	}
	out.send(payloads[:size], ends[:half], first)
	out.send(payloads[size:], rest, second)
}

func (out *Output) fail(refused *host.EmitError, size int, origins []uint32) {
	index := out.origin
	if len(origins) > 0 {
		index = int(origins[0])
	}
	out.failure = &host.Failure{Index: index, Kind: uint8(Unavailable), Text: refused.Text}
	if refused.TooLarge {
		out.failure.Kind = uint8(Internal)
		out.failure.Text = fmt.Sprintf("an output of %d bytes is larger than the host's largest buffer", size)
	}
}

// Ends a call: with `failure`, of an element, or what the host said to the outputs.
func (out *Output) end(failure *host.Failure) *host.Failure {
	if failure != nil {
		out.takeBack(failure.Index)
	}
	out.flush()
	if out.failure != nil && (failure == nil || out.failure.Index <= failure.Index) {
		return out.failure
	}
	return failure
}

// Forgets the outputs of an element that failed, and of those after it. The host does so too; but what it need not be
// given can't be refused.
func (out *Output) takeBack(index int) {
	for n := len(out.origins); n > 0 && int(out.origins[n-1]) >= index; n = len(out.origins) {
		start := uint32(0)
		if n > 1 {
			start = out.ends[n-2]
		}
		out.payloads, out.ends, out.origins = out.payloads[:start], out.ends[:n-1], out.origins[:n-1]
	}
	for n := len(out.forwards); n > 0 && int(out.forwards[n-1]) >= index; n = len(out.forwards) {
		out.forwards = out.forwards[:n-1]
	}
}

// Emits what waits, as far as this call may.
func (out *Output) drainBacklog() {
	taken := 0
	for taken < len(out.backlog) && out.emitted < out.most {
		held := out.backlog[taken]
		out.contentType, out.typeIsSet = held.contentType, held.typeIsSet
		out.Emit(held.payload)
		taken++
	}
	out.backlog = append(out.backlog[:0], out.backlog[taken:]...)
}
