package torvyn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"torvyn.dev/torvyn"
	"torvyn.dev/torvyn/torvyntest"
)

// Registers a component for one test, and starts it.
func start(t *testing.T, register func()) *torvyntest.Component {
	t.Helper()
	torvyn.Reset()
	t.Cleanup(torvyn.Reset)
	register()
	return torvyntest.Start(t, "")
}

func wantOutputs(t *testing.T, got []string, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatalf("it failed: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("it gave %q, not %q", got, want)
	}
}

func wantError(t *testing.T, err error, kind torvyn.Kind, words string) {
	t.Helper()
	var typed *torvyn.Error
	if !errors.As(err, &typed) || typed.Kind != kind || !strings.Contains(typed.Error(), words) {
		t.Errorf("the error is %v, not %v with %q", err, kind, words)
	}
}

// Emits each word of an element.
func split(in torvyn.Element, out *torvyn.Output) error {
	for word := range strings.FieldsSeq(in.Text()) {
		if word == "bad" {
			return torvyn.Errorf(torvyn.InvalidInput, "element %d is %s", in.Sequence(), word)
		}
		out.EmitText(word)
	}
	return nil
}

func TestProcessorEmitsNoneOneOrSeveral(t *testing.T) {
	component := start(t, func() { torvyn.Processor(split) })
	got, err := component.Process("a b", "", "c")
	wantOutputs(t, got, err, "a", "b", "c")
	var from []int
	for _, output := range component.Outputs {
		from = append(from, output.From)
	}
	if !slices.Equal(from, []int{0, 0, 2}) {
		t.Errorf("the outputs are charged to %v", from)
	}
}

func TestProcessorErrorLeavesTheOutputsBeforeIt(t *testing.T) {
	component := start(t, func() { torvyn.Processor(split) })
	got, err := component.Process("a b", "c bad", "d")
	wantError(t, err, torvyn.InvalidInput, "element 1 is bad")
	wantOutputs(t, got, nil, "a", "b")
	if component.FailedAt != 1 {
		t.Errorf("the error is about element %d", component.FailedAt)
	}
}

func TestErrorsHaveTheKindTheySay(t *testing.T) {
	for _, test := range []struct {
		err  error
		kind torvyn.Kind
	}{
		{errors.New("plain"), torvyn.Internal},
		{torvyn.Errorf(torvyn.InvalidInput, "typed"), torvyn.InvalidInput},
		{fmt.Errorf("wrapped: %w", torvyn.Errorf(torvyn.Unavailable, "typed")), torvyn.Unavailable},
		{torvyn.Errorf(torvyn.Fatal, "around: %w", io.ErrUnexpectedEOF), torvyn.Fatal},
		{&torvyn.Error{Kind: torvyn.DeadlineExceeded}, torvyn.DeadlineExceeded},
		{context.DeadlineExceeded, torvyn.DeadlineExceeded},
	} {
		component := start(t, func() {
			torvyn.Processor(func(torvyn.Element, *torvyn.Output) error { return test.err })
		})
		_, err := component.Process("a")
		wantError(t, err, test.kind, test.err.Error())
	}
	if around := torvyn.Errorf(torvyn.Fatal, "around: %w", io.ErrUnexpectedEOF); !errors.Is(around, io.ErrUnexpectedEOF) {
		t.Error("Errorf does not wrap")
	}
}

func TestForwardsAndOutputsKeepTheirOrder(t *testing.T) {
	component := start(t, func() {
		torvyn.Processor(func(in torvyn.Element, out *torvyn.Output) error {
			if in.Text() == "keep" {
				out.Forward()
			}
			out.EmitText("<" + in.Text() + ">")
			return nil
		})
	})
	got, err := component.Process("keep", "x", "keep")
	wantOutputs(t, got, err, "keep", "<keep>", "<x>", "keep", "<keep>")
	if !component.Outputs[0].Forwarded || component.Outputs[1].Forwarded {
		t.Error("what was forwarded was copied, or the other way round")
	}
}

func TestElementTellsWhatStandsBesideIt(t *testing.T) {
	var got []string
	component := start(t, func() {
		torvyn.Sink(func(in torvyn.Element) error {
			remaining, ok := in.Deadline()
			got = append(got, fmt.Sprintln(in.Size(), in.Sequence(), in.Time().UTC().Format(time.RFC3339), remaining, ok,
				in.ContentType(), in.FlowID(), len(in.TraceID()), len(in.SpanID())))
			return nil
		})
	})
	component.ContentType, component.TimestampNs, component.DeadlineNs = "text/plain", 1e18, 5e6
	if _, err := component.Push("abc", "d"); err != nil {
		t.Fatal(err)
	}
	want := []string{"3 0 2001-09-09T01:46:40Z 5ms true text/plain test 32 16", "1 1 2001-09-09T01:46:40Z 5ms true text/plain test 32 16"}
	for i := range want {
		if strings.TrimSpace(got[i]) != want[i] {
			t.Errorf("element %d says %q, not %q", i, got[i], want[i])
		}
	}
}

func TestBytesMayBeChangedAndAppendedTo(t *testing.T) {
	component := start(t, func() {
		torvyn.Processor(func(in torvyn.Element, out *torvyn.Output) error {
			payload := in.Bytes()
			payload[0] = '#'
			out.Emit(append(payload, '!'))
			return nil
		})
	})
	got, err := component.Process("ab", "cd")
	wantOutputs(t, got, err, "#b!", "#d!")
}

func TestLargeRunsAreReadAnElementAtATime(t *testing.T) {
	component := start(t, func() {
		torvyn.Processor(func(in torvyn.Element, out *torvyn.Output) error {
			out.EmitText(fmt.Sprint(len(in.Bytes()), " ", string(in.Bytes()[:1])))
			return nil
		})
	})
	got, err := component.Process(strings.Repeat("a", 2<<20), "b", strings.Repeat("c", 3<<20))
	wantOutputs(t, got, err, "2097152 a", "1 b", "3145728 c")
}

func TestContentTypeHoldsForItsElementOnly(t *testing.T) {
	component := start(t, func() {
		torvyn.Processor(func(in torvyn.Element, out *torvyn.Output) error {
			if in.Text() == "json" {
				out.SetContentType("application/json")
			}
			out.Emit(in.Bytes())
			return nil
		})
	})
	component.ContentType = "text/plain"
	if _, err := component.Process("a", "json", "b", "c"); err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, output := range component.Outputs {
		types = append(types, output.ContentType)
	}
	if want := []string{"text/plain", "application/json", "text/plain", "text/plain"}; !slices.Equal(types, want) {
		t.Errorf("the outputs are of types %q, not %q", types, want)
	}
}

func TestOutputsAreSplitWhereTheyDoNotFitOneBuffer(t *testing.T) {
	component := start(t, func() { torvyn.Processor(split) })
	component.MaxBufferBytes = 5
	got, err := component.Process("aaa bbb", "ccc ddd eee")
	wantOutputs(t, got, err, "aaa", "bbb", "ccc", "ddd", "eee")
}

func TestAnOutputThatFitsNoBufferIsAnErrorOfItsElement(t *testing.T) {
	for _, size := range []int{11, 40000} { // held back, and handed over at once
		component := start(t, func() { torvyn.Processor(split) })
		component.MaxBufferBytes = 10
		got, err := component.Process("a", strings.Repeat("x", size), "c")
		wantError(t, err, torvyn.Internal, fmt.Sprintf("an output of %d bytes is larger than the host's largest buffer", size))
		wantOutputs(t, got, nil, "a")
		if component.FailedAt != 1 {
			t.Errorf("the error is about element %d", component.FailedAt)
		}
	}
}

func TestBatchProcessorTakesTheRun(t *testing.T) {
	component := start(t, func() {
		torvyn.BatchProcessor(func(run *torvyn.Run, out *torvyn.Output) error {
			for i, in := range run.All() {
				out.From(i)
				if in.Text() == "bad" {
					return run.Fail(i, errors.New("it is bad"))
				}
				out.EmitText(fmt.Sprintf("%d/%d %s", i, run.Len(), in.Text()))
			}
			return nil
		})
	})
	got, err := component.Process("a", "b")
	wantOutputs(t, got, err, "0/2 a", "1/2 b")
	got, err = component.Process("a", "b", "bad")
	wantError(t, err, torvyn.Internal, "it is bad")
	wantOutputs(t, got, nil, "0/3 a", "1/3 b")
	if component.FailedAt != 2 {
		t.Errorf("the error is about element %d", component.FailedAt)
	}
}

func TestFilterForwards(t *testing.T) {
	component := start(t, func() {
		torvyn.Filter(func(in torvyn.Element) (bool, error) { return strings.Contains(in.Text(), "x"), nil })
	})
	got, err := component.Process("ax", "b", "x")
	wantOutputs(t, got, err, "ax", "x")
	if !component.Outputs[0].Forwarded {
		t.Error("a filter copied")
	}
}

func TestRouterNamesPorts(t *testing.T) {
	component := start(t, func() {
		torvyn.Router(func(in torvyn.Element) ([]string, error) {
			if in.Text() == "bad" {
				return nil, torvyn.Errorf(torvyn.InvalidInput, "bad")
			}
			return strings.Fields(in.Text()), nil
		})
	})
	got, err := component.Route("a", "b a", "", "b b")
	want := map[string][]string{"a": {"a", "b a"}, "b": {"b a", "b b"}}
	if err != nil || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the ports got %q, %v", got, err)
	}
	got, err = component.Route("a", "bad", "b")
	wantError(t, err, torvyn.InvalidInput, "bad")
	if want = map[string][]string{"a": {"a"}}; !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the ports got %q", got)
	}
}

func TestSourceGivesWhatItIsAskedForAndEnds(t *testing.T) {
	n := 0
	component := start(t, func() {
		torvyn.Source(func(out *torvyn.Output) error {
			// Three at a time, ten in all.
			for range 3 {
				if n++; n > 10 {
					return io.EOF
				}
				out.EmitText(fmt.Sprint(n))
			}
			return nil
		})
	})
	var all []string
	for more := true; more; {
		var got []string
		var err error
		if got, more, err = component.Pull(4); err != nil {
			t.Fatal(err)
		}
		all = append(all, got...)
	}
	wantOutputs(t, all, nil, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
}

func TestSourceThatHasNothingYetIsAskedAgain(t *testing.T) {
	calls := 0
	component := start(t, func() {
		torvyn.Source(func(out *torvyn.Output) error {
			if calls++; calls%2 == 0 {
				out.EmitText("now")
			}
			return nil
		})
	})
	got, more, err := component.Pull(8)
	if wantOutputs(t, got, err); !more {
		t.Error("the stream ended")
	}
	got, _, err = component.Pull(8)
	wantOutputs(t, got, err, "now")
}

func TestSourceErrorComesAfterWhatWasGivenBefore(t *testing.T) {
	n := 0
	component := start(t, func() {
		torvyn.Source(func(out *torvyn.Output) error {
			if n++; n == 3 {
				return torvyn.Errorf(torvyn.Unavailable, "away")
			}
			out.EmitText(fmt.Sprint(n))
			return nil
		})
	})
	got, more, err := component.Pull(8)
	if wantOutputs(t, got, err, "1", "2"); !more {
		t.Error("the stream ended")
	}
	_, _, err = component.Pull(8)
	wantError(t, err, torvyn.Unavailable, "away")
	got, _, err = component.Pull(2)
	wantOutputs(t, got, err, "4", "5")
}

func TestAggregatorEmitsWhenItLikesAndAtTheEnd(t *testing.T) {
	var held []string
	component := start(t, func() {
		torvyn.Aggregator(func(in torvyn.Element, out *torvyn.Output) error {
			if held = append(held, in.Text()); len(held) == 2 {
				out.EmitText(strings.Join(held, "+"))
				held = nil
			}
			return nil
		}, func(out *torvyn.Output) error {
			out.EmitText(strings.Join(held, "+"))
			return nil
		})
	})
	got, err := component.Ingest("a", "b", "c")
	wantOutputs(t, got, err, "a+b")
	got, err = component.Flush()
	wantOutputs(t, got, err, "c")
}

func TestSinkTakesPausesAndCompletes(t *testing.T) {
	var got []string
	component := start(t, func() {
		torvyn.Sink(func(in torvyn.Element) error {
			if got = append(got, in.Text()); in.Text() == "enough" {
				torvyn.Pause()
			}
			return nil
		})
		torvyn.OnComplete(func() error { return torvyn.Errorf(torvyn.Fatal, "%d taken", len(got)) })
	})
	if pause, err := component.Push("a", "enough"); !pause || err != nil {
		t.Errorf("it said pause %v, %v", pause, err)
	}
	if pause, _ := component.Push("b"); pause {
		t.Error("it asked for a pause twice")
	}
	wantError(t, component.Complete(), torvyn.Fatal, "3 taken")
}

func TestBatchSinkTakesTheRun(t *testing.T) {
	sizes := []int{}
	component := start(t, func() {
		torvyn.BatchSink(func(run *torvyn.Run) error {
			sizes = append(sizes, run.Len())
			return nil
		})
	})
	component.Push("a", "b")
	component.Push("c")
	if !slices.Equal(sizes, []int{2, 1}) {
		t.Errorf("it got runs of %v", sizes)
	}
}

func TestStartAndStopAreCalledInOrder(t *testing.T) {
	var calls []string
	note := func(name string) func() { return func() { calls = append(calls, name) } }
	t.Run("run", func(t *testing.T) {
		start(t, func() {
			torvyn.Filter(func(torvyn.Element) (bool, error) { return true, nil })
			torvyn.OnStart(func() error { note("start 1")(); return nil })
			torvyn.OnStart(func() error { note("start 2")(); return nil })
			torvyn.OnStop(note("stop 1"))
			torvyn.OnStop(note("stop 2"))
		})
	})
	if want := []string{"start 1", "start 2", "stop 2", "stop 1"}; !slices.Equal(calls, want) {
		t.Errorf("the calls were %q, not %q", calls, want)
	}
}

func TestSecondStageInOneProgramIsRefused(t *testing.T) {
	defer func() {
		if cause := recover(); cause == nil {
			t.Error("two stages were registered")
		}
	}()
	start(t, func() {
		torvyn.Processor(split)
		torvyn.Source(func(*torvyn.Output) error { return io.EOF })
	})
}
