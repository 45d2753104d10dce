//! The crate's own tests of how a stage's work becomes calls of the host, over the fake host of this module.

use super::*;
use crate::{Error, Next, OrError, Settings};

fn shout(input: &Element, out: &mut Output) -> Result<()> {
    match input.text()? {
        "bad" => return Err(Error::invalid_input("it is bad")),
        "none" => {}
        "twice" => (0..2).for_each(|_| out.emit(input.text().unwrap())),
        "as it is" => out.forward(input),
        "half" => {
            out.emit("half done");
            return Err(Error::internal("gave up"));
        }
        text => out.emit(text.to_uppercase()),
    }
    Ok(())
}

fn origins_of(outcome: &Outcome) -> Vec<Option<usize>> {
    outcome.outputs.iter().map(|output| output.origin).collect()
}

#[test]
fn one_output_each_is_one_read_and_one_emit() {
    let run = TestRun::of(["one", "two", ""]);
    let outcome = run.outcome_of(|batch, writer| roles::process(shout, batch, writer));
    assert_eq!(outcome.outputs, ["ONE", "TWO", ""]);
    assert_eq!(outcome.error, None);
    assert_eq!((run.reads.get(), run.emits.get()), (1, 1));
}

#[test]
fn outputs_are_charged_to_their_inputs_in_order() {
    let outcome = process(shout, ["none", "twice", "as it is", "x", "none"]);
    assert_eq!(outcome.outputs, ["twice", "twice", "as it is", "X"]);
    assert_eq!(origins_of(&outcome), [Some(1), Some(1), Some(2), Some(3)]);
}

#[test]
fn as_many_outputs_as_inputs_need_not_be_one_each() {
    let outcome = process(shout, ["none", "twice"]);
    assert_eq!(outcome.outputs, ["twice", "twice"]);
    assert_eq!(origins_of(&outcome), [Some(1), Some(1)]);
}

#[test]
fn an_error_names_its_element_and_lets_earlier_ones_stand() {
    let outcome = process(shout, ["one", "as it is", "bad", "two"]);
    assert_eq!(outcome.outputs, ["ONE", "as it is"]);
    assert_eq!(outcome.error, Some(Error::invalid_input("it is bad").at(2)));
    let outcome = process(shout, ["one", "half"]);
    assert_eq!(outcome.outputs, ["ONE"]);
    assert_eq!(outcome.error, Some(Error::internal("gave up").at(1)));
}

#[test]
fn nothing_of_an_element_in_error_is_copied() {
    let run = TestRun::of(["half"]);
    run.outcome_of(|batch, writer| roles::process(shout, batch, writer));
    assert_eq!(run.emits.get(), 0);
}

#[test]
fn what_is_no_text_is_invalid_input_with_its_place() {
    let outcome = process(shout, [b"ab\xffc".as_slice()]);
    assert_eq!(
        outcome.error,
        Some(Error::invalid_input("not UTF-8 at byte 2").at(0))
    );
}

#[test]
fn outputs_have_the_content_type_of_their_input_unless_another_is_set() {
    let work = |input: &Element, out: &mut Output| {
        if input.bytes() == b"json" {
            out.set_content_type("application/json");
        }
        out.emit(input.content_type());
        Ok(())
    };
    let typed = |bytes: &str, content_type| Input::from(bytes).with_content_type(content_type);
    let inputs = [
        typed("a", "x/a"),
        typed("json", "x/b"),
        typed("c", "x/c"),
        typed("d", "x/d"),
    ];
    let outcome = process(work, inputs);
    assert_eq!(outcome.outputs, ["x/a", "x/b", "x/c", "x/d"]);
    let types: Vec<_> = outcome
        .outputs
        .iter()
        .map(|output| output.content_type.as_str())
        .collect();
    assert_eq!(types, ["x/a", "application/json", "x/c", "x/d"]);
}

#[test]
fn one_content_type_for_all_is_still_one_emit() {
    let run = TestRun::of(["a", "b", "c"]);
    let work = |_: &Element, out: &mut Output| {
        out.set_content_type("text/plain");
        out.emit("x");
        Ok(())
    };
    let outcome = run.outcome_of(|batch, writer| roles::process(work, batch, writer));
    assert!(
        outcome
            .outputs
            .iter()
            .all(|output| output.content_type == "text/plain")
    );
    assert_eq!(run.emits.get(), 1);
}

#[test]
fn metas_are_told() {
    let work = |input: &Element, out: &mut Output| {
        let deadline_ns = input.deadline_ns().unwrap_or(0);
        let (sequence, timestamp_ns) = (input.sequence(), input.timestamp_ns());
        out.emit(format!(
            "{sequence} {timestamp_ns} {deadline_ns} {}",
            input.size()
        ));
        Ok(())
    };
    let inputs = [
        Input::from("abc").with_timestamp_ns(5),
        Input::from("").with_deadline_ns(7),
    ];
    let run = TestRun::of(inputs);
    let outcome = run.outcome_of(|batch, writer| roles::process(work, batch, writer));
    assert_eq!(outcome.outputs, ["0 5 0 3", "1 0 7 0"]);
    assert_eq!(run.reads.get(), 0, "who does not ask for bytes copies none");
}

#[test]
fn what_is_more_than_a_buffer_holds_goes_in_parts() {
    let run = TestRun {
        buffer_bytes_max: 10,
        ..TestRun::of(["aaaa", "bbbb", "none", "cccc", "dddddddddd"])
    };
    let outcome = run.outcome_of(|batch, writer| roles::process(shout, batch, writer));
    assert_eq!(outcome.outputs, ["AAAA", "BBBB", "CCCC", "DDDDDDDDDD"]);
    assert_eq!(origins_of(&outcome), [Some(0), Some(1), Some(3), Some(4)]);
    let run = TestRun {
        buffer_bytes_max: 10,
        ..TestRun::of(["aaaa", "bbbb", "cccc"])
    };
    let outcome = run.outcome_of(|batch, writer| roles::process(shout, batch, writer));
    assert_eq!(outcome.outputs, ["AAAA", "BBBB", "CCCC"]);
}

#[test]
fn an_output_that_no_buffer_holds_is_an_error_about_its_input() {
    let run = TestRun {
        buffer_bytes_max: 10,
        ..TestRun::of(["aaaa", "twice", "bbbbbbbbbbb", "c"])
    };
    let outcome = run.outcome_of(|batch, writer| roles::process(shout, batch, writer));
    assert_eq!(outcome.outputs, ["AAAA", "twice", "twice"]);
    let text = "an output of 11 bytes is larger than the host's largest buffer";
    assert_eq!(outcome.error, Some(Error::internal(text).at(2)));
}

#[test]
fn where_the_host_has_no_memory_the_error_says_so() {
    let run = TestRun {
        is_out_of_memory: true,
        ..TestRun::of(["none", "ab"])
    };
    let outcome = run.outcome_of(|batch, writer| roles::process(shout, batch, writer));
    let text = "the host has no memory for an output of 2 bytes: as told";
    assert_eq!(outcome.error, Some(Error::internal(text).at(1)));
}

#[test]
fn much_of_little_leaves_in_between() {
    let run = TestRun::of(["x", "y"]);
    let work = |_: &Element, out: &mut Output| {
        for _ in 0..30 {
            out.emit(vec![b'x'; 100_000]);
        }
        Ok(())
    };
    let outcome = run.outcome_of(|batch, writer| roles::process(work, batch, writer));
    assert_eq!(outcome.outputs.len(), 60);
    assert!(run.emits.get() >= 5, "{} emits", run.emits.get());
}

#[test]
fn a_payload_can_be_written_in_place() {
    let work = |input: &Element, out: &mut Output| {
        out.emit_with(|payload| {
            payload.extend_from_slice(input.bytes());
            payload.make_ascii_uppercase();
            write!(payload, " {}", payload.len());
            payload.push(b'!');
        });
        Ok(())
    };
    assert_eq!(process(work, ["ab", "c"]).outputs, ["AB 2!", "C 1!"]);
}

#[test]
fn a_run_can_be_changed_in_place_and_emitted_as_a_whole() {
    let run = TestRun::of(["one", "two"]);
    let work = |run: &mut Run, out: &mut RunOutput| {
        run.bytes_mut().make_ascii_uppercase();
        out.set_content_type("text/plain");
        out.emit_run(run);
        Ok(())
    };
    let outcome = run.outcome_of(|batch, writer| roles::process_run(work, batch, writer));
    assert_eq!(outcome.outputs, ["ONE", "TWO"]);
    assert_eq!(outcome.outputs[0].content_type, "text/plain");
    assert_eq!(run.emits.get(), 1);
}

#[test]
fn a_run_that_is_larger_than_a_buffer_goes_in_parts_too() {
    let run = TestRun {
        buffer_bytes_max: 3,
        ..TestRun::of(["one", "two", "3"])
    };
    let work = |run: &mut Run, out: &mut RunOutput| {
        out.emit_run(run);
        Ok(())
    };
    let outcome = run.outcome_of(|batch, writer| roles::process_run(work, batch, writer));
    assert_eq!(outcome.outputs, ["one", "two", "3"]);
}

#[test]
fn outputs_of_a_run_may_come_in_any_order() {
    let work = |run: &mut Run, out: &mut RunOutput| {
        for input in run.iter() {
            out.emit(2 - input.index(), input.bytes());
        }
        out.forward(0);
        Err(Error::invalid_input("no").at(2))
    };
    let outcome = process_run(work, ["a", "b", "c"]);
    assert_eq!(outcome.outputs, ["b", "c", "a"]);
    assert_eq!(origins_of(&outcome), [Some(1), Some(0), Some(0)]);
    assert_eq!(outcome.error, Some(Error::invalid_input("no").at(2)));
}

#[test]
fn a_filter_forwards_what_it_keeps() {
    let keep = |input: &Element| match input.text()? {
        "bad" => Err(Error::invalid_input("it is bad")),
        text => Ok(text.starts_with('y')),
    };
    assert_eq!(filter(keep, ["yes", "no", "y"]).outputs, ["yes", "y"]);
    let outcome = filter(keep, ["yes", "bad", "y"]);
    assert_eq!(outcome.outputs, ["yes"]);
    assert_eq!(outcome.error, Some(Error::invalid_input("it is bad").at(1)));
}

#[test]
fn a_router_sends_to_each_port_once() {
    let by_letter = |input: &Element, ports: &mut Ports| {
        for letter in input.text()?.split(' ') {
            ports.send(letter);
        }
        if input.text()?.ends_with("bad") {
            Err(Error::internal("no"))
        } else {
            Ok(())
        }
    };
    let outcome = route(by_letter, ["a b", "b", "a a"]);
    assert_eq!(outcome.at_port("a"), [&"a b", &"a a"]);
    assert_eq!(outcome.at_port("b"), [&"a b", &"b"]);
    let outcome = route(by_letter, ["a", "a b bad"]);
    assert_eq!(outcome.outputs, ["a"]);
    assert_eq!(outcome.error, Some(Error::internal("no").at(1)));
}

#[test]
fn a_sinks_error_names_its_element() {
    let push_one = |input: &Element| match input.text()? {
        "bad" => Err(Error::unavailable("away")),
        _ => Ok(()),
    };
    assert_eq!(push(push_one, ["a", "b"]), Ok(()));
    assert_eq!(
        push(push_one, ["a", "bad"]),
        Err(Error::unavailable("away").at(1))
    );
}

/// Does a letter of its script at each pull: `1`–`9` elements, nothing yet, a failure, the end.
struct Script {
    script: Vec<u8>,
    at: usize,
    given: usize,
}

impl Script {
    fn of(script: &str) -> Script {
        Script {
            script: script.into(),
            at: 0,
            given: 0,
        }
    }
}

impl Source for Script {
    fn new(settings: &Settings) -> Result<Script> {
        Ok(Script::of(&settings.need::<String>("script")?))
    }

    fn pull(&mut self, out: &mut Output) -> Result<Next> {
        let step = self.script.get(self.at).copied();
        self.at += 1;
        match step {
            Some(digit @ b'1'..=b'9') => {
                for _ in 0..digit - b'0' {
                    out.set_content_type(["x/even", "x/odd"][self.given % 2]);
                    out.emit(self.given.to_string());
                    self.given += 1;
                }
                Ok(Next::More)
            }
            Some(b'l') => {
                out.emit("last");
                Ok(Next::End)
            }
            Some(b'f') => {
                out.emit("half done");
                Err(Error::internal("as told"))
            }
            Some(b'u') => Err(Error::unavailable("away")),
            Some(_) => Ok(Next::More),
            None => Ok(Next::End),
        }
    }
}

/// What each call with room for `max` gives, and whether it ends.
fn pulls(script: &str, max: usize) -> Vec<(Vec<Emitted>, Result<bool>)> {
    let mut source = Pulled::new(Script::of(script));
    let mut calls = Vec::new();
    loop {
        let run = TestRun::default();
        let more = source.pull(max, &run);
        let is_over = more == Ok(false);
        calls.push((run.outputs.take(), more));
        if is_over || calls.len() == 20 {
            return calls;
        }
    }
}

#[test]
fn a_source_is_pulled_until_the_call_is_filled() {
    let calls = pulls("1111", 3);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].0, ["0", "1", "2"]);
    assert_eq!(calls[0].1, Ok(true));
    assert_eq!(calls[1].0, ["3"]);
}

#[test]
fn what_a_source_emits_beyond_the_call_waits_for_the_next() {
    let calls = pulls("27", 4);
    assert_eq!(calls[0].0, ["0", "1", "2", "3"]);
    assert_eq!(calls[1].0, ["4", "5", "6", "7"]);
    assert_eq!(calls[2].0, ["8"]);
    assert_eq!(calls[2].1, Ok(false));
    let all: Vec<_> = calls.iter().flat_map(|(outputs, _)| outputs).collect();
    for (index, output) in all.iter().enumerate() {
        assert_eq!(
            output.content_type,
            ["x/even", "x/odd"][index % 2],
            "output {index}"
        );
    }
}

#[test]
fn a_source_with_nothing_yet_says_so_without_an_error() {
    let calls = pulls("1-1", 8);
    assert_eq!(calls[0].0, ["0"]);
    assert_eq!(calls[0].1, Ok(true));
    assert_eq!(calls[1].0, ["1"]);
    assert_eq!(calls[1].1, Ok(false));
    let calls = pulls("--", 8);
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0], (vec![], Ok(true)));
}

#[test]
fn a_sources_error_comes_after_what_it_gave_before() {
    let calls = pulls("2fl", 8);
    assert_eq!(calls[0].0, ["0", "1"]);
    assert_eq!(calls[0].1, Ok(true));
    assert_eq!(calls[1], (vec![], Err(Error::internal("as told"))));
    assert_eq!(calls[2].0, ["last"]);
    assert_eq!(calls[2].1, Ok(false));
    let calls = pulls("9u", 4);
    assert_eq!(calls[2].0, ["8"]);
    assert_eq!(calls[3], (vec![], Err(Error::unavailable("away"))));
}

#[test]
fn a_source_of_large_elements_gives_fewer_at_once() {
    struct Large;
    impl Source for Large {
        fn new(_: &Settings) -> Result<Large> {
            Ok(Large)
        }

        fn pull(&mut self, out: &mut Output) -> Result<Next> {
            out.emit(vec![0; 100_000]);
            Ok(Next::More)
        }
    }
    let run = TestRun::default();
    assert_eq!(Pulled::new(Large).pull(64, &run), Ok(true));
    assert_eq!(run.emitted(), 3);
}

#[test]
fn a_source_can_be_pulled_dry() {
    let (outputs, ended) = pull(Script::of("23l"));
    assert_eq!(outputs, ["0", "1", "2", "3", "4", "last"]);
    assert_eq!(ended, Ok(()));
    let (outputs, ended) = pull(Script::of("1f"));
    assert_eq!(outputs, ["0"]);
    assert_eq!(ended, Err(Error::internal("as told")));
}

struct Sum {
    sum: u64,
    results: u64,
}

impl Aggregator for Sum {
    fn new(settings: &Settings) -> Result<Sum> {
        Ok(Sum {
            sum: 0,
            results: settings.get_or("results", 1)?,
        })
    }

    fn ingest(&mut self, input: &Element, out: &mut Output) -> Result<()> {
        let number: u64 = input.text()?.parse().or_invalid()?;
        self.sum += number;
        if number == 0 {
            out.emit(format!("so far {}", self.sum));
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        for _ in 0..self.results {
            out.emit(self.sum.to_string());
        }
        Ok(())
    }
}

#[test]
fn an_aggregator_gives_results_when_it_likes_and_at_the_end() {
    let sum = Sum::new(&Settings::parse("").unwrap()).unwrap();
    let outcome = aggregate(sum, ["1", "0", "2"]);
    assert_eq!(outcome.outputs, ["so far 1", "3"]);
    assert_eq!(origins_of(&outcome), [None, None]);
    let outcome = aggregate(Sum { sum: 0, results: 1 }, ["1", "0", "x"]);
    assert_eq!(outcome.outputs, ["so far 1"]);
    assert_eq!(outcome.error.unwrap().index, 2);
}

#[test]
fn more_results_than_a_call_may_give_come_in_several() {
    let mut aggregating = Aggregating::new(Sum {
        sum: 7,
        results: 150_000,
    });
    let run = TestRun::default();
    let mut per_call = Vec::new();
    loop {
        let before = run.emitted();
        let more = aggregating.flush(&run).unwrap();
        per_call.push(run.emitted() - before);
        if !more {
            break;
        }
    }
    assert_eq!(per_call, [65_536, 65_536, 150_000 - 2 * 65_536]);
    assert!(run.outputs.borrow().iter().all(|output| *output == "7"));
}
