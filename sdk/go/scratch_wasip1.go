package torvyn

import "unsafe"

// Memory that the host writes into.
//
// A list or a text that the host gives, it writes into memory that it asks the component for in the middle of the call.
// In that moment the component may not call out; but whoever enters the Go runtime may start a collection, which looks at the
// clock. So these functions are arithmetic on memory that was set aside before the call: they allocate nothing, and, as
// nosplit, grow no stack. What a call may need at most, its caller reserves.
//
// There are three, by who calls: the host for what an import returns, the host for the arguments of an export, and the adapter that
// puts WASI's older functions on the newer ones, once at the start, before the Go runtime is ready. If none were given, the
// adapter would grow the linear memory, whose end the Go runtime takes to be its own.

const noMemory = ^uint32(0) // no address: the host's write there traps

type arena struct {
	next, end uint32
}

//go:nosplit
func (a *arena) take(old, align, size uint32) uint32 {
	start := (a.next + align - 1) &^ (align - 1)
	if old != 0 || start > a.end || size > a.end-start {
		return noMemory
	}
	a.next = start + size
	return start
}

//go:wasmexport cabi_import_realloc
//go:nosplit
func importRealloc(old, oldSize, align, size uint32) uint32 { return scratch.take(old, align, size) }

// The arguments of `init` are all there is: one text, the settings.
const settingsBytes = 64 << 10

var (
	settingsMemory [settingsBytes / 8]uint64
	settingsArena  arena
)

//go:wasmexport cabi_export_realloc
//go:nosplit
func exportRealloc(old, oldSize, align, size uint32) uint32 {
	if settingsArena.end == 0 {
		settingsArena = arenaOf(unsafe.Pointer(&settingsMemory), settingsBytes)
	}
	return settingsArena.take(old, align, size)
}

// The adapter asks for a page of stack and one of state.
const adapterBytes = 192 << 10

var (
	adapterMemory [adapterBytes / 8]uint64
	adapterArena  arena
)

//go:wasmexport cabi_realloc_adapter
//go:nosplit
func adapterRealloc(old, oldSize, align, size uint32) uint32 {
	if adapterArena.end == 0 {
		adapterArena = arenaOf(unsafe.Pointer(&adapterMemory), adapterBytes)
	}
	return adapterArena.take(old, align, size)
}

//go:nosplit
func arenaOf(memory unsafe.Pointer, size uint32) arena {
	start := uint32(uintptr(memory))
	return arena{start, start + size}
}

// What imports return. Valid until the call that the host made ends; a piece that has become too small is replaced, and lives on as
// long as someone holds a slice of it.
var (
	scratch       arena
	scratchMemory []byte // what `scratch` counts in
	scratchAge    uint32 // how often it was replaced
)

const scratchStepBytes = 64 << 10

// Makes room for a list or text of so many bytes.
func reserve(size uint64) {
	size += 8 // for its alignment
	if size <= uint64(scratch.end-scratch.next) {
		return
	}
	words := make([]uint64, (size+scratchStepBytes-1)/scratchStepBytes*scratchStepBytes/8)
	scratchMemory = unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
	scratch = arenaOf(unsafe.Pointer(&words[0]), uint32(len(scratchMemory)))
	scratchAge++
}

// All of it is free again.
func resetScratch() {
	if scratchMemory != nil {
		scratch = arenaOf(unsafe.Pointer(&scratchMemory[0]), uint32(len(scratchMemory)))
	}
}

// Bytes that the host wrote, by their address.
func written(address, size uint32) []byte {
	if size == 0 {
		return nil
	}
	offset := address - (scratch.end - uint32(len(scratchMemory)))
	return scratchMemory[offset : offset+size : offset+size]
}

// A list of `count` items that the host wrote.
func writtenList[T any](address, count uint32) []T {
	if count == 0 {
		return nil
	}
	var item T
	bytes := written(address, count*uint32(unsafe.Sizeof(item)))
	return unsafe.Slice((*T)(unsafe.Pointer(&bytes[0])), count)
}
