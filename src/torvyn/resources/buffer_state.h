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

#include <array>
#include <cstddef>
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

namespace detail {

struct BufferStep {
  BufferState from;
  BufferAction action;
  BufferState to;
};

// The whole machine: what is not here is illegal. Only `give_back` needs more than a row, see next_state.
inline constexpr auto buffer_steps = [] {
  using enum BufferState;
  using enum BufferAction;
  return std::to_array<BufferStep>({
      {free, acquire, host_owned},
      {host_owned, lend_for_writing, guest_writing},
      {host_owned, publish, in_transit},
      {host_owned, release, released},
      {guest_writing, freeze, guest_owned},
      {guest_writing, release, released},
      {guest_owned, hand_over, in_transit},
      {guest_owned, release, released},
      {in_transit, lend, lent},
      {in_transit, release, released},
      {lent, lend, lent},
      {lent, give_back, in_transit},
      {released, recycle, free},
  });
}();

constexpr std::size_t cell_of(BufferState state, BufferAction action) noexcept {
  return static_cast<std::size_t>(state) * buffer_action_count + static_cast<std::size_t>(action);
}

// The same rows, to be looked up.
inline constexpr auto buffer_cells = [] {
  std::array<std::optional<BufferState>, std::size_t{buffer_state_count} * buffer_action_count> table;
  for (const BufferStep& step : buffer_steps) table[cell_of(step.from, step.action)] = step.to;
  return table;
}();

}  // namespace detail

// The state after `action`, or nothing where the action is illegal. `other_loans` counts the loans beside the one that
// begins or ends; it matters to `give_back` alone. Inline: four steps an element.
constexpr std::optional<BufferState> next_state(BufferState state, BufferAction action,
                                                std::uint32_t other_loans = 0) noexcept {
  const auto next = detail::buffer_cells[detail::cell_of(state, action)];
  if (action == BufferAction::give_back && next && other_loans != 0) return BufferState::lent;
  return next;
}

// The names above, "guest_writing".
std::string_view state_name(BufferState state) noexcept;
std::string_view action_name(BufferAction action) noexcept;

}  // namespace torvyn::resources
