// Package task holds what the peers in Go share: what they are told, and the line they print.
package task

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// Task is what every peer is told.
type Task struct {
	Size  int    // bytes an element
	Count uint64 // elements
	Run   int    // elements that are passed on together
}

// Total is what a sink has seen. Upper counts the elements whose first byte was upper case: the work was done.
type Total struct {
	Elements uint64 `json:"elements"`
	Bytes    uint64 `json:"bytes"`
	Upper    uint64 `json:"upper"`
}

// Read takes the first three words of the command line, and gives the others.
func Read() (Task, []string) {
	numbers := make([]uint64, 3)
	for i := range numbers {
		if i+1 < len(os.Args) {
			numbers[i], _ = strconv.ParseUint(os.Args[i+1], 10, 63)
		}
		if numbers[i] == 0 {
			fmt.Fprintf(os.Stderr, "usage: %s SIZE COUNT RUN ...\n", os.Args[0])
			os.Exit(2)
		}
	}
	return Task{Size: int(numbers[0]), Count: numbers[1], Run: int(numbers[2])}, os.Args[4:]
}

// Print writes the one line that bench/run reads.
func Print(total Total) {
	if err := json.NewEncoder(os.Stdout).Encode(total); err != nil {
		GiveUp(err)
	}
}

// GiveUp ends the process and says why.
func GiveUp(why any) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], why)
	os.Exit(1)
}
