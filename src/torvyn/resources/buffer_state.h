// Who may do what with a buffer, as one small machine that can be tried exhaustively.
//
//   free ─acquire→ host_owned ─lend_for_writing→ guest_writing ─freeze→ guest_owned
//                      │                                                    │
//                      │                                                hand_over
//                      │                                                    ↓
//                      └───────────────────publish───────────────────→ in_transit ─lend→ lent
//                                                                           ↖──give_back──┘
//
// Every owner may `release`; released ─recycle→ free. A lent buffer can't be released: the loan ends first.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace torvyn::resources {

enum class BufferState : std::uint8_t {
  free,           // in its pool
  host_owned,     // the host fills it, or is about to hand it to a component
  guest_writing,  // one component holds the mutable handle
  guest_owned,    // frozen; one component holds the handle
  in_transit,     // frozen; on its way between stages
  lent,           // frozen; one or several calls are reading it
  released,       // the last reference is gone
};

enum class BufferAction : std::uint8_t {
  acquire,           // the pool hands it out
  lend_for_writing,  // the host gives a component the mutable handle
  freeze,            // the component ends writing
  hand_over,         // the component returns it
  publish,           // the host ends writing: it passes on what it filled itself
  lend,              // a call begins to read
  give_back,         // a call ends; the last one takes the buffer back to in_transit
  release,           // the last reference goes
  recycle,           // back into the pool
};

inline constexpr int buffer_state_count = 7;
inline constexpr int buffer_action_count = 9;

// The state after `action`, or nothing where the action is illegal. `other_loans` counts the loans beside the one that
// begins or ends; it matters to `give_back` alone.
std::optional<BufferState> next_state(BufferState state, BufferAction action, std::uint32_t other_loans = 0) noexcept;

// The names above, "guest_writing".
std::string_view state_name(BufferState state) noexcept;
std::string_view action_name(BufferAction action) noexcept;

}  // namespace torvyn::resources
