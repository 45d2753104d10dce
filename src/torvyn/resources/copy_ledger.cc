#include "torvyn/resources/copy_ledger.h"

namespace torvyn::resources {

std::string_view copy_kind_name(CopyKind kind) noexcept {
  switch (kind) {
    case CopyKind::guest_write:
      return "guest_write";
    case CopyKind::guest_read:
      return "guest_read";
    case CopyKind::host_clone:
      return "host_clone";
    case CopyKind::host_gather:
      return "host_gather";
  }
  return "?";
}

}  // namespace torvyn::resources
