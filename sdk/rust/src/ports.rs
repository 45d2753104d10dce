//! Where a router sends.

use crate::host::Writer;

/// Takes the names of the output ports that an element goes to: those that edges of the flow leave the router by. An
/// element that goes to none is counted as filtered; one that goes to several is not copied for it.
#[derive(Default)]
pub struct Ports {
    current: u32,
    sent: Vec<(String, Vec<u32>)>,
}

impl Ports {
    /// Sends the element to a port. Naming one twice sends it once.
    pub fn send(&mut self, port: &str) {
        let current = self.current;
        match self.sent.iter_mut().find(|(name, _)| name == port) {
            Some((_, indices)) => {
                if indices.last() != Some(&current) {
                    indices.push(current);
                }
            }
            None => self.sent.push((port.to_string(), vec![current])),
        }
    }

    pub(crate) fn begin(&mut self, index: usize) {
        self.current = index as u32;
    }

    /// Takes back what the element now at work was sent to.
    pub(crate) fn forget_current(&mut self) {
        for (_, indices) in &mut self.sent {
            if indices.last() == Some(&self.current) {
                indices.pop();
            }
        }
    }

    /// A port sees its elements in their order; between ports there is none.
    pub(crate) fn finish(&self, writer: &dyn Writer) {
        for (port, indices) in self.sent.iter().filter(|(_, indices)| !indices.is_empty()) {
            writer.forward_to(port, indices);
        }
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_names(self) -> Vec<String> {
        self.sent.into_iter().map(|(port, _)| port).collect()
    }
}
