//! {{name}}: sends every line of a log to the port of its level: `errors`, `warnings` or `rest`.

use torvyn::prelude::*;

/// Ports have the names that the flow's edges give them. An element may go to several, or to none.
fn by_level(input: &Element, ports: &mut Ports) -> Result<()> {
    let line = input.bytes();
    ports.send(if line.starts_with(b"ERROR") {
        "errors"
    } else if line.starts_with(b"WARN") {
        "warnings"
    } else {
        "rest"
    });
    Ok(())
}

torvyn::router!(by_level);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn each_line_goes_to_the_port_of_its_level() {
        let lines = ["INFO a", "ERROR b", "WARN c", "ERROR d"];
        let ran = testing::route(by_level, lines);
        assert_eq!(ran.at_port("errors"), [&"ERROR b", &"ERROR d"]);
        assert_eq!(ran.at_port("warnings"), [&"WARN c"]);
        assert_eq!(ran.at_port("rest"), [&"INFO a"]);
    }
}
