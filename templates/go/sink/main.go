// {{name}} counts elements and bytes, and logs the sums at the end.
package main

import "torvyn.dev/torvyn"

// The sums so far.
type sums struct {
	elements, bytes int
}

var counted sums

func init() {
	torvyn.OnStart(func() error {
		counted = sums{}
		return nil
	})
	torvyn.Sink(counted.take)
	torvyn.OnComplete(counted.report)
}

// take is called for each element. Bytes are the host's: take asks for them only where it needs them.
func (s *sums) take(in torvyn.Element) error {
	s.elements++
	s.bytes += in.Size()
	return nil
}

// report is called after the last element, but not after a failure: a sink writes here what it held back.
func (s *sums) report() error {
	torvyn.Logf(torvyn.LevelInfo, "%d elements, %d bytes", s.elements, s.bytes)
	return nil
}

func main() {} // a component has none: the host calls take and report
