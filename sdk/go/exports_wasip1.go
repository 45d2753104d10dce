package torvyn

import (
	"structs"
	"unsafe"

	"torvyn.dev/torvyn/internal/host"
)

// What the host calls. The interfaces of every stage are here; which of them the component has is said by its world, and
// the others are left out when it is made of the module.
//
// Borrowed handles are dropped before a call returns. A result that does not fit into one value is put into memory, and its address
// returned; texts in it must stay where they are until the next call.

var answer struct {
	_     structs.HostLayout
	words [5]uint32
	text  string // keeps what the words point to
}

var (
	lentBatch  guestBatch
	lentWriter guestWriter
)

func enter(batch, writer uint32) {
	resetScratch()
	if batch != 0 {
		lentBatch.begin(batch)
	}
	lentWriter.handle = writer
}

func leave(batch, writer uint32) {
	if batch != 0 {
		batchDrop(batch)
	}
	if writer != 0 {
		writerDrop(writer)
	}
}

// A process-error at words[at:].
func putError(at int, failure *host.Failure) {
	answer.text = failure.Text
	address, size := text(answer.text)
	answer.words[at] = uint32(failure.Kind)
	answer.words[at+1] = uint32(uintptr(address))
	answer.words[at+2] = size
}

// result<T, process-error>, with a T of at most one word.
func answerError(value uint32, failure *host.Failure) unsafe.Pointer {
	answer.words[0], answer.words[1] = 0, value
	if failure != nil {
		answer.words[0] = 1
		putError(1, failure)
	}
	return unsafe.Pointer(&answer)
}

// result<T, batch-error>, with a T of at most one word.
func answerBatchError(value uint32, failure *host.Failure) unsafe.Pointer {
	answer.words[0], answer.words[1] = 0, value
	if failure != nil {
		answer.words[0], answer.words[1] = 1, uint32(failure.Index)
		putError(2, failure)
	}
	return unsafe.Pointer(&answer)
}

func wordOf(value bool) uint32 {
	if value {
		return 1
	}
	return 0
}

func onRun(batch, writer uint32, call func(host.Batch, host.Writer) *host.Failure) unsafe.Pointer {
	defer trapOnPanic()
	enter(batch, writer)
	failure := call(&lentBatch, &lentWriter)
	leave(batch, writer)
	return answerBatchError(0, failure)
}

//go:wasmexport torvyn:streaming/lifecycle@0.1.0#init
func exportInit(config unsafe.Pointer, size uint32) unsafe.Pointer {
	defer trapOnPanic()
	enter(0, 0)
	failure := host.Guest.Init(string(unsafe.Slice((*byte)(config), size)))
	return answerError(0, failure)
}

//go:wasmexport torvyn:streaming/lifecycle@0.1.0#teardown
func exportTeardown() {
	defer trapOnPanic()
	enter(0, 0)
	host.Guest.Teardown()
}

//go:wasmexport torvyn:batching/batch-processor@0.1.0#process
func exportProcess(batch, writer uint32) unsafe.Pointer {
	return onRun(batch, writer, host.Guest.Process)
}

//go:wasmexport torvyn:batching/batch-router@0.1.0#route
func exportRoute(batch, writer uint32) unsafe.Pointer { return onRun(batch, writer, host.Guest.Route) }

//go:wasmexport torvyn:batching/batch-aggregator@0.1.0#ingest
func exportIngest(batch, writer uint32) unsafe.Pointer {
	return onRun(batch, writer, host.Guest.Ingest)
}

//go:wasmexport torvyn:batching/batch-aggregator@0.1.0#flush
func exportFlush(writer uint32) unsafe.Pointer {
	defer trapOnPanic()
	enter(0, writer)
	more, failure := host.Guest.Flush(&lentWriter)
	leave(0, writer)
	return answerError(wordOf(more), failure)
}

//go:wasmexport torvyn:batching/batch-source@0.1.0#pull
func exportPull(most, writer uint32) unsafe.Pointer {
	defer trapOnPanic()
	enter(0, writer)
	more, failure := host.Guest.Pull(int(most), &lentWriter)
	leave(0, writer)
	return answerError(wordOf(more), failure)
}

//go:wasmexport torvyn:batching/batch-source@0.1.0#notify-backpressure
func exportNotifyBackpressure(signal uint32) {
	defer trapOnPanic()
	if host.Guest.NotifyBackpressure != nil {
		enter(0, 0)
		host.Guest.NotifyBackpressure(signal != 0)
	}
}

//go:wasmexport torvyn:acks/acks@0.1.0#acknowledge
func exportAcknowledge(upTo uint64) {
	defer trapOnPanic()
	enter(0, 0)
	host.Guest.Acknowledge(upTo)
}

//go:wasmexport torvyn:batching/batch-sink@0.1.0#push
func exportPush(batch uint32) unsafe.Pointer {
	defer trapOnPanic()
	enter(batch, 0)
	pause, failure := host.Guest.Push(&lentBatch)
	leave(batch, 0)
	return answerBatchError(wordOf(pause), failure)
}

//go:wasmexport torvyn:batching/batch-sink@0.1.0#complete
func exportComplete() unsafe.Pointer {
	defer trapOnPanic()
	var failure *host.Failure
	if host.Guest.Complete != nil {
		enter(0, 0)
		failure = host.Guest.Complete()
	}
	return answerError(0, failure)
}
