package torvyn

import (
	"structs"
	"unsafe"

	"torvyn.dev/torvyn/internal/host"
)

// What the host offers, as the canonical ABI passes it: handles and addresses are 32 bits; what does not fit into one
// value comes back through memory.

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.count
func batchCount(batch uint32) uint32

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.sizes
func batchSizes(batch uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.read
func batchRead(batch uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.read-one
func batchReadOne(batch, index uint32, offset, size uint64, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.metas
func batchMetas(batch uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.content-types
func batchContentTypes(batch uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.flow-id
func batchFlowID(batch uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.trace-id
func batchTraceID(batch, index uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch.span-id
func batchSpanID(batch uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [resource-drop]batch
func batchDrop(batch uint32)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch-writer.emit
func writerEmit(writer uint32, bytes unsafe.Pointer, size uint32, ends unsafe.Pointer, count uint32,
	origins unsafe.Pointer, originCount uint32, result unsafe.Pointer)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch-writer.forward
func writerForward(writer uint32, indices unsafe.Pointer, count uint32)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch-writer.forward-to
func writerForwardTo(writer uint32, port unsafe.Pointer, portSize uint32, indices unsafe.Pointer, count uint32)

//go:wasmimport torvyn:batching/types@0.1.0 [method]batch-writer.set-content-type
func writerSetContentType(writer uint32, text unsafe.Pointer, size uint32)

//go:wasmimport torvyn:batching/types@0.1.0 [resource-drop]batch-writer
func writerDrop(writer uint32)

//go:wasmimport torvyn:diagnostics/log@0.1.0 log
func diagnosticsLog(level uint32, text unsafe.Pointer, size uint32)

//go:wasmimport torvyn:capabilities/capability-query@0.1.0 has-capability
func hasCapability(name unsafe.Pointer, size uint32) uint32

// Where imports put their results. A variable of the package, since a stack moves.
var result struct {
	_     structs.HostLayout
	words [4]uint32
}

// A text as the host knows the limits of it: names and identifiers.
const textBytesMax = 4 << 10

func list[T any](slice []T) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(slice)), uint32(len(slice))
}

func text(s string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(s)), uint32(len(s))
}

func hostLog(level Level, message string) {
	at, size := text(message)
	diagnosticsLog(uint32(level), at, size)
}

func hostHasCapability(name string) bool {
	at, size := text(name)
	return hasCapability(at, size) != 0
}

// A lent run. It implements host.Batch.
type guestBatch struct {
	handle uint32
	count  uint32
	sizes  []uint64
	metas  []host.Meta // used again from run to run
}

func (b *guestBatch) begin(handle uint32) {
	b.handle = handle
	b.count = batchCount(handle)
}

func (b *guestBatch) Sizes() []uint64 {
	reserve(uint64(b.count) * 8)
	batchSizes(b.handle, unsafe.Pointer(&result))
	b.sizes = writtenList[uint64](result.words[0], result.words[1])
	return b.sizes
}

func (b *guestBatch) Read() ([]byte, []uint32) {
	total := uint64(0)
	for _, size := range b.sizes {
		total += size
	}
	reserve(total + uint64(b.count)*4 + 8)
	batchRead(b.handle, unsafe.Pointer(&result))
	return written(result.words[0], result.words[1]), writtenList[uint32](result.words[2], result.words[3])
}

func (b *guestBatch) ReadOne(index int) []byte {
	reserve(b.sizes[index])
	batchReadOne(b.handle, uint32(index), 0, b.sizes[index], unsafe.Pointer(&result))
	return written(result.words[0], result.words[1])
}

func (b *guestBatch) Metas() []host.Meta {
	reserve(uint64(b.count) * uint64(unsafe.Sizeof(host.Meta{})))
	mark := b.Mark()
	batchMetas(b.handle, unsafe.Pointer(&result))
	b.metas = append(b.metas[:0], writtenList[host.Meta](result.words[0], result.words[1])...)
	b.Rewind(mark)
	return b.metas
}

func (b *guestBatch) ContentTypes() []string {
	type view struct{ address, size uint32 }
	reserve(uint64(b.count) * (textBytesMax + 8))
	mark := b.Mark()
	batchContentTypes(b.handle, unsafe.Pointer(&result))
	var types []string
	for _, view := range writtenList[view](result.words[0], result.words[1]) {
		types = append(types, string(written(view.address, view.size)))
	}
	b.Rewind(mark)
	return types
}

func (b *guestBatch) FlowID() string {
	return shortText(func() { batchFlowID(b.handle, unsafe.Pointer(&result)) })
}

func (b *guestBatch) TraceID(index int) string {
	return shortText(func() { batchTraceID(b.handle, uint32(index), unsafe.Pointer(&result)) })
}

func (b *guestBatch) SpanID() string {
	return shortText(func() { batchSpanID(b.handle, unsafe.Pointer(&result)) })
}

func shortText(ask func()) string {
	reserve(textBytesMax)
	before := scratch.next
	ask()
	given := string(written(result.words[0], result.words[1]))
	scratch.next = before
	return given
}

// A mark is a place and the age of the memory it is in.
func (*guestBatch) Mark() int { return int(scratchAge)<<32 | int(scratch.next) }

func (*guestBatch) Rewind(mark int) {
	if uint32(mark>>32) == scratchAge {
		scratch.next = uint32(mark)
	} else {
		resetScratch() // all that is in this memory came after the mark
	}
}

// A lent writer. It implements host.Writer.
type guestWriter struct{ handle uint32 }

func (w *guestWriter) Emit(payloads []byte, ends, origins []uint32) *host.EmitError {
	reserve(textBytesMax)
	before := scratch.next
	bytes, size := list(payloads)
	offsets, count := list(ends)
	inputs, inputCount := list(origins)
	writerEmit(w.handle, bytes, size, offsets, count, inputs, inputCount, unsafe.Pointer(&result))
	const failed, allocationFailed = 1, 1
	if result.words[0]&0xff != failed {
		return nil
	}
	if result.words[1]&0xff != allocationFailed {
		return &host.EmitError{TooLarge: true}
	}
	why := string(written(result.words[2], result.words[3]))
	scratch.next = before
	return &host.EmitError{Text: why}
}

func (w *guestWriter) Forward(port string, indices []uint32) {
	at, count := list(indices)
	if port == "" {
		writerForward(w.handle, at, count)
		return
	}
	name, size := text(port)
	writerForwardTo(w.handle, name, size, at, count)
}

func (w *guestWriter) SetContentType(contentType string) {
	at, size := text(contentType)
	writerSetContentType(w.handle, at, size)
}
