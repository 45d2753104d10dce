// Passes elements on, and fails at the one whose sequence is `at`, as `how` says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"torvyn.dev/torvyn"
)

var settings = struct {
	How string `torvyn:"how,main,required"`
	At  uint64 `torvyn:"at"`
}{}

func init() {
	torvyn.Settings(&settings)
	torvyn.OnStart(func() error {
		if settings.How == "start" {
			return torvyn.Errorf(torvyn.Unavailable, "no start")
		}
		return nil
	})
	torvyn.Processor(pass)
}

func pass(in torvyn.Element, out *torvyn.Output) error {
	out.EmitText("<")
	if in.Sequence() == settings.At {
		if err := fail(in); err != nil {
			return err
		}
	}
	out.Forward()
	return nil
}

func fail(in torvyn.Element) error {
	var table map[string]int
	switch settings.How {
	case "invalid-input":
		return torvyn.Errorf(torvyn.InvalidInput, "said so: %w", errors.New("the cause"))
	case "unavailable":
		return torvyn.Errorf(torvyn.Unavailable, "said so")
	case "internal":
		return torvyn.Errorf(torvyn.Internal, "said so")
	case "plain":
		return errors.New("said so")
	case "deadline-exceeded":
		return fmt.Errorf("said so: %w", context.DeadlineExceeded)
	case "fatal":
		return torvyn.Errorf(torvyn.Fatal, "said so")
	case "panic":
		panic("said so")
	case "index":
		_ = in.Bytes()[in.Size()]
	case "library":
		_ = strings.Repeat("x", -in.Size())
	case "nil-map":
		table["x"] = 1
	case "goroutine":
		go panic("said so")
		time.Sleep(time.Millisecond)
	case "deadlock":
		<-make(chan int)
	case "recursion":
		fmt.Println(depth(1 << 30))
	case "exit":
		os.Exit(3)
	}
	return nil
}

func depth(n int) int {
	if n == 0 {
		return 0
	}
	return depth(n-1) + 1
}

func main() {}
