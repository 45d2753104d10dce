#include "torvyn/resources/buffer_state.h"

namespace torvyn::resources {

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
