package torvyn

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Deferred by every export: tells the host what a panic said and where, and ends the instance.
func trapOnPanic() {
	if cause := recover(); cause != nil {
		hostLog(LevelError, panicText(cause))
		trap()
	}
}

// Implemented in trap_wasm.s.
func trap()

const callersShown = 5

// As the host reads it: "panicked at parse.go:12: index out of range [3] with length 2", and who called that on lines of
// their own.
func panicText(cause any) string {
	var places []string
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for more := true; more && len(places) <= callersShown; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if file, is := authorsFile(frame.File); is {
			places = append(places, fmt.Sprintf("%s:%d", file, frame.Line))
		}
	}
	if len(places) == 0 {
		return fmt.Sprintf("panicked: %v", cause)
	}
	said := fmt.Sprintf("panicked at %s: %v", places[0], cause)
	for _, place := range places[1:] {
		said += "\ncalled from " + place
	}
	return said
}

// The path of a file of the author's, without the name of their module; not ok for one of this package, of Go's runtime or
// of its library. With -trimpath a path begins with its module, "example.com/parse/main.go", that of a file without a
// module with "./", and one of the library, which has no dot in its first part, with nothing. (The function's name would
// be no help: one of this package that was inlined has the name of where it went.)
func authorsFile(path string) (file string, ok bool) {
	if build, known := debug.ReadBuildInfo(); known && build.Main.Path != "" {
		if file, ok = strings.CutPrefix(path, build.Main.Path+"/"); ok {
			return file, true
		}
	}
	if file, ok = strings.CutPrefix(path, "./"); ok {
		return file, true
	}
	first, _, _ := strings.Cut(path, "/")
	return path, strings.Contains(first, ".") && !strings.HasPrefix(path, "torvyn.dev/torvyn")
}
