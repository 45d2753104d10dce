// Package host is the line between the SDK and whoever runs a component: on one side the host, or a test that stands
// in for it; on the other what the component has registered.
package host

// Batch is a run of elements going in, lent for one call. What its methods return is valid until that call ends.
type Batch interface {
	Sizes() []uint64
	// Read returns all payloads back to back, and for each the offset where it ends.
	Read() (payloads []byte, ends []uint32)
	ReadOne(index int) []byte
	Metas() []Meta
	ContentTypes() []string
	FlowID() string
	TraceID(index int) string
	SpanID() string
	// Rewind gives back the memory of the payloads that were returned since Mark.
	Mark() int
	Rewind(mark int)
}

// Meta travels beside one payload. Its layout is that of the contract's record batch-meta.
type Meta struct {
	Sequence    uint64
	TimestampNs uint64
	DeadlineNs  uint64
	ContentType uint32 // index in Batch.ContentTypes
}

// Writer takes the outputs of one call.
type Writer interface {
	// Emit writes payloads back to back, with the offsets where they end. Origins hold the input each is charged to; none
	// where there are no inputs.
	Emit(payloads []byte, ends, origins []uint32) *EmitError
	// Forward passes inputs on as they are; the port "" is the only one of a stage that is no router.
	Forward(port string, indices []uint32)
	// SetContentType holds for what is emitted after it.
	SetContentType(contentType string)
}

// EmitError says that the host did not take outputs.
type EmitError struct {
	TooLarge bool   // more bytes than the host's largest buffer
	Text     string // else: which limit was met
}

// Failure is a process-error, and the element of the run that it is about.
type Failure struct {
	Index int
	Kind  uint8 // the contract's number
	Text  string
}

// Guest is what a component answers to. The SDK fills it in.
var Guest struct {
	Init               func(config string) *Failure
	Teardown           func()
	Process            func(Batch, Writer) *Failure
	Route              func(Batch, Writer) *Failure
	Pull               func(most int, out Writer) (more bool, failure *Failure)
	NotifyBackpressure func(pause bool)
	Acknowledge        func(upTo uint64)
	Ingest             func(Batch, Writer) *Failure
	Flush              func(Writer) (more bool, failure *Failure)
	Push               func(Batch) (pause bool, failure *Failure)
	Complete           func() *Failure
}
