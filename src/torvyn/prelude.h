// The names that most programs want, without their subsystems: `torvyn::HostBuilder` instead of `torvyn::host::HostBuilder`.
#pragma once

#include "torvyn/torvyn.h"

namespace torvyn {

using config::RuntimeConfig;
using contracts::ContractValidator;
using engine::WasmEngine;
using host::ElementView;
using host::FlowBuilder;
using host::FlowDefinition;
using host::Host;
using host::HostBuilder;
using host::HostState;
using host::Inlet;
using host::Outputs;
using host::Plugin;
using host::PluginAnswer;
using host::PluginLimits;
using host::PluginStatus;
using host::PushResult;
using host::refuse;
using host::RunLimits;
using host::SourceState;
using host::StageResult;
using observability::Fate;
using observability::FlowReport;
using observability::FlowState;

}  // namespace torvyn
