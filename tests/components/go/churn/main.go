// Makes as much garbage as it can, keeps some of it, asks for the time and starts goroutines, so that the collector runs
// thousands of times in the midst of calls. Every element leaves with a check sum of what it came with.
package main

import (
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"time"

	"torvyn.dev/torvyn"
)

var (
	seen    int
	held    [64][]byte
	started = time.Now()
)

func init() {
	torvyn.Processor(churn)
	torvyn.OnStop(report)
}

func churn(in torvyn.Element, out *torvyn.Output) error {
	seen++
	words := map[string]int{}
	for word := range strings.FieldsSeq(in.Text()) {
		words[word]++
	}
	held[seen%len(held)] = make([]byte, seen*7919%20000)
	if seen%1000 == 0 {
		answer := make(chan time.Duration)
		go func() { answer <- time.Since(started) }()
		if <-answer <= 0 {
			return torvyn.Errorf(torvyn.Fatal, "the clock stands still")
		}
	}
	out.EmitText(fmt.Sprintf("%d %08x %d\n", in.Sequence(), crc32.ChecksumIEEE(in.Bytes()), len(words)))
	if seen%250000 == 0 {
		report()
	}
	return nil
}

func report() {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	torvyn.Logf(torvyn.LevelInfo, "seen %d collections %d memory %d", seen, memory.NumGC, memory.Sys)
}

func main() {}
