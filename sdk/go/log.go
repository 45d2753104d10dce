package torvyn

import "fmt"

// Level says how much a message matters.
type Level uint32

// The levels, as the contract numbers them.
const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

func (level Level) String() string {
	names := [...]string{"trace", "debug", "info", "warn", "error"}
	if int(level) < len(names) {
		return names[level]
	}
	return fmt.Sprintf("Level(%d)", uint32(level))
}

// Logf hands a message to whoever runs the component, who sees it as `[node] text`. A text is cut at 4 KiB.
func Logf(level Level, format string, args ...any) { hostLog(level, fmt.Sprintf(format, args...)) }

// HasCapability tells whether this component was granted a capability, for instance "clocks".
func HasCapability(name string) bool { return hostHasCapability(name) }
