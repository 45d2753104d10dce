#include "torvyn/resources/buffer_state.h"

#include <array>
#include <cstddef>

namespace torvyn::resources {
namespace {

struct Step {
  BufferState from;
  BufferAction action;
  BufferState to;
};

// The whole machine: what is not here is illegal. Only `give_back` needs more than a row, see next_state.
constexpr auto steps = [] {
  using enum BufferState;
  using enum BufferAction;
  return std::to_array<Step>({
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
constexpr auto cells = [] {
  std::array<std::optional<BufferState>, std::size_t{buffer_state_count} * buffer_action_count> table;
  for (const Step& step : steps) table[cell_of(step.from, step.action)] = step.to;
  return table;
}();

}  // namespace

std::optional<BufferState> next_state(BufferState state, BufferAction action, std::uint32_t other_loans) noexcept {
  const auto next = cells[cell_of(state, action)];
  if (action == BufferAction::give_back && next && other_loans != 0) return BufferState::lent;
  return next;
}

std::string_view state_name(BufferState state) noexcept {
  switch (state) {
    case BufferState::free:
      return "free";
    case BufferState::host_owned:
      return "host_owned";
    case BufferState::guest_writing:
      return "guest_writing";
    case BufferState::guest_owned:
      return "guest_owned";
    case BufferState::in_transit:
      return "in_transit";
    case BufferState::lent:
      return "lent";
    case BufferState::released:
      return "released";
  }
  return "?";
}

std::string_view action_name(BufferAction action) noexcept {
  switch (action) {
    case BufferAction::acquire:
      return "acquire";
    case BufferAction::lend_for_writing:
      return "lend_for_writing";
    case BufferAction::freeze:
      return "freeze";
    case BufferAction::hand_over:
      return "hand_over";
    case BufferAction::publish:
      return "publish";
    case BufferAction::lend:
      return "lend";
    case BufferAction::give_back:
      return "give_back";
    case BufferAction::release:
      return "release";
    case BufferAction::recycle:
      return "recycle";
  }
  return "?";
}

}  // namespace torvyn::resources
