// Command benthos-stages runs generate → mapping → a consumer in Benthos, elements in batches of RUN.
//
//	benthos-stages SIZE COUNT RUN
package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"

	"torvyn/bench/peers/task"
)

func main() {
	given, _ := task.Read()
	text := "hello " + strings.Repeat(".", max(0, given.Size-6))

	builder := service.NewStreamBuilder()
	builder.SetThreads(1)
	yaml := []func() error{
		func() error { return builder.SetLoggerYAML("level: ERROR") },
		func() error {
			return builder.AddInputYAML(fmt.Sprintf("generate:\n  count: %d\n  interval: \"\"\n  batch_size: %d\n  mapping: root = %q\n",
				given.Count, given.Run, text))
		},
		func() error { return builder.AddProcessorYAML("mapping: root = content().uppercase()") },
	}
	for _, each := range yaml {
		if err := each(); err != nil {
			task.GiveUp(err)
		}
	}
	var elements, bytes, upper atomic.Uint64
	err := builder.AddBatchConsumerFunc(func(_ context.Context, batch service.MessageBatch) error {
		for _, message := range batch {
			content, err := message.AsBytes()
			if err != nil {
				return err
			}
			elements.Add(1)
			bytes.Add(uint64(len(content)))
			if content[0] == 'H' {
				upper.Add(1)
			}
		}
		return nil
	})
	if err != nil {
		task.GiveUp(err)
	}
	stream, err := builder.Build()
	if err != nil {
		task.GiveUp(err)
	}
	if err := stream.Run(context.Background()); err != nil {
		task.GiveUp(err)
	}
	task.Print(task.Total{Elements: elements.Load(), Bytes: bytes.Load(), Upper: upper.Load()})
}
