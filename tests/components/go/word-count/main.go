// At the end, a line a word with its count, most frequent first; and a line in between when asked for.
package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"torvyn.dev/torvyn"
)

var counts = map[string]int{}

func init() {
	torvyn.Aggregator(ingest, flush)
}

func ingest(in torvyn.Element, out *torvyn.Output) error {
	for word := range strings.FieldsSeq(in.Text()) {
		if word == "so-far?" {
			out.EmitText(fmt.Sprintf("so far %d words\n", len(counts)))
			continue
		}
		counts[word]++
	}
	return nil
}

func flush(out *torvyn.Output) error {
	out.SetContentType("text/plain")
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	for _, word := range words {
		out.EmitText(fmt.Sprintf("%d %s\n", counts[word], word))
	}
	return nil
}

func main() {}
