// Gives what stands beside each element. `size` makes the outputs that large instead.
package main

import (
	"fmt"
	"time"

	"torvyn.dev/torvyn"
)

var settings = struct {
	Size int `torvyn:"size"`
}{}

func init() {
	torvyn.Settings(&settings)
	torvyn.Processor(tell)
}

func tell(in torvyn.Element, out *torvyn.Output) error {
	if settings.Size > 0 {
		out.Emit(make([]byte, settings.Size))
		return nil
	}
	_, hasDeadline := in.Deadline()
	age := time.Since(in.Time())
	torvyn.Logf(torvyn.LevelDebug, "element %d", in.Sequence())
	if in.Sequence()%2 == 1 {
		out.SetContentType("text/odd")
	}
	out.EmitText(fmt.Sprintf("%d %d %q %v %v %s %d %d %v\n", in.Sequence(), in.Size(), in.ContentType(), hasDeadline,
		age > -time.Second && age < time.Minute, in.FlowID(), len(in.TraceID()), len(in.SpanID()), torvyn.HasCapability("clocks")))
	return nil
}

func main() {}
