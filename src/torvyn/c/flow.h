// The handle of a flow made in code. Inside this folder only.
#pragma once

#include <string>
#include <utility>

#include "torvyn/c/torvyn.h"
#include "torvyn/host/flow_builder.h"

struct torvyn_flow {
  explicit torvyn_flow(std::string name) : builder(std::move(name)) {}
  torvyn::host::FlowBuilder builder;
};

struct torvyn_inlet {
  torvyn::host::Inlet inlet;
};
