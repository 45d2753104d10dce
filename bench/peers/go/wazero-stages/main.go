// Command wazero-stages runs source, processor and sink as three bare core modules in wazero, with the contract's four copies: a run
// leaves one module's memory for a buffer of the host's and goes from there into the next one's.
//
//	wazero-stages SIZE COUNT RUN STAGE.wasm
package main

import (
	"context"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"torvyn/bench/peers/task"
)

type stage struct {
	module api.Module
	memory api.Memory
	room   uint32
}

func must[T any](value T, err error) T {
	if err != nil {
		task.GiveUp(err)
	}
	return value
}

func main() {
	given, rest := task.Read()
	if len(rest) != 1 {
		task.GiveUp("usage: wazero-stages SIZE COUNT RUN STAGE.wasm")
	}
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	compiled := must(runtime.CompileModule(ctx, must(os.ReadFile(rest[0]))))
	make1 := func() stage {
		module := must(runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("")))
		room := must(module.ExportedFunction("room").Call(ctx))
		return stage{module, module.Memory(), uint32(room[0])}
	}
	source, processor, sink := make1(), make1(), make1()
	must(source.module.ExportedFunction("start").Call(ctx, given.Count, uint64(given.Size)))
	pull := source.module.ExportedFunction("pull")
	process := processor.module.ExportedFunction("process")
	push := sink.module.ExportedFunction("push")

	buffer := make([]byte, given.Run*given.Size+64)
	stack := make([]uint64, 2)
	call := func(function api.Function, arguments ...uint64) uint32 {
		copy(stack, arguments)
		if err := function.CallWithStack(ctx, stack); err != nil {
			task.GiveUp(err)
		}
		return uint32(stack[0])
	}
	take := func(from stage, size uint32) []byte {
		bytes, ok := from.memory.Read(from.room, size)
		if !ok {
			task.GiveUp("out of a module's memory")
		}
		return buffer[:copy(buffer, bytes)]
	}
	give := func(to stage, bytes []byte) {
		if !to.memory.Write(to.room, bytes) {
			task.GiveUp("out of a module's memory")
		}
	}

	var total task.Total
	for {
		size := call(pull, uint64(given.Run))
		if size == 0 {
			break
		}
		give(processor, take(source, size))
		size = call(process, uint64(size))
		give(sink, take(processor, size))
		call(push, uint64(size), uint64(given.Size))
		total.Bytes += uint64(size)
	}
	total.Elements = must(sink.module.ExportedFunction("seen").Call(ctx))[0]
	total.Upper = must(sink.module.ExportedFunction("seen_upper").Call(ctx))[0]
	task.Print(total)
}
