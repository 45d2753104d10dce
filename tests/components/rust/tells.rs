//! Says what it knows of each element.

use torvyn::prelude::*;

fn tell(input: &Element, out: &mut Output) -> Result<()> {
    let flow = input.flow_id();
    let has_deadline = input.deadline_ns().is_some();
    let ids = (input.trace_id().len(), input.span_id().len());
    let is_dated = input.timestamp_ns() > 1_500_000_000_000_000_000;
    let (sequence, size, content_type) = (input.sequence(), input.size(), input.content_type());
    out.set_content_type("text/x-told");
    out.emit(format!(
        "{flow} {sequence} {size} {content_type} {has_deadline} {ids:?} {is_dated}\n"
    ));
    Ok(())
}

torvyn::processor!(tell);
