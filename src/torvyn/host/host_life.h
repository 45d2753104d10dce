// A host over what its flows share. Inside this folder only.
#pragma once

#include <memory>

#include "torvyn/host/shared.h"

namespace torvyn::host {

std::unique_ptr<Host> make_host(std::unique_ptr<Shared> shared);

}  // namespace torvyn::host
